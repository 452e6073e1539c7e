/**
 * Check 4: replicas converge. After the run has settled every member of the roster is Source, with
 * equal facts, stamps included, one roster, one hash, nothing pending and every payload; dumped
 * again later, nothing has changed. The hash of every dump is the one made of its own facts by
 * sorting and hashing.
 */
import { rootIdOf } from './family.ts'
import type { DumpFact, ShownItem } from './format.ts'
import { rootOf, settledFacts } from './hashes.ts'
import { type Report, short } from './report.ts'
import { type Dump, lastMembers, lastRoster, type Run } from './run.ts'

/** Runs the check. */
export function checkConverged(run: Run, report: Report): void {
  for (const { line } of run.dumps.values()) {
    if (line.facts === null || line.hash === null || line.cut === null) continue
    report.look('roots recomputed')
    const root = rootOf(settledFacts(line.facts, line.cut))
    if (root === line.hash) continue
    const told = `the hash of ${line.member} is ${short(line.hash)}`
    report.fail(`${told}, and its facts at ${line.cut} give ${short(root)}`, line.seq)
  }
  const [first] = run.settled
  if (first === undefined) {
    report.unknown('no member was dumped after the run had settled')
    return
  }
  for (const member of lastMembers(run)) {
    if (run.settled.some(({ line }) => line.member === member)) continue
    report.unknown(`${member} was not dumped after the run had settled`)
  }
  for (const dump of run.settled) {
    report.look('settled dumps')
    checkSettled(run, dump, report)
    if (dump !== first) compare(first, dump, report)
  }
}

function checkSettled(run: Run, { line }: Dump, report: Report): void {
  const { member, seq, status } = line
  const roster = lastRoster(run)
  if (status !== 'source') report.fail(`${member} is ${status} in the end`, seq)
  if (line.hash === null) report.unknown(`the hash of ${member} in the end is not told`, seq)
  if (line.facts === null && line.items === null) {
    report.unknown(`of ${member} neither facts nor items are told`, seq)
  }
  if (line.roster !== null && !isEqual([...line.roster].sort(), [...roster].sort())) {
    report.fail(`${member} has another roster in the end: ${line.roster.join(', ')}`, seq)
  }
  for (const fact of line.facts ?? []) {
    const name = `${short(fact.version)} of ${fact.id} on ${member}`
    if (fact.added === null) report.fail(`${name} is pending in the end`, seq)
    if (fact.blob !== null && fact.payload === null) {
      report.fail(`${name} has no payload in the end`, seq)
    }
  }
}

function compare(one: Dump, other: Dump, report: Report): void {
  const names = `${one.line.member} and ${other.line.member}`
  const seqs = [one.line.seq, other.line.seq]
  if (one.line.hash !== other.line.hash) {
    const hashes = `${short(one.line.hash)} and ${short(other.line.hash)}`
    report.fail(`${names} have ${hashes} as their hash in the end`, ...seqs)
  }
  if (one.facts !== null && other.facts !== null) compareFacts(one, other, report)
  if (one.line.items === null || other.line.items === null) return
  // By their roots: what is left of a split item may have other ids.
  const left = [...(one.line.damaged ?? []), ...(other.line.damaged ?? [])]
  const damaged = new Set(left.map(rootIdOf))
  const isWhole = ({ id }: ShownItem) => !damaged.has(rootIdOf(id))
  const first = one.line.items.filter(isWhole)
  const second = other.line.items.filter(isWhole)
  const shown = new Map(first.map(item => [item.id, item]))
  const wrong = second.find(({ id, version, blob }) => {
    const twin = shown.get(id)
    return twin?.version !== version || twin.blob !== blob
  })
  if (wrong === undefined && first.length === second.length) return
  const what = wrong?.id ?? `${first.length} and ${second.length} items`
  report.fail(`${names} do not show the same in the end: ${what}`, ...seqs)
}

function compareFacts(one: Dump, other: Dump, report: Report): void {
  const names = `${one.line.member} and ${other.line.member}`
  const keys = new Set([...one.facts!.keys(), ...other.facts!.keys()])
  for (const key of keys) {
    const [a, b] = [one.facts!.get(key), other.facts!.get(key)]
    if (a !== undefined && b !== undefined && stampOf(a) === stampOf(b)) continue
    const what = `${short(key)} of ${key.slice(64)}`
    const sentence =
      a === undefined || b === undefined
        ? `${what} is on one of ${names} alone in the end`
        : `${what} has different stamps on ${names}: ${stampOf(a)}, ${stampOf(b)}`
    report.fail(sentence, one.line.seq, other.line.seq)
    return
  }
}

function stampOf({ at, by }: DumpFact): string {
  return `${at} by ${by}`
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at])
}
