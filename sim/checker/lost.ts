/**
 * Check 1: nothing acknowledged is lost. An answer names the disks that hold the write; from then
 * on every dump of such a member must have fact and payload, unless the fault itself destroyed that
 * store. What a member showed, and what its disk held before, must stay there, too. In the end each
 * acknowledged write is at every member, a head or an ancestor of one. Writes that only members
 * who left hold are told apart, and so are those of which the faults destroyed every claimed copy:
 * these fail nothing only where the run may do that.
 */
import { Disks } from './disks.ts'
import { rootIdOf } from './family.ts'
import type { DoneLine, DumpLine, FaultLine, HistoryLine } from './format.ts'
import { type Report, short } from './report.ts'
import { type Dump, isWrite, lastRoster, type Operation, type Run, rostersWithin } from './run.ts'
import { keyOf } from './split.ts'

/** What a member's next dump must have, and the line that says so. */
interface Must {
  readonly payload: boolean
  readonly seq: number
}

interface State {
  readonly run: Run
  readonly report: Report
  readonly disks: Disks
  readonly musts: Map<string, Map<string, Must>>
  /** For a fact, the members whose copy a fault destroyed after it was claimed. */
  readonly destroyed: Map<string, Set<string>>
}

/** Runs the check. */
export function checkLost(run: Run, report: Report): void {
  const state: State = {
    run,
    report,
    disks: new Disks(),
    musts: new Map(),
    destroyed: new Map(),
  }
  for (const line of run.lines) {
    if (line.kind === 'dump') checkDump(state, line)
    if (line.kind === 'fault') destroy(state, line)
    state.disks.take(line)
    if (line.kind === 'hold') {
      must(state, line.member, keyOf(line.id, line.version), line)
    }
    if (line.kind === 'done') promised(state, line)
  }
  checkSettled(state)
  if (run.settled.length === 0) report.unknown('no member was dumped after the run had settled')
}

function mustsOf({ musts }: State, member: string): Map<string, Must> {
  const known = musts.get(member) ?? new Map<string, Must>()
  musts.set(member, known)
  return known
}

function must(state: State, member: string, key: string, { payload, seq }: Must): void {
  const musts = mustsOf(state, member)
  const known = musts.get(key)
  if (known === undefined || (payload && !known.payload)) musts.set(key, { payload, seq })
}

function destroy(state: State, { destroyed }: FaultLine): void {
  for (const member of destroyed) {
    for (const key of mustsOf(state, member).keys()) {
      const members = state.destroyed.get(key) ?? new Set()
      state.destroyed.set(key, members.add(member))
    }
    mustsOf(state, member).clear()
  }
}

/** Holds an answer against the disks of that moment, and remembers what it claims. */
function promised(state: State, line: DoneLine): void {
  const { run, report } = state
  const operation = run.operations.get(line.request)
  if (operation === undefined || line.version === null) return
  const key = keyOf(operation.asked.id, line.version)
  if (!isWrite(operation)) {
    // On a split id the version shown may be derived, and is held by nobody.
    const [member] = operation.members
    if (operation.members.size > 1 || rootIdOf(operation.asked.id) !== operation.asked.id) return
    must(state, member!, key, { payload: false, seq: line.seq })
    return
  }
  report.look('acknowledged writes')
  const holders = holdersOf(operation, line)
  if (line.level !== null) {
    report.look(`told ${line.level}`)
    checkPromise(state, operation, line)
  }
  // Who keeps a branch wrote none of its bytes: they may be on their way from another member.
  const payload = operation.asked.op !== 'resolve' || operation.asked.blob !== null
  for (const member of holders) {
    const held = state.disks.of(member).get(key)
    const isHeld = held !== undefined && (held.payload || !payload)
    // It said so before its disk was destroyed; who answers may not have heard of that yet.
    if (!isHeld && state.destroyed.get(key)?.has(member) === true) continue
    if (run.begin.records.holds && !isHeld) {
      const sentence = `${nameOf(operation, line)} was answered before ${member} held it durably`
      report.fail(sentence, operation.asked.seq, line.seq)
    }
    must(state, member, key, { payload, seq: line.seq })
  }
}

