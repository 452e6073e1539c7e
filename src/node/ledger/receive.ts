/**
 * Taking facts in that came from other members: checked one by one, stored once, agreed before
 * pending, the smallest `added` kept, one stamp for one version (PROTOCOL 1, 2, 4).
 */
import type { Bytes } from '../../base/bytes.ts'
import type { Fact, FactState, HeldFact, ItemId } from '../../base/fact.ts'
import { hashBytes } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { stampMin, stampMs } from '../../base/stamp.ts'
import { checkFact } from '../../consensus/items/check.ts'
import { rootOf } from '../../consensus/items/id.ts'
import type { Batch } from './batch.ts'
import type { Received, ReceiveOptions, Reception, StampRule } from './changes.ts'
import type { Ledger } from './ledger.ts'
import type { ItemWork } from './work.ts'

/** Takes facts in, in order. */
export async function receiveAll(
  ledger: Ledger,
  batch: Batch,
  facts: readonly Received[],
  options: ReceiveOptions,
): Promise<Reception[]> {
  const receptions: Reception[] = []
  const families = new Set<ItemId>()
  for (const received of facts) {
    const { reception, isChanged } = await receiveOne(ledger, batch, received, options.stampRule)
    receptions.push(reception)
    const root = rootOf(received.fact.id)
    const isAsked = received.fact.base !== null || ledger.waitingFamilies.has(root)
    if (isChanged && isAsked) families.add(root)
  }
  for (const root of families) await noteFamily(ledger, batch, root)
  return receptions
}

/**
 * What the facts of a split item wait for. Only the whole family tells: a base may name heads that
 * are derived from others, which nobody holds and nobody can be asked for, and which head of a
 * deeper split is a fact shows only when those above it are here.
 */
async function noteFamily(ledger: Ledger, batch: Batch, root: ItemId): Promise<void> {
  const facts = (await batch.family(root)).map(held => held.fact)
  const { missing } = ledger.families.family(root, facts)
  for (const ref of missing) batch.missing.push(ref)
  if (missing.length > 0) ledger.waitingFamilies.add(root)
  else ledger.waitingFamilies.delete(root)
}

async function receiveOne(
  ledger: Ledger,
  batch: Batch,
  received: Received,
  rule: StampRule,
): Promise<{ readonly reception: Reception; readonly isChanged: boolean }> {
  const { fact, payload, added } = received
  const refusal = ledger.host.planted.has('skip-version-check')
    ? undefined
    : whyRefused(fact, payload)
  if (refusal !== undefined) return unchanged({ kind: 'refused', sentence: refusal })
  if (added !== null && stampMs(added) > ledger.host.nowMs() + limits.clockAheadMs) {
    return unchanged({ kind: 'later' })
  }
  const work = await batch.work(fact.id)
  const known = await work.same(fact)
  if (known === undefined) {
    await store(ledger, batch, work, received)
    return { reception: { kind: 'stored' }, isChanged: true }
  }
  await batch.takePayload(fact, payload)
  const merged = merge(known, received, rule)
  if (merged === undefined) return unchanged({ kind: 'known' })
  account(ledger, batch, known.state, merged)
  await work.restate([merged])
  return { reception: { kind: 'changed' }, isChanged: merged.fact.base !== known.fact.base }
}

function unchanged(reception: Reception): {
  readonly reception: Reception
  readonly isChanged: false
} {
  return { reception, isChanged: false }
}

function whyRefused(fact: Fact, payload: Bytes | null): string | undefined {
  const checked = checkFact(fact)
  if (!checked.ok) return checked.sentence
  if (payload === null) return undefined
  if (fact.blob === null || payload.length !== fact.size) return 'the payload has another size'
  return hashBytes(payload) === fact.blob ? undefined : 'the payload does not match its hash'
}

async function store(
  ledger: Ledger,
  batch: Batch,
  work: ItemWork,
  { fact, payload, added }: Received,
): Promise<void> {
  const state: FactState =
    added !== null
      ? { kind: 'agreed', added }
      : { kind: 'pending', order: ledger.nextOrder++, fresh: false }
  await batch.takePayload(fact, payload)
  await work.insert({ fact, state })
  accountNew(ledger, batch, { fact, state })
  if (fact.base !== null) return // its family tells (noteFamily)
  for (const parent of fact.parents) await noteMissing(batch, work, parent)
}

async function noteMissing(batch: Batch, work: ItemWork, version: string): Promise<void> {
  const newest = work.summary?.agreed?.newest ?? []
  if (newest.some(entry => entry.version === version)) return
  if ((work.summary?.unrooted ?? 0) === 0 && work.before === undefined) return
  if ((await work.fact(version)) === undefined) batch.missing.push({ id: work.id, version })
}

/** What holding both would be: agreed beats pending, the smaller `added` and the chosen stamp. */
function merge(known: HeldFact, received: Received, rule: StampRule): HeldFact | undefined {
  const state = mergedState(known.state, received.added)
  const fact = mergedStamp(known.fact, received.fact, rule)
  return state === known.state && fact === known.fact ? undefined : { fact, state }
}

function mergedState(known: FactState, added: string | null): FactState {
  if (added === null) return known
  if (known.kind === 'pending') return { kind: 'agreed', added }
  return added < known.added ? { kind: 'agreed', added: stampMin(added, known.added) } : known
}

/**
 * What is not under the version goes together: the base, too, is that of whoever's stamp is taken. Two
 * members may write one version of a split item on bases of their own.
 */
function mergedStamp(known: Fact, received: Fact, rule: StampRule): Fact {
  if (known.at === received.at && known.by === received.by) return known
  const smaller = received.at < known.at || (received.at === known.at && received.by < known.by)
  const { at, by, base } = received
  return rule === 'take' || smaller ? { ...known, at, by, base } : known
}

/**
 * Keeps counts and the pending queue in line with a new fact. An own fresh write is no gain: in a
 * counter-sync it is newer than what is compared.
 */
export function accountNew(ledger: Ledger, batch: Batch, held: HeldFact): void {
  const isFresh = held.state.kind === 'pending' && held.state.fresh
  if (!isFresh) batch.gained.push({ id: held.fact.id, version: held.fact.version })
  if (ledger.isSystem(held.fact.id)) ledger.systemFacts += 1
  enter(ledger, batch, held)
}

/** Keeps counts and the pending queue in line with a fact that changes its state. */
export function account(ledger: Ledger, batch: Batch, before: FactState, held: HeldFact): void {
  if (before.kind === 'pending') {
    const { id, version } = held.fact
    if (held.state.kind === 'pending' && held.state.order === before.order) return
    batch.writes.push({ kind: 'unpending', order: before.order, ref: { id, version } })
    if (!before.fresh) ledger.setAsideFacts -= 1
  } else if (!ledger.isSystem(held.fact.id)) {
    ledger.agreedFacts -= 1
  }
  enter(ledger, batch, held)
}

function enter(ledger: Ledger, batch: Batch, { fact, state }: HeldFact): void {
  if (state.kind === 'pending') {
    const { id, version } = fact
    batch.writes.push({ kind: 'pending', order: state.order, ref: { id, version } })
    if (!state.fresh) ledger.setAsideFacts += 1
  } else if (!ledger.isSystem(fact.id)) {
    ledger.agreedFacts += 1
  }
}
