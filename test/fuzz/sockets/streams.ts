/**
 * Fuzzes the network side of a running member: as a member of its roster, as a stranger that holds
 * the network key, and as somebody without it. Frames are spoilt by bytes and by values and sent on
 * every protocol; whoever is cut comes back. A frame that is good after all is left out, so nothing
 * may change.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { corpusOf } from '../../../sim/fuzz/fuzz.ts'
import { below, chance, mutateBytes, mutateValue, pick } from '../../../sim/fuzz/mutate.ts'
import type { Random } from '../../../sim/random.ts'
import type { Bytes } from '../../../src/base/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../../src/base/cbor.ts'
import { limits } from '../../../src/base/limits.ts'
import { dialable } from '../../../src/node/libp2p/addresses.ts'
import { publishGossip } from '../../../src/node/libp2p/gossip.ts'
import { generatePrivateKey, memberIdOf, readPrivateKey } from '../../../src/node/libp2p/keys.ts'
import { createNode, gossipTopic, type Node } from '../../../src/node/libp2p/node.ts'
import { decodeDoorRequest } from '../../../src/wire/door.ts'
import { decodeFrame } from '../../../src/wire/frame.ts'
import type { Victim } from './victim.ts'

const PROTOCOLS = [
  '/veche/main/1',
  '/veche/bulk/1',
  '/veche/door/1',
  '/ipfs/ping/1.0.0',
  '/ipfs/id/1.0.0',
  '/meshsub/1.1.0',
] as const
/** Inputs of one connection; then the member is asked whether it is well. */
const ROUND = 100

/** Sends so many spoilt frames as a member, or as a stranger with the key; throws on a finding. */
export async function fuzzStreams(
  victim: Victim,
  as: 'member' | 'stranger',
  inputs: number,
  random: Random,
): Promise<void> {
  for (let sent = 0; sent < inputs; sent += ROUND) {
    const key = as === 'member' ? victim.memberKey : await generatePrivateKey()
    const node = await attacker(victim, key)
    try {
      const frames = Array.from({ length: Math.min(ROUND, inputs - sent) }, () =>
        spoilt(memberIdOf(key), random),
      )
      await speak(victim, node, frames, random)
    } finally {
      await node.stop()
    }
    await victim.check()
  }
}

/** Opens so many connections without the key, each with bytes of its own. */
export async function fuzzTcp(victim: Victim, inputs: number, random: Random): Promise<void> {
  const port = Number(/\/tcp\/(\d+)/.exec(victim.contact.addresses[0] ?? '')?.[1])
  const hello = Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n', 'latin1')
  for (let sent = 0; sent < inputs; sent++) {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => socket.destroy())
    const over = once(socket, 'close').catch(() => undefined) // it was cut
    const garbage = chance(random, 1 + below(random, 4000))
    socket.write(below(random, 2) === 0 ? garbage : Buffer.concat([hello, garbage]))
    socket.end()
    socket.resume()
    await over
    if (sent % ROUND === ROUND - 1) await victim.check()
  }
  await victim.check()
}

async function attacker(victim: Victim, key: Bytes): Promise<Node> {
  const node = await createNode({
    privateKey: readPrivateKey(key),
    networkKey: victim.networkKey,
    listen: [],
    mdns: false,
    gater: {},
    isMember: () => true,
    onGossipFlood: () => undefined,
    onDiscovered: () => undefined,
  })
  for (const protocol of PROTOCOLS.slice(0, 2))
    await node.handle(protocol, stream => stream.addEventListener('message', () => undefined))
  await node.start()
  node.services.gossip.subscribe(gossipTopic(victim.networkKey))
  return node
}

/** Says the frames, each on some protocol; what is cut meanwhile is what should happen. */
async function speak(
  victim: Victim,
  node: Node,
  frames: readonly Bytes[],
  random: Random,
): Promise<void> {
  const { addresses, peer } = victim.contact
  const open = new Map<string, Stream>()
  for (const frame of frames) {
    try {
      if (below(random, 6) === 0) {
        await publishGossip(node.services.gossip, gossipTopic(victim.networkKey), frame)
        continue
      }
      const protocol = pick(random, PROTOCOLS)
      let stream = open.get(protocol)
      if (stream?.status !== 'open') {
        const signal = AbortSignal.timeout(2000)
        const connection = await node.dial(dialable(addresses, peer), { signal })
        stream = await connection.newStream(protocol, { signal })
        stream.addEventListener('message', () => undefined)
        open.set(protocol, stream)
      }
      stream.send(below(random, 8) === 0 ? frame : encode.single(frame))
    } catch (error) {
      // Cut (told as an event to who waits for room), refused or out of time: it goes on.
      if (!(error instanceof Error || error instanceof Event)) throw error
    }
    if (below(random, 10) === 0) await new Promise(resolve => setImmediate(resolve))
  }
}

const corpora = ['frame', 'gossip', 'door-request'] as const

/** A spoilt frame in the name of the sender; one that is good after all is cut short. */
function spoilt(sender: string, random: Random): Bytes {
  const corpus = corpusOf(pick(random, corpora))
  const base = pick(random, corpus)
  let bytes: Bytes
  if (below(random, 2) === 0) bytes = mutateBytes(base, pick(random, corpus), random)
  else {
    const value = decodeCbor(base, base.length, 32) as CborValue
    const named = Array.isArray(value) && value.length === 11 ? value.with(1, sender) : value
    bytes = encodeCbor(mutateValue(named, random, { bytes: true }))
  }
  const isGood =
    decodeFrame(bytes, limits.streamFrameBytesMax).ok ||
    decodeDoorRequest(bytes, limits.doorRequestBytesMax).ok
  return isGood ? bytes.subarray(0, bytes.length - 1) : bytes
}
