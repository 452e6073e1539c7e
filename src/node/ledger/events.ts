/**
 * The event log behind `watch`: what a batch did to items, in order, in words of the socket. The
 * events of one batch are one record of the store, written with the facts they tell of, so that
 * each is given once per cursor, also across a restart. A cursor is `record.index`.
 */
import { type ItemSummary, isDelete, isSystemId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { stampMs } from '../../base/stamp.ts'
import { rootOf } from '../../consensus/items/id.ts'
import { collisionsOf } from '../../consensus/items/view.ts'
import type { EventBody } from '../../control/protocol-network.ts'
import type { EventEntry, Store, Write } from '../../storage/store.ts'
import type { Batch } from './batch.ts'
import { decodeEvents, encodeEvents } from './event-record.ts'
import type { Ledger } from './ledger.ts'
import type { ChangedFact, ItemWork } from './work.ts'

/** An event with its place in the log. */
export interface LedgerEvent {
  readonly cursor: string
  readonly body: EventBody
}

/** Gives sequences to records of events and keeps the log bounded. */
export class EventLog {
  #last: number
  #first: number

  constructor(store: Store) {
    const range = store.eventRange()
    this.#first = range.first
    this.#last = range.last
  }

  get last(): number {
    return this.#last
  }

  /** The write that appends events as one record, and the events with their cursors. */
  append(bodies: readonly EventBody[]): {
    readonly writes: Write[]
    readonly events: LedgerEvent[]
  } {
    if (bodies.length === 0) return { writes: [], events: [] }
    this.#last += 1
    const sequence = this.#last
    const writes: Write[] = [{ kind: 'event', sequence, body: encodeEvents(bodies) }]
    if (this.#first === 0) this.#first = sequence
    if (sequence - this.#first > limits.eventRecordsMax * 1.1) {
      this.#first = sequence - limits.eventRecordsMax
      writes.push({ kind: 'trimEvents', before: this.#first })
    }
    return { writes, events: bodies.map((body, at) => ({ cursor: `${sequence}.${at + 1}`, body })) }
  }
}

/** The events of a record. */
export function readEvents(entry: EventEntry): LedgerEvent[] {
  const bodies = decodeEvents(entry.body)
  return bodies.map((body, at) => ({ cursor: `${entry.sequence}.${at + 1}`, body }))
}

/** What a batch did, in the order of its items; appended to the batch's writes. */
export async function itemEvents(
  ledger: Ledger,
  batch: Batch,
  works: readonly ItemWork[],
): Promise<LedgerEvent[]> {
  const bodies: EventBody[] = []
  for (const work of works) {
    if (isSystemId(work.id)) continue
    for (const change of work.changed.values()) bodies.push(...factEvents(change))
    const changed = branchEvent(work.before, work.summary)
    if (changed?.kind === 'collision') bodies.push(await namedBranches(ledger, batch, changed))
    else if (changed !== undefined) bodies.push(changed)
  }
  const { writes, events } = ledger.events.append(bodies)
  batch.writes.push(...writes)
  return events
}

function factEvents(change: ChangedFact): EventBody[] {
  const { fact, state } = change.held
  const { id, version } = fact
  const bodies: EventBody[] = []
  if (change.isNew) {
    const kind = isDelete(fact) ? 'deleted' : 'added'
    bodies.push({ kind, id, version, at: stampMs(fact.at), by: fact.by, size: fact.size })
  }
  if (state.kind === 'agreed' && change.was?.kind !== 'agreed')
    bodies.push({ kind: 'agreed', id, version })
  return bodies
}

type CollisionEvent = Extract<EventBody, { readonly kind: 'collision' }>

function branchEvent(
  before: ItemSummary | undefined,
  after: ItemSummary | undefined,
): EventBody | undefined {
  if (after === undefined) return undefined
  const { id } = after
  const was = liveBranches(before)
  const is = liveBranches(after)
  if (is.length > 1 && is.length > was.length) {
    const branches = is.map(({ version, at, by }) => ({
      id,
      version,
      at: stampMs(at),
      by,
      size: 0,
    }))
    return { kind: 'collision', id, versions: is.map(head => head.version), branches }
  }
  const head = is[0] ?? after.heads[0]
  if (was.length > 1 && is.length <= 1 && head !== undefined)
    return { kind: 'resolved', id, version: head.version }
  return undefined
}

/** The items that the branches have become, which only the whole family can tell. */
async function namedBranches(
  ledger: Ledger,
  batch: Batch,
  event: CollisionEvent,
): Promise<CollisionEvent> {
  const root = rootOf(event.id)
  const facts = (await batch.family(root)).map(held => held.fact)
  const collisions = collisionsOf(ledger.viewOf(root, facts))
  const found = collisions.find(({ id }) => id === event.id)
  if (found === undefined) return event // by its policy the id stays one item
  return {
    ...event,
    branches: found.branches.map(({ id, version, fact: { at, by, size } }) => ({
      id,
      version,
      at: stampMs(at),
      by,
      size,
    })),
  }
}

function liveBranches(summary: ItemSummary | undefined): ItemSummary['heads'][number][] {
  const byData = new Map<string, ItemSummary['heads'][number]>()
  for (const head of summary?.heads ?? []) {
    if (!head.deleted && !byData.has(head.dataHash)) byData.set(head.dataHash, head)
  }
  return [...byData.values()]
}
