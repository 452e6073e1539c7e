/**
 * Reads a history: JSON lines into the types of format.ts, each held against its shape first, so
 * that a check never stumbles over what is not there. A line that does not fit is told and left
 * out; the verdict is then no pass.
 */
import type { HistoryLine } from './format.ts'

/** Lines in the order of the file, and what could not be read. */
export interface ReadHistory {
  readonly lines: readonly HistoryLine[]
  readonly problems: readonly string[]
}

type Test = (value: unknown) => boolean
type Shape = Readonly<Record<string, Test>>

const text: Test = value => typeof value === 'string'
const flag: Test = value => typeof value === 'boolean'
const number: Test = value => typeof value === 'number' && Number.isFinite(value)
const hash: Test = value => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const stamp: Test = value => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)
const json: Test = value => value !== undefined
const or =
  (...tests: readonly Test[]): Test =>
  value =>
    tests.some(test => test(value))
const nothing: Test = value => value === null
const absent: Test = value => value === undefined
const one =
  (...words: readonly unknown[]): Test =>
  value =>
    words.includes(value)
const list =
  (test: Test): Test =>
  value =>
    Array.isArray(value) && value.every(test)
const record =
  (shape: Shape): Test =>
  value =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(shape).every(([key, test]) => test((value as Record<string, unknown>)[key]))

const status = one('empty', 'counter-sync', 'source-sync', 'source', 'removed', 'down')
const properties: Shape = {
  type: text,
  tags: list(text),
  description: text,
  meta: json,
  dependsOn: list(text),
}
const shown = record({ id: text, version: hash, blob: or(hash, nothing) })
const fact = record({
  ...properties,
  id: text,
  version: hash,
  parents: list(hash),
  dataHash: hash,
  blob: or(hash, nothing),
  size: number,
  at: stamp,
  by: text,
  base: or(nothing, list(record({ id: text, heads: list(hash) }))),
  added: or(stamp, nothing),
  payload: or(
    nothing,
    record({ kind: one('hash'), hash, size: number }),
    record({ kind: one('raw'), base64: text }),
  ),
})

const shapes: Readonly<Record<HistoryLine['kind'], Shape>> = {
  begin: {
    format: one(1),
    run: text,
    members: list(text),
    quorum: one('visible', 'roster'),
    records: record({ holds: flag, statuses: flag, samples: flag, sides: or(flag, absent) }),
    mayDestroyAll: flag,
    bounds: record({
      sourceMs: number,
      debtMs: number,
      writeMs: number,
      rosterLagMs: number,
      persistMs: number,
      sidesMs: or(number, absent),
    }),
  },
  invoke: {
    request: text,
    client: text,
    member: text,
    op: one('put', 'upload', 'delete', 'get', 'head', 'list', 'resolve'),
    id: text,
    blob: or(hash, nothing),
    size: number,
    ifVersion: or(hash, nothing, absent),
    properties: or(record(properties), absent),
  },
  done: {
    request: text,
    version: or(hash, nothing),
    blob: or(hash, nothing),
    level: one('pending', 'agreed', 'majority', null),
    heldBy: list(text),
    reads: or(list(shown), absent),
  },
  refused: { request: text, code: text, head: or(hash, nothing, absent) },
  unknown: { request: text },
  fault: {
    fault: text,
    scope: list(text),
    phase: one('start', 'stop', 'once'),
    mark: number,
    destroyed: list(text),
  },
  roster: { members: list(text) },
  status: {
    member: text,
    status,
    round: or(nothing, record({ members: list(text), since: number })),
  },
  hold: {
    member: text,
    id: text,
    version: hash,
    state: one('agreed', 'pending', 'fresh'),
    payload: flag,
  },
  sides: { sides: list(list(text)) },
  sample: { member: text, what: text, value: number, limit: number },
  dump: {
    member: text,
    moment: one('crash', 'pause', 'settled'),
    status,
    roster: or(list(text), nothing),
    cut: or(number, nothing),
    hash: or(hash, nothing),
    facts: or(list(fact), nothing),
    items: or(list(shown), nothing),
    damaged: or(list(text), absent),
  },
}

/** Reads the lines of a history; empty ones are passed over. */
export function readHistory(lines: Iterable<string>): ReadHistory {
  const read: HistoryLine[] = []
  const problems: string[] = []
  let at = 0
  for (const line of lines) {
    at += 1
    if (line.trim() === '') continue
    const value = parse(line)
    const wrong = value === undefined ? 'no JSON' : wrongOf(value)
    if (wrong === null) read.push(value as HistoryLine)
    else problems.push(`line ${at} cannot be read: ${wrong}`)
  }
  return { lines: read, problems }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function wrongOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'no object'
  const fields = value as Record<string, unknown>
  const kind = fields.kind
  if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) return `no kind of line: ${kind}`
  const shape = { seq: number, atMs: number, ...shapes[kind as HistoryLine['kind']] }
  const wrong = Object.entries(shape).find(([key, test]) => !test(fields[key]))
  return wrong === undefined ? null : `${kind} with a wrong ${wrong[0]}`
}
