/**
 * Check 7: one item at one member goes in order. Writes that one member acknowledged on one id
 * stand on each other, never beside each other. And where only one member ever wrote or read an
 * item, everything it answered must fit one order of events: the versions are that order, so each
 * answer has its places in it, and the smallest place that time allows is tried (which finds an
 * order if there is one). That a write stands on what was told before it is in reads.ts.
 */
import { rootIdOf } from './family.ts'
import type { DumpFact, RefusedLine } from './format.ts'
import type { Report } from './report.ts'
import { rottenBegin } from './rot.ts'
import { isWrite, type Operation, type Run } from './run.ts'

/** Runs the check. */
export function checkOrder(run: Run, report: Report): void {
  checkSiblings(run, report)
  const byId = new Map<string, Operation[]>()
  for (const operation of run.operations.values()) {
    const { op, id } = operation.asked
    if (op === 'list') continue
    const root = rootIdOf(id)
    const known = byId.get(root)
    if (known === undefined) byId.set(root, [operation])
    else known.push(operation)
  }
  const destroyed = new Set(
    run.lines.flatMap(line => (line.kind === 'fault' ? line.destroyed : [])),
  )
  const facts = factsById(run)
  for (const [id, operations] of byId) {
    const members = new Set(operations.flatMap(({ members }) => [...members]))
    const [member] = members
    if (members.size !== 1 || destroyed.has(member!)) continue
    if (operations.some(({ asked, attempts }) => asked.id !== id || attempts > 1)) continue
    report.look('items of one member')
    checkLine(run, { id, operations, facts: facts.get(id) ?? [] }, report)
  }
}

/** Acknowledged writes of one member on one id descend from each other. */
function checkSiblings(run: Run, report: Report): void {
  const lines = new Map<string, { operation: Operation; version: string }[]>()
  for (const operation of run.operations.values()) {
    const { asked, end, attempts } = operation
    if (!isWrite(operation) || end?.kind !== 'done' || end.version === null) continue
    if (attempts > 1 || rootIdOf(asked.id) !== asked.id) continue
    if (run.graph.get(asked.id, end.version) === undefined) continue
    const key = `${asked.member} ${asked.id}`
    const known = lines.get(key) ?? []
    lines.set(key, known)
    known.push({ operation, version: end.version })
  }
  for (const writes of lines.values()) {
    const { id, member } = writes[0]!.operation.asked
    writes.sort((a, b) => run.graph.depth(id, a.version) - run.graph.depth(id, b.version))
    for (const [at, { operation, version }] of writes.entries()) {
      const before = writes[at - 1]
      if (before === undefined) continue
      report.look('pairs of writes')
      if (run.graph.descends(id, version, before.version)) continue
      if (isDestroyedBetween(run, member, before.operation, operation)) continue
      if (isWithoutBase(run, { member, id, version: before.version, operation })) continue
      const pair = `${before.operation.request} and ${operation.request} on ${id}`
      const seqs = [before.operation.end!.seq, operation.end!.seq]
      report.fail(`${pair}, both at ${member}, do not stand on each other`, ...seqs)
    }
  }
}

function isDestroyedBetween(run: Run, member: string, a: Operation, b: Operation): boolean {
  const from = Math.min(a.asked.seq, b.asked.seq)
  const to = Math.max(a.end!.seq, b.end!.seq)
  return run.lines.some(
    line =>
      line.kind === 'fault' && line.destroyed.includes(member) && line.seq > from && line.seq < to,
  )
}

/** A member whose version rotted goes on from what is left when nobody brought it for so long. */
const GOES_ON_MS = 20_000

/** Whether what a write stands on rotted at its member long before another write there. */
function isWithoutBase(
  run: Run,
  {
    member,
    id,
    version,
    operation,
  }: {
    readonly member: string
    readonly id: string
    /** Of the earlier write. */
    readonly version: string
    /** The later one. */
    readonly operation: Operation
  },
): boolean {
  return run.lines.some(line => {
    if (line.kind !== 'fault' || !line.scope.includes(member)) return false
    const begin = rottenBegin(line)
    if (begin === undefined || operation.asked.atMs - line.atMs <= GOES_ON_MS) return false
    return [...run.graph.facts.values()].some(
      ({ fact }) =>
        fact.id === id &&
        fact.version.startsWith(begin) &&
        (fact.version === version || run.graph.descends(id, version, fact.version)),
    )
  })
}

