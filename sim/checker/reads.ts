/**
 * The second half of check 3, and the first of check 7: what a member has shown or acknowledged of
 * an item it goes on from. A read never goes back to an ancestor, nor to a side branch while
 * nothing newer stands on what was shown; a write stands on all that its member had shown before.
 *
 * Only answers that came before the question was asked are held against it. Versions of split ids
 * are derived and change with the naming, so these are left out; so is what a fault destroyed.
 */
import { rootIdOf } from './family.ts'
import type { DoneLine, RefusedLine } from './format.ts'
import { type Report, short } from './report.ts'
import { Rotten } from './rot.ts'
import { isWrite, type Operation, type Run } from './run.ts'

/** The newest that a member had told of an item by a line. */
interface Told {
  readonly seq: number
  readonly version: string
}

interface State {
  readonly run: Run
  /** By member and id, in the order of telling; each is the newest so far. */
  readonly told: Map<string, Told[]>
  /** For a member, the line at which its store was last destroyed. */
  readonly destroyedAt: Map<string, number>
  readonly rotten: Rotten
  readonly reads: Report
  readonly writes: Report
}

/** Looks at every answer; reads are told to one report and writes to the other. */
export function checkShown(run: Run, reads: Report, writes: Report): void {
  const state: State = {
    run,
    told: new Map(),
    destroyedAt: new Map(),
    rotten: new Rotten(),
    reads,
    writes,
  }
  for (const line of run.lines) {
    if (line.kind === 'fault') {
      state.rotten.take(line)
      for (const member of line.destroyed) {
        state.destroyedAt.set(member, line.seq)
        for (const key of state.told.keys())
          if (key.startsWith(`${member} `)) state.told.delete(key)
      }
    }
    if (line.kind !== 'done' && line.kind !== 'refused') continue
    const operation = run.operations.get(line.request)
    if (operation === undefined || operation.members.size > 1) continue
    if ((state.destroyedAt.get(operation.asked.member) ?? -1) > operation.asked.seq) continue
    if (line.kind === 'refused') refused(state, operation, line)
    else answered(state, operation, line)
  }
}

function answered(state: State, operation: Operation, line: DoneLine): void {
  const { asked } = operation
  if (asked.op === 'list') {
    for (const { id, version } of line.reads ?? []) show(state, operation, line, id, version)
  } else if (line.version !== null) show(state, operation, line, asked.id, line.version)
}

function show(
  state: State,
  operation: Operation,
  line: DoneLine,
  id: string,
  version: string,
): void {
  const { graph } = state.run
  if (rootIdOf(id) !== id || graph.get(id, version) === undefined) return
  const { member } = operation.asked
  const before = toldBefore(state, member, id, operation.asked.seq)
  if (before !== undefined) {
    if (isWrite(operation)) checkWrite(state, operation, line, before)
    else checkRead(state, operation, line, { id, version, before })
  }
  const key = `${member} ${id}`
  const told = state.told.get(key) ?? []
  state.told.set(key, told)
  const newest = told.at(-1)?.version ?? version
  const isNewer = graph.depth(id, version) >= graph.depth(id, newest)
  told.push({ version: isNewer ? version : newest, seq: line.seq })
}

/** What the member had told of the item when the question was asked. */
function toldBefore(state: State, member: string, id: string, seq: number): Told | undefined {
  const told = state.told.get(`${member} ${id}`)
  return told?.findLast(entry => entry.seq < seq)
}

interface Shown {
  readonly id: string
  readonly version: string
  readonly before: Told
}

function checkRead(
  { run, reads }: State,
  operation: Operation,
  line: DoneLine,
  { id, version, before }: Shown,
): void {
  reads.look('reads after another answer')
  const { graph } = run
  if (version === before.version) return
  const now = graph.get(id, version)!
  const then = graph.get(id, before.version)!
  const isBack = graph.descends(id, before.version, version)
  if (!isBack && graph.descends(id, version, before.version)) return
  // Where a delete and a live head stand side by side, the live one is the item.
  const isOver = graph.hasChild(id, before.version) || then.blob === null
  if (!isBack && (isOver || now.dataHash === then.dataHash)) return
  const { member } = operation.asked
  const showed = `${member} showed ${short(version)} of ${id} after ${short(before.version)}`
  const why = isBack ? 'which is newer' : 'which nothing stands on'
  reads.fail(`${showed}, ${why}`, before.seq, operation.asked.seq, line.seq)
}

function checkWrite(state: State, operation: Operation, line: DoneLine, before: Told): void {
  state.writes.look('writes after another answer')
  const { asked } = operation
  const { graph } = state.run
  const version = line.version!
  if (version !== before.version && graph.descends(asked.id, version, before.version)) return
  if (isRootless(state, asked.member, asked.id, before.version)) return
  const what = `${operation.request} does not stand on ${short(before.version)} of ${asked.id}`
  const who = `which ${asked.member} had told before`
  state.writes.fail(`${what}, ${who}`, before.seq, asked.seq, line.seq)
}

/**
 * Whether a version that a member showed stands on one that rotted there: it is not rooted until that
 * comes back, and a write stands on what is.
 */
function isRootless({ run, rotten }: State, member: string, id: string, shown: string): boolean {
  const begin = rotten.of(member)
  const seen = new Set<string>()
  const open = begin.length === 0 ? [] : [shown]
  for (let version = open.pop(); version !== undefined; version = open.pop()) {
    if (seen.has(version)) continue
    seen.add(version)
    if (begin.some(text => version!.startsWith(text))) return true
    open.push(...(run.graph.get(id, version)?.parents ?? []))
  }
  return false
}

/** "There is no such item" is an answer, too: something must have ended what was shown. */
function refused(state: State, operation: Operation, line: RefusedLine): void {
  const { asked } = operation
  const isRead = asked.op === 'get' || asked.op === 'head'
  if (line.code !== 'NOT_FOUND' || !isRead || rootIdOf(asked.id) !== asked.id) return
  const before = toldBefore(state, asked.member, asked.id, asked.seq)
  if (before === undefined) return
  state.reads.look('reads after another answer')
  const { graph } = state.run
  if (graph.hasChild(asked.id, before.version)) return
  if (graph.get(asked.id, before.version)?.blob === null) return
  if (isDeleteUnderWay(state.run, operation, before, line)) return
  const showed = `${asked.member} has no ${asked.id} after it showed ${short(before.version)}`
  state.reads.fail(`${showed}, which nothing ended`, before.seq, asked.seq, line.seq)
}

/** A delete that nobody was told of yet when the read was answered; its fact may be in no dump. */
function isDeleteUnderWay(
  run: Run,
  { asked }: Operation,
  before: Told,
  line: RefusedLine,
): boolean {
  return [...run.operations.values()].some(
    ({ asked: other, end }) =>
      other.op === 'delete' &&
      other.member === asked.member &&
      other.id === asked.id &&
      other.seq < line.seq &&
      (end === null || end.kind === 'unknown' || end.seq > before.seq),
  )
}
