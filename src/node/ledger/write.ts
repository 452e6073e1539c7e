/**
 * A user's write: planned on what is held now (so two writes at one member never collide with each
 * other), stamped, and either added to the network at once, when this member is Source, or put into
 * the pending queue (PROTOCOL 3, 8, 11).
 */
import { type Fact, type FactState, type HeldFact, isDelete } from '../../base/fact.ts'
import { VecheError } from '../../base/veche-error.ts'
import { rootOf } from '../../consensus/items/id.ts'
import {
  type Plan,
  planResolve,
  planWrite,
  planWriteFast,
  type WriteRequest,
  type WriteStamp,
} from '../../consensus/items/write.ts'
import type { Batch } from './batch.ts'
import type { UserWrite, Written } from './changes.ts'
import type { Ledger } from './ledger.ts'
import { accountNew } from './receive.ts'
import { restateAll } from './restate.ts'

/** Carries out one write; throws a VecheError when the rules of items refuse it. */
export async function writeOne(ledger: Ledger, batch: Batch, write: UserWrite): Promise<Written> {
  const stamp = { at: ledger.host.stamp(), by: ledger.host.self }
  const plan = await planOf(ledger, batch, write, stamp)
  ledger.host.mustBeBase(write.id) // after the reading, which may have met damage
  if (!plan.ok) {
    const { code, sentence, ...data } = plan.refusal
    throw new VecheError(code, sentence, data)
  }
  let first: Written | undefined
  for (const [at, fact] of plan.facts.entries()) {
    const written = await accept(ledger, batch, fact, at === 0 ? write : null)
    first ??= written
  }
  return first!
}

async function planOf(
  ledger: Ledger,
  batch: Batch,
  write: UserWrite,
  stamp: WriteStamp,
): Promise<Plan> {
  const { id, intent } = write
  const resolving = intent.kind === 'resolveKeep' || intent.kind === 'resolvePut'
  if (!resolving) {
    const fast = planWriteFast(id, (await batch.work(id)).summary, requestOf(write), stamp)
    if (fast !== undefined) return fast
  }
  const root = rootOf(id)
  const facts = (await batch.family(id)).map(held => held.fact)
  const view = ledger.viewOf(root, facts)
  if (intent.kind === 'resolveKeep') return planResolve(view, id, { keep: intent.keep }, stamp)
  if (intent.kind === 'resolvePut') return planResolve(view, id, { content: intent.content }, stamp)
  return planWrite(view, id, requestOf(write), stamp)
}

function requestOf({ intent, ifVersion }: UserWrite): WriteRequest {
  const content = intent.kind === 'put' ? intent.content : null
  const merge = intent.kind === 'put' && intent.merge
  return ifVersion === undefined ? { content, merge } : { content, merge, ifVersion }
}

async function accept(
  ledger: Ledger,
  batch: Batch,
  fact: Fact,
  write: UserWrite | null,
): Promise<Written> {
  const work = await batch.work(fact.id)
  const known = await work.same(fact)
  if (known !== undefined) return { fact: known.fact, state: known.state, sequence: null }
  const payload = isDelete(fact) ? null : (write?.payload ?? null)
  await batch.takePayload(fact, payload)
  if (!ledger.host.isSource()) {
    const state: FactState = { kind: 'pending', order: ledger.nextOrder++, fresh: true }
    await work.insert({ fact, state })
    accountNew(ledger, batch, { fact, state })
    return { fact, state, sequence: null }
  }
  await addPendingAncestors(ledger, batch, fact)
  const added = ledger.host.stamp()
  const held: HeldFact = { fact, state: { kind: 'agreed', added } }
  await work.insert(held)
  accountNew(ledger, batch, held)
  const sequence = ledger.assign({ id: fact.id, version: fact.version })
  batch.added.push({ sequence, added, fact, payload, offered: false })
  return { fact, state: held.state, sequence }
}

/** Who adds a fact adds its own pending ancestors before it, for a split item the base facts, too. */
async function addPendingAncestors(ledger: Ledger, batch: Batch, fact: Fact): Promise<void> {
  const ids = [fact.id, ...(fact.base ?? []).map(entry => entry.id)]
  for (const id of ids) {
    const work = await batch.work(id)
    if (work.summary?.pending == null) continue
    const pending = [...(await work.facts()).values()].filter(held => held.state.kind === 'pending')
    const refs = pending.map(held => ({ id, version: held.fact.version }))
    await restateAll(ledger, batch, refs, { kind: 'add' })
    for (const [at, entry] of batch.added.entries()) {
      if (entry.fact.id === id && entry.offered) batch.added[at] = { ...entry, offered: false }
    }
  }
}
