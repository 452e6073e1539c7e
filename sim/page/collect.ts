/**
 * Collects what the page of a run shows, while it runs: it watches the world, and takes what clients
 * asked from the run's history. It changes nothing: a run with a page has the trace of one without.
 */
import type { HistoryLine } from '../checker/format.ts'
import type { RunResult } from '../run.ts'
import type { Watcher, World } from '../world.ts'
import type { Asked, Cut, FaultSpan, LaneChange, LaneState, Note, PageData } from './data.ts'
import { Messages } from './messages.ts'

const LOOK_MS = 50
const NOTES_MAX = 50_000

export class Collector {
  readonly #world: World
  readonly #messages: Messages
  readonly #lanes: LaneChange[] = []
  readonly #state = new Map<string, LaneState>()
  readonly #notes: Note[] = []
  readonly #cuts: Cut[] = []
  /** Directions that are cut now, and since when. */
  readonly #cutSince = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
    this.#messages = new Messages(world)
    this.#later()
  }

  /** What the world is to tell. */
  watcher(): Watcher {
    return {
      traced: (_, member, what) => this.#traced(member, what),
      status: (entry, _, to, sentence) => this.#becomes(entry.id, to, sentence),
      opened: ({ id, member }) =>
        this.#becomes(id, member?.agreement.status ?? 'opening', 'its store is open'),
      gone: ({ id }) => this.#becomes(id, 'down', 'its process is gone'),
    }
  }

  /** The page of the run that was watched. */
  data(result: RunResult, command: string): PageData {
    for (const key of [...this.#cutSince.keys()]) this.#opened(key)
    const { options, lines, violations, simulatedMs } = result
    const healedMs = options.seconds * 1000
    return {
      title: `seed ${options.seed}: ${options.members} members, quorum ${options.quorum ?? 'visible'}`,
      command,
      endMs: Math.ceil(simulatedMs),
      healedMs: Math.min(healedMs, Math.ceil(simulatedMs)),
      members: this.#world.members.map(({ id }) => id),
      facts: summary(result),
      lanes: this.#lanes,
      cuts: this.#cuts,
      faults: faultsOf(lines.list, simulatedMs, member => this.#place(member)),
      asked: askedOf(lines.list, member => this.#place(member)),
      notes: this.#notes,
      kinds: this.#messages.kinds,
      messages: this.#messages.kept,
      keptOneOf: this.#messages.keptOneOf,
      violations,
    }
  }

  #traced(member: string, what: string): void {
    if (/^start \d/.test(what)) this.#becomes(member, 'opening', what)
    const kind = what.startsWith('log ')
      ? 'log'
      : what.startsWith('mark ')
        ? 'mark'
        : /^(dis)?connected /.test(what)
          ? 'link'
          : null
    if (kind === null || this.#notes.length >= NOTES_MAX) return
    const sentence = kind === 'link' ? what : what.slice(what.indexOf(' ') + 1)
    const place = this.#place(member)
    this.#notes.push({ ...this.#now(), member: place < 0 ? null : place, kind, sentence })
  }

  #becomes(member: string, state: LaneState, sentence: string): void {
    this.#state.set(member, state)
    this.#lanes.push({ ...this.#now(), member: this.#place(member), state, sentence })
  }

  #later(): void {
    this.#world.timeline.after(LOOK_MS, () => {
      this.#look()
      this.#later()
    })
  }

  #look(): void {
    const { members, network } = this.#world
    for (const from of members) {
      this.#lookAtPause(from.id, from.life?.isStill === true)
      for (const to of members) {
        if (from === to) continue
        const key = `${from.id} ${to.id}`
        const isCut = network.isCut(from.id, to.id)
        if (isCut === this.#cutSince.has(key)) continue
        if (isCut) this.#cutSince.set(key, this.#world.nowMs)
        else this.#opened(key)
      }
    }
  }

  #lookAtPause(member: string, isStill: boolean): void {
    const last = this.#lanes.findLast(change => change.member === this.#place(member))
    if (isStill && last?.state !== 'still') {
      this.#lanes.push({
        ...this.#now(),
        member: this.#place(member),
        state: 'still',
        sentence: 'its process stands still',
      })
    } else if (!isStill && last?.state === 'still') {
      this.#becomes(member, this.#state.get(member) ?? 'down', 'its process goes on')
    }
  }

  #opened(key: string): void {
    const [from, to] = key.split(' ').map(member => this.#place(member)) as [number, number]
    const sinceMs = Math.round(this.#cutSince.get(key)!)
    this.#cutSince.delete(key)
    this.#cuts.push({ from, to, sinceMs, untilMs: Math.round(this.#world.nowMs) })
  }

  #place(member: string): number {
    return this.#world.members.findIndex(({ id }) => id === member)
  }

  #now(): { readonly atMs: number } {
    return { atMs: Math.round(this.#world.nowMs) }
  }
}

