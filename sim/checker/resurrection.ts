/**
 * Check 8: nothing deleted comes back. Once the dumps of all members show an item ended, what all of
 * them held of it then, and was acknowledged before the first of these dumps, is over: no later dump
 * and no later read may show it. What one of them had not heard of may come to it before its end
 * does; what is unknown, or was still under way, may come at any time; a member whose store a
 * fault set back may not know of the end until a dump of it shows that it does again. Where versions
 * rotted, what is left may look ended: it says so again when all that it had is there. In the end all
 * must: the settled dumps are equal, and the end stands on what was ended.
 */
import { type Family, rootIdOf } from './family.ts'
import type { DoneLine, DumpLine, ShownItem } from './format.ts'
import { type Report, short } from './report.ts'
import type { Run } from './run.ts'
import { keyOf } from './split.ts'

/** A dump that showed an item ended. */
interface Ended {
  readonly seq: number
  /** The payloads of its versions that the member held. */
  readonly blobs: ReadonlySet<string>
}

interface State {
  readonly run: Run
  readonly report: Report
  readonly members: readonly string[]
  /** By root id: the dump in which each member last showed it ended. */
  readonly ended: Map<string, Map<string, Ended>>
  /** By root id and payload: all members had ended it since this line. */
  readonly over: Map<string, Map<string, number>>
  /** By member and root id: the versions that stood on all that they need when it was last whole. */
  readonly whole: Map<string, Map<string, ReadonlySet<string>>>
  /** Members that a fault set back, with the root ids whose end they may not know again yet. */
  readonly setBack: Map<string, Set<string>>
  /** Who is in the roster: others may not have heard of what came since, and what they show ended began anew. */
  roster: ReadonlySet<string>
}

/** Runs the check. */
export function checkResurrection(run: Run, report: Report): void {
  const members = [...new Set(run.rosters.flatMap(roster => roster.members))]
  const state: State = {
    run,
    report,
    members,
    ended: new Map(),
    over: new Map(),
    whole: new Map(members.map(member => [member, new Map()])),
    setBack: new Map(),
    roster: new Set(run.begin.members),
  }
  for (const line of run.lines) {
    if (line.kind === 'roster') {
      state.roster = new Set(line.members)
      for (const ended of state.ended.values()) {
        for (const member of ended.keys()) if (!state.roster.has(member)) ended.delete(member)
      }
    } else if (line.kind === 'dump') {
      const families = run.dumps.get(line)!.families()
      for (const [root, family] of families ?? []) checkFamily(state, line, root, family)
    } else if (line.kind === 'done') checkRead(state, line)
    else if (line.kind === 'fault') {
      for (const member of line.destroyed) {
        for (const ended of state.ended.values()) ended.delete(member)
        if (line.fault !== 'rot') state.whole.get(member)?.clear() // it begins anew from what it has
        state.setBack.set(member, new Set(state.over.keys()))
      }
    }
  }
  report.look('items ended everywhere', state.over.size)
}

function checkFamily(state: State, line: DumpLine, root: string, family: Family): void {
  const live = liveOf(family)
  const ended = state.ended.get(root) ?? new Map<string, Ended>()
  state.ended.set(root, ended)
  for (const item of live) mayShow(state, item, line, 'has')
  const all = isWhole(state, line, root, family)
  const hasEnded = live.length === 0 && family.rooted.size > 0 && all
  if (hasEnded) state.setBack.get(line.member)?.delete(root)
  if (!hasEnded || !state.roster.has(line.member)) {
    ended.delete(line.member)
    return
  }
  ended.set(line.member, { seq: line.seq, blobs: blobsOf(line, root, family) })
  if (!state.members.every(member => ended.has(member))) return
  const seen = [...ended.values()]
  const since = Math.min(...seen.map(({ seq }) => seq))
  const over = state.over.get(root) ?? new Map<string, number>()
  state.over.set(root, over)
  for (const blob of seen[0]!.blobs) {
    if (seen.every(({ blobs }) => blobs.has(blob))) over.set(blob, since)
  }
}

function blobsOf({ facts }: DumpLine, root: string, { rooted }: Family): ReadonlySet<string> {
  const blobs = new Set<string>()
  for (const { id, version, blob } of facts ?? []) {
    if (blob !== null && rootIdOf(id) === root && rooted.has(keyOf(id, version))) blobs.add(blob)
  }
  return blobs
}

/** Whether all that stood there before stands there now, or more. */
function isWhole(state: State, { member }: DumpLine, root: string, { rooted }: Family): boolean {
  const known = state.whole.get(member) ?? new Map<string, ReadonlySet<string>>()
  state.whole.set(member, known)
  for (const key of known.get(root) ?? []) if (!rooted.has(key)) return false
  known.set(root, rooted)
  return true
}

function liveOf({ places }: Family): ShownItem[] {
  const live: ShownItem[] = []
  for (const [id, place] of places) {
    if (place.kind !== 'item' || place.shown.blob === null) continue
    live.push({ id, version: place.shown.version, blob: place.shown.blob })
  }
  return live
}

/** What a read shows, if it was asked after the end was seen everywhere. */
function checkRead(state: State, line: DoneLine): void {
  const operation = state.run.operations.get(line.request)
  if (operation === undefined) return
  const { asked } = operation
  const isGet = asked.op === 'get' && line.version !== null
  const own = isGet ? [{ id: asked.id, version: line.version, blob: line.blob }] : []
  for (const item of [...own, ...(line.reads ?? [])]) {
    mayShow(state, item, { member: asked.member, seq: line.seq }, 'showed')
  }
}

function mayShow(
  { run, report, over, setBack }: State,
  { id, blob }: Pick<ShownItem, 'id' | 'blob'>,
  { member, seq }: { readonly member: string; readonly seq: number },
  how: string,
): void {
  if (setBack.get(member)?.has(rootIdOf(id)) === true || blob === null) return
  const overSince = over.get(rootIdOf(id))?.get(blob)
  if (overSince === undefined) return
  const writer = run.byBlob.get(blob)
  if (writer?.end?.kind !== 'done' || writer.end.seq >= overSince) return
  const what = `${short(blob)} of ${id}, which had ended everywhere`
  report.fail(`${member} ${how} again ${what}`, writer.end.seq, overSince, seq)
}