function factsById(run: Run): Map<string, DumpFact[]> {
  const byId = new Map<string, DumpFact[]>()
  for (const { fact } of run.graph.facts.values()) {
    const known = byId.get(fact.id)
    if (known === undefined) byId.set(fact.id, [fact])
    else known.push(fact)
  }
  return byId
}

interface Line {
  readonly id: string
  readonly operations: readonly Operation[]
  readonly facts: readonly DumpFact[]
}

/** The item after so many writes; state 0 is before the first. */
interface State {
  readonly version: string | null
  readonly isLive: boolean
  /** Since when it may be so: its write had been asked for. */
  readonly askedSeq: number
}

function checkLine(run: Run, { id, operations, facts }: Line, report: Report): void {
  const states = statesOf(run, id, operations, facts)
  const placeOf = new Map(states.map(({ version }, at) => [version, at]))
  const events = operations.flatMap(operation => {
    const ended = operation.end === null ? [] : [{ seq: operation.end.seq, operation, isEnd: true }]
    return [{ seq: operation.asked.seq, operation, isEnd: false }, ...ended]
  })
  events.sort((a, b) => a.seq - b.seq)
  const lowest = new Map<Operation, number>()
  let low = 0
  for (const { operation, isEnd } of events) {
    if (!isEnd) {
      lowest.set(operation, low)
      continue
    }
    report.look('answers placed')
    const from = lowest.get(operation)!
    const place = placeFor(operation, states, placeOf, from)
    if (place === 'anywhere') continue
    if (place === null) {
      const { asked, end, request } = operation
      report.fail(`${request} (${asked.op} of ${id}) fits no order of events`, asked.seq, end!.seq)
    } else if (operation.end!.kind === 'done') low = Math.max(low, place)
    // A refusal may speak of what is not durable, and so not shown, yet.
  }
}

function statesOf(
  run: Run,
  id: string,
  operations: readonly Operation[],
  facts: readonly DumpFact[],
): State[] {
  const done = new Map(
    operations.flatMap(({ asked, end }) =>
      end?.kind === 'done' && asked.op !== 'get' && asked.op !== 'head'
        ? [[end.version, asked.seq] as const]
        : [],
    ),
  )
  const inOrder = [...facts].sort(
    (a, b) => run.graph.depth(id, a.version) - run.graph.depth(id, b.version),
  )
  const states: State[] = [{ version: null, isLive: false, askedSeq: 0 }]
  for (const { version, blob } of inOrder) {
    const writer = blob === null ? undefined : run.byBlob.get(blob)
    const askedSeq = done.get(version) ?? writer?.asked.seq ?? 0
    states.push({ version, isLive: blob !== null, askedSeq })
  }
  return states
}

/** The smallest place where an answer fits; null: there is none. */
function placeFor(
  operation: Operation,
  states: readonly State[],
  placeOf: ReadonlyMap<string | null, number>,
  from: number,
): number | 'anywhere' | null {
  const { end } = operation
  const until = end!.seq
  const fits = (at: number) => at >= from && states[at]!.askedSeq < until
  if (end?.kind === 'done') {
    const at = placeOf.get(end.version)
    if (at === undefined) return 'anywhere' // lost or never dumped: other checks tell
    if (isWrite(operation)) return at > from ? at : null
    return fits(at) ? at : null
  }
  if (end?.kind !== 'refused') return 'anywhere'
  const isPossible = refusalTest(operation, end)
  if (isPossible === null) return 'anywhere'
  for (let at = from; at < states.length; at++) if (fits(at) && isPossible(states[at]!)) return at
  return null
}

/** Which states explain a refusal; null where other things do. */
function refusalTest(
  { asked }: Operation,
  { code, head }: RefusedLine,
): ((state: State) => boolean) | null {
  if (code === 'NOT_FOUND') return ({ isLive }) => !isLive
  if (code !== 'VERSION_MISMATCH') return null
  const shown = ({ version, isLive }: State) => (isLive ? version : null)
  if (head === undefined) return state => shown(state) !== asked.ifVersion
  return state => shown(state) === head && head !== asked.ifVersion
}