type PlaceOf = (member: string) => number

function faultsOf(lines: readonly HistoryLine[], endMs: number, placeOf: PlaceOf): FaultSpan[] {
  const spans: FaultSpan[] = []
  const open = new Map<number, number>()
  for (const line of lines) {
    if (line.kind !== 'fault') continue
    const atMs = Math.round(line.atMs)
    const started = line.phase === 'stop' ? open.get(line.mark) : undefined
    if (started !== undefined) {
      spans[started] = { ...spans[started]!, untilMs: atMs }
      continue
    }
    if (line.phase === 'start') open.set(line.mark, spans.length)
    const untilMs = line.phase === 'start' ? Math.ceil(endMs) : atMs
    const members = line.scope.map(placeOf).filter(place => place >= 0)
    spans.push({ sinceMs: atMs, untilMs, members, sentence: line.fault })
  }
  return spans
}

function askedOf(lines: readonly HistoryLine[], placeOf: PlaceOf): Asked[] {
  const asked = new Map<string, Asked>()
  for (const line of lines) {
    if (line.kind === 'invoke') {
      const { op, id, client, member, size } = line
      const isWrite = op !== 'get' && op !== 'head' && op !== 'list'
      const atMs = Math.round(line.atMs)
      const bytes = size > 0 ? ` (${size} bytes)` : ''
      const sentence = `${client}: ${op} ${id}${bytes}`
      const place = placeOf(member)
      const question = {
        atMs,
        tookMs: 0,
        member: place,
        isWrite,
        outcome: 'open',
        sentence,
      } as const
      asked.set(line.request, question)
    } else if (line.kind === 'done' || line.kind === 'refused' || line.kind === 'unknown') {
      const question = asked.get(line.request)
      if (question === undefined) continue
      const tookMs = Math.round(line.atMs - question.atMs)
      const sentence = `${question.sentence} → ${answerOf(line)}`
      asked.set(line.request, { ...question, tookMs, outcome: line.kind, sentence })
    }
  }
  return [...asked.values()]
}

function answerOf(line: Extract<HistoryLine, { kind: 'done' | 'refused' | 'unknown' }>): string {
  if (line.kind === 'unknown') return 'unknown: its member went away'
  if (line.kind === 'refused') return line.code
  const held = line.heldBy.length === 0 ? '' : `, on ${line.heldBy.join(' ')}`
  return `${line.level ?? 'done'} ${line.version?.slice(0, 8) ?? ''}${held}`
}

function summary({ outcomes, faults, monitor, network, traceHash }: RunResult) {
  const { elections, promotions, demotions } = monitor.counts
  const struck = [...faults].map(([kind, count]) => `${count} ${kind}`).join(', ')
  const { done, refused, unknown } = outcomes
  return [
    ['clients', `${done} done, ${refused} refused, ${unknown} unknown`],
    ['faults', struck === '' ? 'none' : struck],
    ['statuses', `${elections} elections, ${promotions} promotions, ${demotions} demotions`],
    ['network', `${network.frames} frames, ${network.gossip} gossip heard, ${network.links} links`],
    ['trace', traceHash],
  ] as const
}
