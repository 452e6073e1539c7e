/**
 * A history made ready for the checks: operations put together from their lines, the facts of each
 * dump by name, and one graph of all facts that were ever seen. Also the check that the history is
 * whole: without it no other answer means anything.
 */
import { Families } from './families.ts'
import type { Family } from './family.ts'
import type {
  BeginLine,
  DumpFact,
  DumpLine,
  EndLine,
  HistoryLine,
  InvokeLine,
  OperationName,
} from './format.ts'
import { Graph } from './graph.ts'
import type { Report } from './report.ts'
import { keyOf } from './split.ts'

/** One operation; a retry belongs to it. */
export interface Operation {
  readonly request: string
  /** The first asking. */
  readonly asked: InvokeLine
  /** Every member that was asked. */
  readonly members: Set<string>
  /** How often it was asked. */
  attempts: number
  /** null: the history ends before it does. */
  end: EndLine | null
}

/** A dump with its facts by name. */
export interface Dump {
  readonly line: DumpLine
  /** By `keyOf`; null where only what is shown was read. */
  readonly facts: ReadonlyMap<string, DumpFact> | null
  /** By root id; null as `facts`. Worked out once, when first asked for. */
  families(): ReadonlyMap<string, Family> | null
}

export interface Run {
  readonly begin: BeginLine
  readonly lines: readonly HistoryLine[]
  readonly operations: ReadonlyMap<string, Operation>
  readonly dumps: ReadonlyMap<DumpLine, Dump>
  /** Of the members of the last roster. */
  readonly settled: readonly Dump[]
  readonly graph: Graph
  /** Rosters with the time from which each was in effect. */
  readonly rosters: readonly { readonly sinceMs: number; readonly members: readonly string[] }[]
  /** Writes by the blob that they wrote. */
  readonly byBlob: ReadonlyMap<string, Operation>
  /** Members that ran at some time. */
  readonly ran: ReadonlySet<string>
}

/** Whether an operation changes an item. */
export function isWrite({ asked }: Operation): boolean {
  return !READS.has(asked.op)
}

const READS: ReadonlySet<OperationName> = new Set(['get', 'head', 'list'])

/** The roster at the end. */
export function lastRoster(run: Run): readonly string[] {
  return run.rosters.at(-1)!.members
}

/**
 * The members of the last roster from whom something can be asked: one whose answer was lost as it
 * was let in never knew of it, and has not run.
 */
export function lastMembers(run: Run): readonly string[] {
  return lastRoster(run).filter(member => run.ran.has(member))
}

/** Rosters that a member may have counted by at some time within a span. */
export function rostersWithin(run: Run, fromMs: number, toMs: number): readonly string[][] {
  const from = fromMs - run.begin.bounds.rosterLagMs
  const { rosters } = run
  return rosters
    .filter((roster, at) => {
      const endMs = rosters[at + 1]?.sinceMs ?? Number.POSITIVE_INFINITY
      return roster.sinceMs <= toMs && endMs >= from
    })
    .map(roster => [...roster.members])
}

/** Makes a history ready; null when it has no beginning. */
export function prepare(lines: readonly HistoryLine[], report: Report): Run | null {
  const begin = lines[0]
  if (begin?.kind !== 'begin') {
    report.unknown('the history does not start with its `begin` line')
    return null
  }
  checkOrder(lines, report)
  const operations = operationsOf(lines, report)
  const dumps = new Map<DumpLine, Dump>()
  const graph = new Graph()
  const known = new Families()
  const rosters = [{ sinceMs: Number.NEGATIVE_INFINITY, members: begin.members }]
  for (const line of lines) {
    if (line.kind === 'roster') rosters.push({ sinceMs: line.atMs, members: line.members })
    if (line.kind !== 'dump') continue
    dumps.set(line, dumpOf(line, known))
    for (const fact of line.facts ?? []) graph.add(fact, line.seq)
  }
  report.look('lines', lines.length)
  report.look('operations', operations.size)
  report.look('dumps', dumps.size)
  // Who left keeps what it had, and is not asked for what came later.
  const roster = rosters.at(-1)!.members
  const settled = [...dumps.values()].filter(
    ({ line }) => line.moment === 'settled' && roster.includes(line.member),
  )
  const byBlob = blobsOf(operations, report)
  checkRecords(begin, lines, report)
  const ran = new Set(begin.members)
  for (const line of lines) {
    if (line.kind === 'status' && line.status !== 'down') ran.add(line.member)
  }
  return { begin, lines, operations, dumps, settled, graph, rosters, byBlob, ran }
}

