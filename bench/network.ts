/**
 * What the network port carries between two processes on this machine: small frames a second,
 * megabytes a second in pieces of 256 KiB, one way, and the time of a round trip.
 * Run: npx node bench/network.ts
 */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { generatePrivateKey, memberIdOf } from '../src/node/libp2p/keys.ts'
import { createLibp2pNetwork } from '../src/node/libp2p/network.ts'
import type { Clock, Contact, NetworkListener } from '../src/node/ports.ts'

const SMALL = { bytes: 200, frames: 100_000, inFlight: 256 }
const LARGE = { bytes: 256 * 1024, frames: 2400, inFlight: 4 }
const PINGS = 2000
/** The first byte of a frame says whether it is the last of its run; none begins with 0. */
const MORE = 1
const LAST = 2
/** What cannot be compressed. */
const noise = new Uint8Array(randomBytes(LARGE.bytes))

const clock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}

interface Setup {
  readonly key: string
  readonly networkKey: string
  readonly other?: Contact
}

async function startNetwork(setup: Setup, frame: NetworkListener['frame'], onUp: () => void) {
  const network = await createLibp2pNetwork({
    privateKey: new Uint8Array(Buffer.from(setup.key, 'hex')),
    networkKey: new Uint8Array(Buffer.from(setup.networkKey, 'hex')),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    clock,
    log: (level, sentence, fields) => console.error(level, sentence, fields ?? ''),
  })
  await network.start({
    gossip: () => undefined,
    frame,
    connected: onUp,
    disconnected: () => undefined,
    admit: () => 'member',
    door: async (_, request) => request,
    discovered: () => undefined,
  })
  setInterval(() => network.publish(new Uint8Array(200)), 1000)
  return network
}

/** The child: echoes on the bulk lane what says so, counts the rest and says when a run is over. */
async function receive(setup: Setup): Promise<void> {
  const network = await startNetwork(
    setup,
    (from, lane, frame) => {
      if (frame[0] === MORE) return
      const echo = network.send(from, lane, frame.subarray(0, 1))
      echo.catch((error: unknown) => console.error(String(error)))
    },
    () => undefined,
  )
  network.setContacts([setup.other!])
  process.send?.(network.addresses())
}

async function measure(): Promise<void> {
  const keys = [await generatePrivateKey(), await generatePrivateKey()]
  const [mine, theirs] = keys.map(key => Buffer.from(key).toString('hex'))
  const [self, other] = keys.map(memberIdOf)
  const networkKey = randomBytes(32).toString('hex')
  const up = Promise.withResolvers<void>()
  let onEcho: () => void = () => undefined
  const network = await startNetwork(
    { key: mine!, networkKey },
    () => onEcho(),
    () => up.resolve(),
  )
  const contact = { peer: self!, addresses: network.addresses() }
  const child = fork(import.meta.filename, ['receive'])
  child.send({ key: theirs!, networkKey, other: contact } satisfies Setup)
  const addresses = await new Promise<string[]>(resolve => child.once('message', resolve as never))
  network.setContacts([{ peer: other!, addresses }])
  await up.promise

  const echoed = () =>
    new Promise<void>(resolve => {
      onEcho = resolve
    })
  async function run(name: string, plan: typeof SMALL): Promise<void> {
    for (let round = 0; round < 3; round++) {
      const over = echoed()
      const startMs = performance.now()
      let next = 0
      const sender = async () => {
        while (next < plan.frames) {
          const frame = noise.slice(0, plan.bytes)
          frame[0] = ++next === plan.frames ? LAST : MORE
          await network.send(other!, 'main', frame)
        }
      }
      await Promise.all(Array.from({ length: plan.inFlight }, sender))
      await over
      const seconds = (performance.now() - startMs) / 1000
      const perSecond = Math.round(plan.frames / seconds)
      const megabytes = (plan.frames * plan.bytes) / seconds / 1e6
      console.log(`${name}: ${perSecond} frames/s, ${megabytes.toFixed(0)} MB/s`)
    }
  }
  await run('200 B, 256 in flight', SMALL)
  await run('200 B, awaited one by one', { ...SMALL, frames: 30_000, inFlight: 1 })
  await run('256 KiB, 4 in flight', LARGE)
  await run('256 KiB, awaited one by one', { ...LARGE, inFlight: 1 })

  const times: number[] = []
  for (let i = 0; i < PINGS; i++) {
    const back = echoed()
    const startMs = performance.now()
    await network.send(other!, 'main', new Uint8Array(200).fill(LAST))
    await back
    times.push(performance.now() - startMs)
  }
  times.sort((x, y) => x - y)
  const at = (share: number) => times[Math.floor(share * PINGS)]!.toFixed(2)
  console.log(`round trip of 200 B: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`)
  child.kill()
  process.exit(0)
}

if (process.argv[2] === 'receive') process.once('message', setup => void receive(setup as Setup))
else await measure()
