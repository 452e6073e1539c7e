/**
 * Check 5: collisions split identically. What each dump shows is what its own facts make, worked
 * out apart from the product. Every collision is worked out again with its facts and sides in every
 * order (a hundred orders above five), and must always give the same ids, versions and bytes; no
 * side may be missing, and what came of it must not split again.
 */
import { type Family, familiesOf, familyOf, itemsOf, type Place, rootIdOf } from './family.ts'
import type { ShownItem } from './format.ts'
import { hashOf } from './hashes.ts'
import { type Report, short } from './report.ts'
import type { Dump, Run } from './run.ts'
import { branchesOf, headsOf, rootedChain, splitOf, type Version } from './split.ts'

const ORDERS_MAX = 100
const EVERY_ORDER_UP_TO = 5

/** Runs the check. */
export function checkCollisions(run: Run, report: Report): void {
  /** Collisions worked out already, by their heads. */
  const known = new Set<string>()
  for (const dump of run.dumps.values()) {
    const families = dump.families()
    if (families === null) continue
    if (dump.line.items !== null) compareShown(dump, families, report)
    for (const [root, family] of families) {
      for (const [id, place] of family.places) {
        if (place.kind !== 'split') continue
        const key = [id, ...place.heads.map(head => head.version)].join()
        if (known.has(key)) continue
        known.add(key)
        report.look('collisions')
        checkSplit(id, place, dump, report)
        checkArrivals(root, family, dump, report)
      }
    }
  }
}

/** What the member shows against what its facts make. */
function compareShown({ line }: Dump, families: ReadonlyMap<string, Family>, report: Report): void {
  const shown = new Map(line.items!.map(item => [item.id, item]))
  const damaged = new Set(line.damaged?.map(rootIdOf))
  for (const family of families.values()) {
    for (const item of itemsOf(family)) {
      report.look('items compared')
      const twin = shown.get(item.id)
      shown.delete(item.id)
      if (twin === undefined && damaged.has(rootIdOf(item.id))) continue
      if (twin?.version === item.version && twin.blob === item.blob) continue
      const makes = `its facts make ${nameOf(item)}`
      report.fail(`${line.member} shows ${twin ? nameOf(twin) : 'nothing'}, ${makes}`, line.seq)
    }
  }
  for (const item of shown.values()) {
    report.fail(`${line.member} shows ${nameOf(item)}, which its facts do not make`, line.seq)
  }
}

function nameOf({ id, version, blob }: ShownItem): string {
  return `${id} at ${short(version)}${blob === null ? ', deleted' : ''}`
}

/** The naming in every order of its sides. */
function checkSplit(
  id: string,
  place: Extract<Place, { kind: 'split' }>,
  { line }: Dump,
  report: Report,
): void {
  const branches = branchesOf(place.heads)
  const first = splitOf(id, place.chain, branches)
  const text = namingText(first)
  for (const order of ordersOf(branches)) {
    report.look('orders tried')
    const chain = rootedChain([...place.chain.values()].reverse())
    if (namingText(splitOf(id, chain, order)) === text) continue
    report.fail(`the collision of ${id} depends on the order of its sides`, line.seq)
    return
  }
  if (first.size !== branches.length) {
    report.fail(`${branches.length} sides of ${id} make ${first.size} items`, line.seq)
  }
  const held = branches.map(([head]) => head!.dataHash).sort()
  const made = [...first.values()].map(chain => headsOf(chain)[0]!.dataHash).sort()
  if (made.join() !== held.join()) report.fail(`a side of ${id} is missing`, line.seq)
  for (const [name, chain] of first) {
    if (branchesOf(headsOf(chain)).length === 1) continue
    report.fail(`${name} splits again by itself`, line.seq)
  }
}

function namingText(named: ReadonlyMap<string, ReadonlyMap<string, Version>>): string {
  return [...named]
    .map(([id, chain]) => `${id} ${headsOf(chain).map(head => head.version)}`)
    .sort()
    .join('\n')
}

/** The whole family from its facts in other orders of arrival. */
function checkArrivals(root: string, family: Family, { line }: Dump, report: Report): void {
  const facts = familiesOf(line.facts!).get(root)!
  const text = itemsText(itemsOf(family))
  for (const order of [[...facts].reverse(), shuffled(facts, `${root} 1`)]) {
    report.look('arrivals tried')
    if (itemsText(itemsOf(familyOf(order))) === text) continue
    report.fail(`the items of ${root} depend on the order of arrival`, line.seq)
    return
  }
}

function itemsText(items: readonly ShownItem[]): string {
  return items
    .map(({ id, version, blob }) => `${id} ${version} ${blob}`)
    .sort()
    .join('\n')
}

type Branches = readonly (readonly Version[])[]

function* ordersOf(branches: Branches): Generator<Branches> {
  if (branches.length <= EVERY_ORDER_UP_TO) {
    yield* permutations(branches)
    return
  }
  for (let at = 0; at < ORDERS_MAX; at++) yield shuffled(branches, `${at}`)
}

function* permutations<T>(list: readonly T[]): Generator<T[]> {
  if (list.length <= 1) yield [...list]
  for (const [at, first] of list.entries()) {
    if (list.length <= 1) return
    const rest = list.filter((_, other) => other !== at)
    for (const order of permutations(rest)) yield [first, ...order]
  }
}

/** Some order, the same one for the same name. */
function shuffled<T>(list: readonly T[], name: string): T[] {
  const keyed = list.map((entry, at) => [hashOf(`${name} ${at}`), entry] as const)
  return keyed.sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, entry]) => entry)
}
