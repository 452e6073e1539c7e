/**
 * What the tree and the walk cost at a million items, at length: each beside the SHA-256 that it
 * cannot do without, and walks over many kinds of differences. Run alone: npx node bench/tree.ts [items]
 */
import { randomBytes, randomFillSync } from 'node:crypto'
import { WALK_KEY_BYTES } from '../src/merkle/prints.ts'
import type { MerkleTree } from '../src/merkle/tree.ts'
import { answerWalk } from '../src/merkle/walk.ts'
import { continueWalk, startWalk } from '../src/merkle/walker.ts'
import { answerBytes, requestBytes } from '../test/merkle/walking.ts'
import { percentile } from './figures.ts'
import {
  buildTree,
  measureTicks,
  measureWrites,
  overwrite,
  randomEntries,
  timed,
  treeFloors,
} from './tree-measures.ts'

const items = Number(process.argv[2] ?? 1_000_000)
const entries = randomEntries(items)

function say(what: string, figures: string) {
  console.log(`${what.padEnd(44)} ${figures}`)
}

function benchBuild(): MerkleTree {
  let built = buildTree(entries)
  for (let run = 1; run <= 2; run++) {
    if (run > 1) built = buildTree(entries)
    const { putMs, rootMs } = built
    const total = (putMs + rootMs).toFixed(0)
    say(`build, run ${run}`, `${total} ms (entries ${putMs.toFixed(0)}, root ${rootMs.toFixed(0)})`)
  }
  say('memory', `${(built.tree.bytes() / items).toFixed(1)} B an item`)
  return built.tree
}

function benchWrites(tree: MerkleTree) {
  for (const kind of ['overwrite', 'add', 'remove'] as const) {
    const { p50Us, p99Us } = measureWrites(tree, entries, kind, 20_000)
    say(
      `one write (hex) and root: ${kind}`,
      `p50 ${p50Us.toFixed(1)} us, p99 ${p99Us.toFixed(1)} us`,
    )
  }
  const { p50Ms, p99Ms } = measureTicks(tree, entries, 100)
  say(
    'tick of 1,000 scattered writes and root',
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`,
  )
}

function benchWalk(tree: MerkleTree, differing: number, kind: 'more' | 'less' | 'changed') {
  const all = { bytes: [] as number[], rounds: [] as number[] }
  const cpu = { mine: [] as number[], theirs: [] as number[] }
  const other = tree.clone()
  const entry = new Uint8Array(64)
  const undo: Uint8Array[] = []
  for (let i = 0; i < differing; i++) {
    if (kind === 'changed') overwrite(entries, entry)
    else randomFillSync(entry)
    undo.push(entry.slice())
  }
  for (const changed of undo) (kind === 'less' ? tree : other).setEntries(changed)
  tree.root()
  other.root()
  for (let run = 0; run < (differing > 1000 ? 2 : 20); run++) {
    let [bytes, rounds, mine, theirs] = [0, 0, 0, 0]
    const key = randomBytes(WALK_KEY_BYTES)
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

const floors = treeFloors(items)
say('items', items.toLocaleString('en'))
say(
  'floor: SHA-256 of 64 / 512 / 968 B',
  [floors.sha64, floors.sha512, floors.shaLeaf].map(us => us.toFixed(2)).join(' / '),
)
say('floor: one write (leaf, 4 inner, storage)', `${floors.writeUs.toFixed(1)} us`)
say('floor: all nodes', `${floors.buildMs.toFixed(0)} ms`)
const tree = benchBuild()
benchWrites(tree)
say('copy', `${timed(() => tree.clone()).toFixed(0)} ms`)
for (const differing of [0, 1, 10, 100, 1000, 10_000, 100_000]) {
  for (const kind of ['more', 'less', 'changed'] as const) benchWalk(tree, differing, kind)
}
