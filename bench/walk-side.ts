/**
 * One side of a walk between two processes, on the network that members use (libp2p) and in frames
 * of the wire: both sides hold a tree of the same entries but for some. The asker walks when it is
 * told to, each time under a fresh key, and says what each walk took. For rows/walk.ts only.
 */
import { createCipheriv, randomBytes } from 'node:crypto'
import { hashText } from '../src/base/hash.ts'
import { limits } from '../src/base/limits.ts'
import { stampOf } from '../src/base/stamp.ts'
import type { Body, Frame } from '../src/consensus/messages.ts'
import { WALK_KEY_BYTES } from '../src/merkle/prints.ts'
import { MerkleTree } from '../src/merkle/tree.ts'
import { answerWalk } from '../src/merkle/walk.ts'
import { continueWalk, startWalk } from '../src/merkle/walker.ts'
import { systemClock } from '../src/node/clock.ts'
import { generatePrivateKey, memberIdOf } from '../src/node/libp2p/keys.ts'
import { createLibp2pNetwork } from '../src/node/libp2p/network.ts'
import type { Contact } from '../src/node/ports.ts'
import { decodeFrame, encodeFrame } from '../src/wire/frame.ts'

/** What the row tells a side. */
export type ToSide =
  | { readonly kind: 'contact'; readonly contact: Contact }
  | { readonly kind: 'walk'; readonly times: number }
  | { readonly kind: 'cpu' }

/** What a side tells the row. */
export type FromSide =
  | { readonly kind: 'ready'; readonly contact: Contact }
  | { readonly kind: 'linked' }
  | { readonly kind: 'walked'; readonly walks: readonly WalkTook[] }
  | { readonly kind: 'cpu'; readonly seconds: number }

export interface WalkTook {
  readonly bytes: number
  readonly rounds: number
  readonly ms: number
  readonly found: number
}

const ENTRY_BYTES = 64

const [items = 0, differing = 0] = process.argv.slice(2).map(Number)
const networkKey = new Uint8Array(32).fill(7)
const key = await generatePrivateKey()
const self = memberIdOf(key)
const tree = treeOf(items, differing)
const network = await createLibp2pNetwork({
  privateKey: key,
  networkKey,
  listen: ['/ip4/127.0.0.1/tcp/0'],
  mdns: false,
  clock: systemClock,
  log: () => undefined,
})
let other = ''
let onAnswer: (body: Extract<Body, { kind: 'walked' }>, bytes: number) => void = () => undefined

await network.start({
  gossip: () => undefined,
  frame: (from, lane, bytes) => {
    const decoded = decodeFrame(bytes, limits.streamFrameBytesMax)
    if (!decoded.ok) throw new Error(decoded.sentence)
    const body = decoded.frame.bodies[0]
    if (body?.kind === 'walked') onAnswer(body, bytes.length)
    if (body?.kind !== 'askWalk') return
    const answered = answerWalk(tree, body.walk)
    if (answered.kind === 'refused') throw new Error(answered.sentence)
    const answer = { kind: 'walked', request: body.request, walk: answered.answer } as const
    void network.send(from, lane, frameOf(answer)) // a lost link ends the row by its deadline
  },
  connected: () => tell({ kind: 'linked' }),
  disconnected: () => undefined,
  admit: () => 'member',
  door: async (_, request) => request,
  discovered: () => undefined,
})
process.on('message', (told: ToSide) => {
  if (told.kind === 'contact') {
    other = told.contact.peer
    network.setContacts([told.contact])
  } else if (told.kind === 'walk') {
    void walks(told.times).then(took => tell({ kind: 'walked', walks: took }))
  } else {
    const { user, system } = process.cpuUsage()
    tell({ kind: 'cpu', seconds: (user + system) / 1e6 })
  }
})
process.on('disconnect', () => process.exit())
// Links that bring no gossip are made anew after some seconds, so there is some.
setInterval(() => network.publish(new Uint8Array(200)), 1000)
tell({ kind: 'ready', contact: { peer: self, addresses: network.addresses() } })

function tell(told: FromSide): void {
  process.send?.(told)
}

/** The same random entries on both sides, from one key; some leaves of one side are others. */
function treeOf(count: number, changed: number): MerkleTree {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16, 1))
  const made = new MerkleTree()
  const stepEntries = 1 << 16
  for (let from = 0; from < count; from += stepEntries) {
    const entries = cipher.update(Buffer.alloc(Math.min(stepEntries, count - from) * ENTRY_BYTES))
    const every = Math.floor(count / Math.max(1, changed))
    for (let n = 0; n < entries.length / ENTRY_BYTES; n++) {
      const at = from + n
      if (changed > 0 && at % every === 0 && at / every < changed)
        entries[n * ENTRY_BYTES + 40]! ^= 1
    }
    made.setEntries(entries)
  }
  made.root()
  return made
}

async function walks(times: number): Promise<readonly WalkTook[]> {
  const took: WalkTook[] = []
  for (let n = 0; n < times; n++) took.push(await walk())
  return took
}

async function walk(): Promise<WalkTook> {
  const begin = performance.now()
  let [bytes, rounds] = [0, 0]
  let step = startWalk(tree, { key: randomBytes(WALK_KEY_BYTES), full: false })
  while (step.kind === 'ask') {
    rounds += 1
    const frame = frameOf({
      kind: 'askWalk',
      request: rounds,
      scope: 'settled',
      walk: step.request,
    })
    const answered = new Promise<Extract<Body, { kind: 'walked' }>>(resolve => {
      onAnswer = (body, size) => {
        bytes += size
        resolve(body)
      }
    })
    bytes += frame.length
    await network.send(other, 'main', frame)
    const { walk: answer } = await answered
    if (answer === null) throw new Error('The other side does not answer walks.')
    step = continueWalk(tree, step.walk, answer)
  }
  if (step.kind !== 'done') throw new Error(`The walk ended as ${step.kind}.`)
  return { bytes, rounds, ms: performance.now() - begin, found: step.differences.length }
}

/** With the envelope that every frame carries. */
function frameOf(body: Body): Uint8Array {
  const frame: Frame = {
    envelope: {
      uuid: self,
      incarnation: '0123456789abcdef',
      status: 'source',
      hash: hashText('root'),
      cut: 1_790_000_000_000,
      clock: stampOf(1_790_000_002_000),
      held: null,
      empty: false,
      gap: false,
    },
    bodies: [body],
  }
  return encodeFrame(frame)
}