function holdersOf({ asked, members }: Operation, { heldBy }: DoneLine): readonly string[] {
  return heldBy.length > 0 || members.size > 1 ? heldBy : [asked.member]
}

function checkPromise({ run, report }: State, operation: Operation, line: DoneLine): void {
  const { asked, members } = operation
  const told = nameOf(operation, line)
  if (!line.heldBy.some(member => members.has(member))) {
    report.fail(`${told} is not said to be held by the member that took it`, asked.seq, line.seq)
  }
  if (line.level !== 'majority') return
  const holders = new Set(line.heldBy)
  const rosters = rostersWithin(run, asked.atMs, line.atMs)
  const isMajority = rosters.some(
    roster => roster.filter(member => holders.has(member)).length * 2 > roster.length,
  )
  if (isMajority) return
  const names = [...holders].join(', ')
  report.fail(`${told} was told to be on a majority, and is on ${names}`, asked.seq, line.seq)
}

function checkDump(state: State, line: DumpLine): void {
  const { facts } = state.run.dumps.get(line)!
  if (facts === null) return
  for (const [key, claim] of mustsOf(state, line.member)) {
    state.report.look('copies looked for')
    const fact = facts.get(key)
    const what = `${short(key)} of ${key.slice(64)}`
    if (fact === undefined) {
      state.report.fail(`${line.member} lost ${what}`, claim.seq, line.seq)
    } else if (claim.payload && fact.blob !== null && fact.payload === null) {
      state.report.fail(`${line.member} lost the payload of ${what}`, claim.seq, line.seq)
    }
  }
  if (line.moment === 'pause') return
  for (const [key, { blob, payload }] of facts) {
    must(state, line.member, key, { payload: blob !== null && payload !== null, seq: line.seq })
  }
}

function checkSettled({ run, report, destroyed }: State): void {
  const roster = lastRoster(run)
  let apart = 0
  let away = 0
  for (const operation of run.operations.values()) {
    const { end, asked } = operation
    if (end?.kind !== 'done' || end.version === null || !isWrite(operation)) continue
    const key = keyOf(asked.id, end.version)
    const gone = destroyed.get(key) ?? new Set()
    const holders = holdersOf(operation, end)
    const isDestroyed = holders.every(member => gone.has(member))
    const absent = run.settled.filter(dump => isAfter(dump, end) && !isRooted(dump, asked.id, key))
    if (absent.length === 0) continue
    if (isDestroyed) {
      apart += 1
      continue
    }
    // What is left of it is on members that left: it comes back with them.
    if (holders.every(member => gone.has(member) || !roster.includes(member))) {
      away += 1
      continue
    }
    const names = absent.map(dump => dump.line.member).join(', ')
    const sentence = `${nameOf(operation, end)} is not there, or not rooted, on ${names} in the end`
    report.fail(sentence, asked.seq, end.seq, absent[0]!.line.seq)
  }
  if (away > 0) report.notes.push(`${away} acknowledged writes are on members that left alone`)
  if (apart === 0) return
  report.notes.push(`${apart} acknowledged writes were destroyed by the faults with all copies`)
  if (!run.begin.mayDestroyAll) report.unknown('the faults destroyed every copy of some writes')
}

function isAfter({ line }: Dump, end: HistoryLine): boolean {
  return line.seq > end.seq && line.facts !== null
}

function isRooted(dump: Dump, id: string, key: string): boolean {
  return dump.families()?.get(rootIdOf(id))?.rooted.has(key) === true
}

function nameOf({ request, asked }: Operation, { level, version }: DoneLine): string {
  return `${request} (${asked.op} of ${asked.id}, ${level ?? 'done'}, ${short(version)})`
}
