/**
 * What the tree and the walk cost at a million items, each beside its floor: the SHA-256 that it
 * cannot do without, as raw calls. Run alone: npx node bench/tree.ts [items]
 */
import { randomBytes, randomFillSync } from 'node:crypto'
import { hashInto } from '../src/base/hash.ts'
import { MerkleTree } from '../src/merkle/tree.ts'
import { answerWalk } from '../src/merkle/walk.ts'
import { continueWalk, startWalk } from '../src/merkle/walker.ts'
import { answerBytes, requestBytes } from '../test/merkle/walking.ts'

const items = Number(process.argv[2] ?? 1_000_000)
const entries = randomEntries(items)

function randomEntries(count: number): Uint8Array {
  const bytes = new Uint8Array(count * 64)
  for (let at = 0; at < bytes.length; at += 2 ** 24) {
    randomFillSync(bytes, at, Math.min(2 ** 24, bytes.length - at))
  }
  return bytes
}

/** Milliseconds of one run. */
function timed(run: () => void): number {
  const start = performance.now()
  run()
  return performance.now() - start
}

function percentile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

function say(what: string, figures: string) {
  console.log(`${what.padEnd(44)} ${figures}`)
}

/** Microseconds of one SHA-256 over so many bytes. */
function shaUs(bytes: number): number {
  const source = new Uint8Array(bytes)
  const target = new Uint8Array(32)
  const run = () => {
    for (let i = 0; i < 50_000; i++) hashInto(source, 0, bytes, target, 0)
  }
  run()
  return (timed(run) * 1000) / 50_000
}

/** An entry with another leaf hash, drawn among those of the tree. */
function overwrite(into: Uint8Array) {
  const at = Math.floor(Math.random() * items) * 64
  into.set(entries.subarray(at, at + 32))
  randomFillSync(into, 32, 32)
}

function benchBuild(): MerkleTree {
  let tree = new MerkleTree()
  for (let run = 0; run < 2; run++) {
    tree = new MerkleTree()
    const put = timed(() => tree.setEntries(entries))
    const root = timed(() => tree.root())
    const total = (put + root).toFixed(0)
    say(`build, run ${run + 1}`, `${total} ms (entries ${put.toFixed(0)}, root ${root.toFixed(0)})`)
  }
  say('memory', `${(tree.bytes() / items).toFixed(1)} B an item`)
  return tree
}

function benchWrites(tree: MerkleTree) {
  const entry = new Uint8Array(64)
  for (const kind of ['overwrite', 'add', 'remove'] as const) {
    const added: string[] = []
    const times: number[] = []
    for (let i = 0; i < 20_000; i++) {
      if (kind === 'overwrite') overwrite(entry)
      else randomFillSync(entry)
      const hex = Buffer.from(entry).toString('hex')
      const [id, leaf] = [hex.slice(0, 64), hex.slice(64)]
      if (kind === 'remove') tree.set(id, leaf)
      if (kind === 'remove') tree.root()
      times.push(
        timed(() => {
          tree.set(id, kind === 'remove' ? null : leaf)
          tree.root()
        }) * 1000,
      )
      if (kind === 'add') added.push(id)
    }
    for (const id of added) tree.set(id, null)
    const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
    say(`one write (hex) and root: ${kind}`, `p50 ${p50.toFixed(1)} us, p99 ${p99.toFixed(1)} us`)
  }
  const times: number[] = []
  for (let tick = 0; tick < 100; tick++) {
    const batch = new Uint8Array(1000 * 64)
    for (let i = 0; i < 1000; i++) overwrite(batch.subarray(i * 64, (i + 1) * 64))
    times.push(
      timed(() => {
        tree.setEntries(batch)
        tree.root()
      }),
    )
  }
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
  say(
    'tick of 1,000 scattered writes and root',
    `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`,
  )
}

function benchWalk(tree: MerkleTree, differing: number, kind: 'more' | 'less' | 'changed') {
  const all = { bytes: [] as number[], rounds: [] as number[] }
  const cpu = { mine: [] as number[], theirs: [] as number[] }
  const other = tree.clone()
  const entry = new Uint8Array(64)
  const undo: Uint8Array[] = []
  for (let i = 0; i < differing; i++) {
    if (kind === 'changed') overwrite(entry)
    else randomFillSync(entry)
    undo.push(entry.slice())
  }
  for (const changed of undo) (kind === 'less' ? tree : other).setEntries(changed)
  tree.root()
  other.root()
  for (let run = 0; run < (differing > 1000 ? 2 : 20); run++) {
    let [bytes, rounds, mine, theirs] = [0, 0, 0, 0]
    const key = randomBytes(16)
    let start = performance.now()
    let step = startWalk(tree, { key, full: false })
    mine += performance.now() - start
    while (step.kind === 'ask') {
      start = performance.now()
      const answered = answerWalk(other, step.request)
      theirs += performance.now() - start
      if (answered.kind === 'refused') throw new Error(answered.sentence)
      bytes += requestBytes(step.request) + answerBytes(answered.answer)
      rounds += 1
      start = performance.now()
      step = continueWalk(tree, step.walk, answered.answer)
      mine += performance.now() - start
    }
    if (step.kind !== 'done') throw new Error(step.kind)
    all.bytes.push(bytes)
    all.rounds.push(rounds)
    cpu.mine.push(mine)
    cpu.theirs.push(theirs)
  }
  if (kind === 'less') {
    for (const entry of undo) tree.set(Buffer.from(entry.subarray(0, 32)).toString('hex'), null)
  }
  const half = (list: readonly number[]) => percentile(list, 0.5)
  say(
    `walk, d = ${differing}, peer has ${kind}`,
    `${half(all.bytes)} B, ${half(all.rounds)} round trips, ` +
      `${half(cpu.mine).toFixed(2)} / ${half(cpu.theirs).toFixed(2)} ms`,
  )
}

const leafBytes = 8 + 64 * 15
const [sha64, sha512, shaLeaf] = [shaUs(64), shaUs(512), shaUs(leafBytes)]
say('items', items.toLocaleString('en'))
say(
  'floor: SHA-256 of 64 / 512 / 968 B',
  [sha64, sha512, shaLeaf].map(us => us.toFixed(2)).join(' / '),
)
say('floor: one write (leaf, 4 inner, storage)', `${(shaLeaf + 4 * sha512 + sha64).toFixed(1)} us`)
const nodes = 65536 * shaLeaf + 4369 * sha512
say('floor: all nodes of a million items', `${(nodes / 1000).toFixed(0)} ms`)
const tree = benchBuild()
benchWrites(tree)
say('copy', `${timed(() => tree.clone()).toFixed(0)} ms`)
for (const differing of [0, 1, 10, 100, 1000, 10_000, 100_000]) {
  for (const kind of ['more', 'less', 'changed'] as const) benchWalk(tree, differing, kind)
}
