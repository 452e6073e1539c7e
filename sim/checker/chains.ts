/**
 * Check 3: versions chain. Every fact of every dump is recomputed from what it says: dataHash,
 * version, payload. In the end every fact is rooted. A conditional write has the parent that it
 * named. (That reads never go back belongs here, too: reads.ts.)
 */
import { rootIdOf } from './family.ts'
import type { DumpFact } from './format.ts'
import { dataHashOf, measured, versionOf } from './hashes.ts'
import { type Report, short } from './report.ts'
import type { Operation, Run } from './run.ts'
import { keyOf } from './split.ts'

/** Runs the check. */
export function checkChains(run: Run, report: Report): void {
  // Dumps of one recorder share their facts: each is recomputed once.
  const known = new Map<DumpFact, string | null>()
  for (const { line, families } of run.dumps.values()) {
    for (const fact of line.facts ?? []) {
      report.look('facts recomputed')
      let wrong = known.get(fact)
      if (wrong === undefined) {
        wrong = wrongOf(fact)
        known.set(fact, wrong)
      }
      if (wrong === null) continue
      report.fail(`${short(fact.version)} of ${fact.id} on ${line.member} ${wrong}`, line.seq)
    }
    for (const family of families()?.values() ?? []) {
      for (const { fact, sentence } of family.wrong) {
        const name = `${short(fact.version)} of ${fact.id} on ${line.member}`
        report.fail(`${name} cannot be: ${sentence}`, line.seq)
      }
    }
  }
  for (const { line, families } of run.settled) {
    for (const { id, version } of line.facts ?? []) {
      if (families()?.get(rootIdOf(id))?.rooted.has(keyOf(id, version)) === true) continue
      report.fail(`${short(version)} of ${id} on ${line.member} has lost ancestors`, line.seq)
    }
  }
  for (const operation of run.operations.values()) checkCondition(run, operation, report)
  if (run.dumps.size === 0) report.unknown('no member was ever dumped')
}

/** What is wrong with a fact on its own; null if nothing is. */
function wrongOf(fact: DumpFact): string | null {
  const { id, parents, base } = fact
  if (parents.some((parent, at) => at > 0 && parents[at - 1]! >= parent)) {
    return 'has parents that are not sorted, or doubled'
  }
  if (dataHashOf(fact) !== fact.dataHash) return 'has a dataHash that is not that of its content'
  if (versionOf(id, parents, fact.dataHash) !== fact.version) {
    return 'has a version that is not the hash of its parents and its dataHash'
  }
  if (parents.length === 0 && fact.blob === null) return 'is a delete of nothing'
  if (parents.length === 0 && rootIdOf(id) !== id) return 'begins a split id'
  if (base !== null && rootIdOf(id) === id) return 'has a base, and its id is no split id'
  return payloadWrong(fact)
}

function payloadWrong(fact: DumpFact): string | null {
  const { blob, payload, size } = fact
  if (blob === null) {
    const isBare = size === 0 && fact.type === '' && fact.description === '' && fact.meta === null
    const hasLists = fact.tags.length > 0 || fact.dependsOn.length > 0
    return isBare && !hasLists && payload === null ? null : 'is a delete that holds something'
  }
  if (payload === null) return null
  const found = measured(payload)
  if (found.hash !== blob) return 'has a payload whose bytes have another hash'
  return found.size === size ? null : `has a payload of ${found.size} bytes and says ${size}`
}

function checkCondition(run: Run, { asked, end, request }: Operation, report: Report): void {
  if (asked.ifVersion === undefined || end?.kind !== 'done' || end.version === null) return
  const fact = run.graph.get(asked.id, end.version)
  if (fact === undefined) return
  report.look('conditions kept')
  if (asked.ifVersion !== null) {
    if (fact.parents.includes(asked.ifVersion)) return
    report.fail(`${request} was done on another version than it named`, asked.seq, end.seq)
    return
  }
  const live = fact.parents.find(parent => (run.graph.get(asked.id, parent)?.blob ?? null) !== null)
  if (live === undefined) return
  report.fail(`${request} was done on a live item, and wanted none`, asked.seq, end.seq)
}
