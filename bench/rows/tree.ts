/** The tree in process at a million items: build, single writes, a tick; and bytes an item. */
import type { Bench, Row } from '../bench.ts'
import {
  buildTree,
  measureTicks,
  measureWrites,
  randomEntries,
  treeFloors,
} from '../tree-measures.ts'

export const tree: Row = {
  name: 'tree',
  about: 'the tree in process: build, one write with root, a tick of 1,000 writes',
  async run(bench: Bench) {
    await bench.end()
    const items = bench.size(100_000, 1_000_000)
    const entries = randomEntries(items)
    const floors = treeFloors(items)
    buildTree(entries) // the first one is compiled while it runs
    const { tree, putMs, rootMs } = buildTree(entries)
    const all = { name: 'SHA-256 of all nodes', value: floors.buildMs }
    bench.add(`build of ${items} items with root`, putMs + rootMs, 'ms', { floor: all })
    bench.add('bytes an item', tree.bytes() / items, 'B')
    const write = measureWrites(tree, entries, 'overwrite', bench.size(5000, 20_000))
    const one = { name: 'SHA-256 of its path', value: floors.writeUs }
    bench.add('one write with root, p50', write.p50Us, 'µs', { floor: one })
    bench.add('one write with root, p99', write.p99Us, 'µs')
    const tick = measureTicks(tree, entries, bench.size(30, 100))
    bench.add('tick of 1,000 writes with root, p50', tick.p50Ms, 'ms')
    bench.add('tick of 1,000 writes with root, p99', tick.p99Ms, 'ms')
  },
}