function dumpOf(line: DumpLine, known: Families): Dump {
  const facts =
    line.facts === null
      ? null
      : new Map(line.facts.map(fact => [keyOf(fact.id, fact.version), fact]))
  let families: Map<string, Family> | null = null
  return {
    line,
    facts,
    families() {
      if (facts === null) return null
      families ??= known.of([...facts.values()])
      return families
    },
  }
}

function checkOrder(lines: readonly HistoryLine[], report: Report): void {
  for (const [at, line] of lines.entries()) {
    const before = lines[at - 1]
    if (before === undefined) continue
    if (line.seq <= before.seq) report.unknown('a line is out of order', before.seq, line.seq)
    if (line.atMs < before.atMs) report.unknown('time goes back', before.seq, line.seq)
    if (line.kind === 'begin') report.unknown('it begins a second time', line.seq)
  }
}

function operationsOf(lines: readonly HistoryLine[], report: Report): Map<string, Operation> {
  const operations = new Map<string, Operation>()
  const busy = new Map<string, string>()
  const retired = new Set<string>()
  for (const line of lines) {
    if (line.kind === 'invoke') {
      const { request, client, member } = line
      const known = operations.get(request)
      if (retired.has(client)) report.unknown(`${client} asks after it was retired`, line.seq)
      if ((busy.get(client) ?? request) !== request) {
        report.unknown(`${client} asks for two things at once`, line.seq)
      }
      busy.set(client, request)
      if (known === undefined) {
        const members = new Set([member])
        operations.set(request, { request, asked: line, members, attempts: 1, end: null })
      } else {
        if (known.end !== null) report.unknown(`${request} is asked again after its end`, line.seq)
        if (!isSameQuestion(known.asked, line)) {
          report.unknown(`${request} asks for something else again`, known.asked.seq, line.seq)
        }
        known.members.add(member)
        known.attempts += 1
      }
    } else if (line.kind === 'done' || line.kind === 'refused' || line.kind === 'unknown') {
      const known = operations.get(line.request)
      if (known === undefined) report.unknown(`${line.request} ends and was never asked`, line.seq)
      else if (known.end !== null) {
        report.unknown(`${line.request} ends twice`, known.end.seq, line.seq)
      } else {
        known.end = line
        busy.delete(known.asked.client)
        if (line.kind === 'unknown') retired.add(known.asked.client)
      }
    }
  }
  return operations
}

/** Whether a retry asks for what was asked for first. */
function isSameQuestion(first: InvokeLine, again: InvokeLine): boolean {
  const { client, op, id, blob, ifVersion } = again
  const isSameWrite = first.blob === blob && first.ifVersion === ifVersion
  return first.client === client && first.op === op && first.id === id && isSameWrite
}

function blobsOf(operations: ReadonlyMap<string, Operation>, report: Report) {
  const byBlob = new Map<string, Operation>()
  for (const operation of operations.values()) {
    const { blob, seq } = operation.asked
    if (blob === null) continue
    const known = byBlob.get(blob)
    if (known === undefined) byBlob.set(blob, operation)
    else report.unknown('two operations write one value', known.asked.seq, seq)
  }
  return byBlob
}

/** What the recorder says that it writes down is there. */
function checkRecords(begin: BeginLine, lines: readonly HistoryLine[], report: Report): void {
  const { holds, statuses, samples, sides = false } = begin.records
  const needed = { hold: holds, status: statuses, sample: samples, sides }
  for (const [kind, isNeeded] of Object.entries(needed)) {
    const isThere = lines.some(line => line.kind === kind)
    if (isNeeded && !isThere) report.unknown(`it should have \`${kind}\` lines and has none`)
    if (!isNeeded && isThere) report.unknown(`it has \`${kind}\` lines and says that it has none`)
  }
  const open = new Set<number>()
  for (const line of lines) {
    if (line.kind !== 'fault') continue
    if (line.phase === 'start') open.add(line.mark)
    else if (line.phase === 'stop' && !open.delete(line.mark)) {
      report.unknown(`${line.fault} stops and never started`, line.seq)
    }
  }
}
