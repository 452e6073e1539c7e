/**
 * Check 2: nothing is invented. Every fact in every dump was asked for by a client, at that id, of
 * the member that it names, before it was seen; what was refused is nowhere, what is unknown is
 * everywhere or nowhere in the end; one asking makes one version; and every byte read was written.
 */
import { cborOf } from './cbor.ts'
import { rootIdOf } from './family.ts'
import type { DumpFact, Properties } from './format.ts'
import type { SeenFact } from './graph.ts'
import { type Report, short } from './report.ts'
import { isWrite, type Operation, type Run } from './run.ts'

/** Operations that can have made facts which carry no value of their own. */
interface Makers {
  readonly deletes: ReadonlyMap<string, readonly Operation[]>
  readonly resolves: ReadonlyMap<string, readonly Operation[]>
}

/** Runs the check. */
export function checkInvented(run: Run, report: Report): void {
  const makers: Makers = { deletes: byId(run, 'delete'), resolves: byId(run, 'resolve') }
  /** Facts by value. */
  const made = new Map<string, string[]>()
  for (const [key, seen] of run.graph.facts) {
    report.look('facts')
    checkOrigin(run, makers, seen, report)
    const { blob } = seen.fact
    if (blob === null) continue
    const known = made.get(blob)
    if (known === undefined) made.set(blob, [key])
    else known.push(key)
  }
  for (const [blob, { length: count }] of made) {
    const operation = run.byBlob.get(blob)
    if (operation === undefined) continue
    const keeps = makers.resolves.get(rootIdOf(operation.asked.id)) ?? []
    const allowed = operation.attempts + keeps.filter(({ asked }) => asked.blob === null).length
    if (count <= allowed) continue
    report.fail(`${operation.request} made ${count} versions`, operation.asked.seq)
  }
  for (const operation of run.operations.values()) {
    checkAnswer(run, operation, report)
    if (operation.end?.kind !== 'unknown') continue
    checkUnknown(run, made.get(operation.asked.blob ?? '') ?? [], operation, report)
  }
}

/** Operations by root id. */
function byId(run: Run, op: 'delete' | 'resolve'): Map<string, Operation[]> {
  const found = new Map<string, Operation[]>()
  for (const operation of run.operations.values()) {
    if (operation.asked.op !== op) continue
    const root = rootIdOf(operation.asked.id)
    const known = found.get(root)
    if (known === undefined) found.set(root, [operation])
    else known.push(operation)
  }
  return found
}

function checkOrigin(run: Run, makers: Makers, seen: SeenFact, report: Report): void {
  const { fact, seq } = seen
  const name = `${short(fact.version)} of ${fact.id}, by ${fact.by},`
  const candidates = candidatesOf(run, makers, fact)
  if (candidates.length === 0) {
    report.fail(`${name} was never asked for`, seq)
    return
  }
  const wrongs = candidates.map(operation => wrongOf(operation, seen))
  if (wrongs.includes(null)) return
  report.fail(`${name} ${wrongs[0]}`, candidates[0]!.asked.seq, seq)
}

/** Operations that may have made a fact, as far as id and value tell. */
function candidatesOf(run: Run, makers: Makers, fact: DumpFact): Operation[] {
  const resolves = makers.resolves.get(rootIdOf(fact.id)) ?? []
  if (fact.blob === null) {
    const deletes = makers.deletes.get(rootIdOf(fact.id)) ?? []
    const above = resolves.filter(({ asked }) => isBelow(fact.id, asked.id))
    return [...deletes.filter(({ asked }) => asked.id === fact.id), ...above]
  }
  const writer = run.byBlob.get(fact.blob)
  if (writer === undefined) return []
  const keeps = resolves.filter(({ asked }) => asked.blob === null && asked.id === fact.id)
  return [writer, ...keeps]
}

function isBelow(id: string, above: string): boolean {
  return id.length > above.length && id.startsWith(above) && rootIdOf(id) === rootIdOf(above)
}

/** Why an operation did not make a fact, or null when it may have. */
function wrongOf(operation: Operation, { fact, seq }: SeenFact): string | null {
  const { asked, end, members, attempts, request } = operation
  const isAside = asked.op === 'resolve' && asked.id !== fact.id
  if (asked.id !== fact.id && !isAside) return `holds what ${request} wrote to ${asked.id}`
  if (!members.has(fact.by)) return `is from ${request}, which ${fact.by} was never asked`
  if (asked.seq > seq) return `was there before ${request} asked for it`
  if (end?.kind === 'refused') return `is there, and ${request} was refused`
  if (end?.kind === 'done' && !isAside && attempts === 1 && end.version !== fact.version) {
    return `is there, and ${request} was told ${short(end.version)}`
  }
  if (asked.blob === null || isAside) return null
  if (fact.size !== asked.size) return `has ${fact.size} bytes, and ${request} wrote ${asked.size}`
  if (asked.properties !== undefined && !isSame(asked.properties, fact)) {
    return `has other properties than ${request} wrote`
  }
  return null
}

function isSame(a: Properties, b: Properties): boolean {
  return bytesOf(a).equals(bytesOf(b))
}

function bytesOf({ type, tags, description, meta, dependsOn }: Properties): Buffer {
  return cborOf([type, tags, description, meta, dependsOn])
}

/** What clients were told is what was written. */
function checkAnswer(run: Run, operation: Operation, report: Report): void {
  const { asked, end, request } = operation
  if (end?.kind !== 'done') return
  if (isWrite(operation)) {
    const fact = end.version === null ? undefined : run.graph.get(asked.id, end.version)
    if (end.version === null) report.fail(`${request} was done and has no version`, end.seq)
    if (fact === undefined || asked.op === 'resolve') return
    if (fact.blob === asked.blob) return
    report.fail(`${request} was told a version that holds something else`, asked.seq, end.seq)
    return
  }
  const shown = end.reads ?? []
  const own = end.version === null ? [] : [{ id: asked.id, version: end.version, blob: end.blob }]
  for (const { id, version, blob } of [...shown, ...own]) {
    report.look('values read')
    const writer = blob === null ? undefined : run.byBlob.get(blob)
    const held = run.graph.get(id, version)
    const read = `${request} read ${short(blob)} of ${id}, which`
    if (blob === null && asked.op === 'list') continue
    if (writer === undefined || rootIdOf(writer.asked.id) !== rootIdOf(id)) {
      report.fail(`${read} nobody wrote there`, end.seq)
    } else if (writer.asked.seq > end.seq) {
      report.fail(`${read} was not written yet`, end.seq, writer.asked.seq)
    } else if (writer.end?.kind === 'refused') {
      report.fail(`${read} was refused`, writer.asked.seq, end.seq)
    } else if (held !== undefined && held.blob !== blob) {
      report.fail(`${read} is not what its version ${short(version)} holds`, end.seq)
    }
  }
}

/** Each version that an unknown write made is on all members in the end, or on none. */
function checkUnknown(
  run: Run,
  keys: readonly string[],
  { asked, request, end }: Operation,
  report: Report,
): void {
  if (asked.blob === null) return
  report.look('unknown writes')
  const dumps = run.settled.filter(({ facts }) => facts !== null)
  for (const key of keys) {
    const having = dumps.filter(({ facts }) => facts!.has(key))
    if (having.length === 0 || having.length === dumps.length) continue
    const names = having.map(({ line }) => line.member).join(', ')
    report.fail(`${request} is unknown, and in the end on ${names} alone`, asked.seq, end!.seq)
  }
}
