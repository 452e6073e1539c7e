/**
 * Moving facts between the agreed set and the pending queue: setting aside what the majority lacks,
 * adopting what it holds, and adding the own pending queue to the network (PROTOCOL 7, 8). Parents
 * go before children in the queue and in every batch.
 */
import { type Fact, type FactRef, type FactState, type HeldFact, refKey } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { invariant } from '../../base/invariant.ts'
import { STAMP_ZERO } from '../../base/stamp.ts'
import type { Batch } from './batch.ts'
import type { Restate, RestateResult } from './changes.ts'
import type { Ledger } from './ledger.ts'
import { account } from './receive.ts'

/** Changes the state of facts; answers how many moved and the numbers given to what was added. */
export async function restateAll(
  ledger: Ledger,
  batch: Batch,
  refs: readonly FactRef[],
  to: Restate,
): Promise<RestateResult> {
  // Asked when it is worked out: this member may have stepped down since it was wished for.
  if (to.kind === 'add' && !ledger.host.isSource()) return { moved: 0, sequences: new Map() }
  const byItem = new Map<string, Set<Hash>>()
  for (const { id, version } of refs) {
    const versions = byItem.get(id)
    if (versions === undefined) byItem.set(id, new Set([version]))
    else versions.add(version)
  }
  const sequences = new Map<string, number>()
  let moved = 0
  for (const [id, versions] of byItem) {
    const work = await batch.work(id)
    const facts = await work.facts()
    const changed: HeldFact[] = []
    for (const held of parentsFirst(facts, versions)) {
      const next = nextState(ledger, held, to)
      if (next === undefined) continue
      const restated = { fact: held.fact, state: next }
      account(ledger, batch, held.state, restated)
      changed.push(restated)
      if (to.kind === 'add') sequences.set(refKey(held.fact), announce(ledger, batch, restated))
    }
    if (changed.length > 0) await work.restate(changed)
    moved += changed.length
  }
  return { moved, sequences }
}

function nextState(ledger: Ledger, held: HeldFact, to: Restate): FactState | undefined {
  if (to.kind === 'setAside') {
    if (held.state.kind === 'pending') return undefined
    return { kind: 'pending', order: ledger.nextOrder++, fresh: false }
  }
  if (held.state.kind === 'agreed') return undefined
  const added =
    to.kind === 'add' ? ledger.host.stamp() : (to.addedBy.get(refKey(held.fact)) ?? STAMP_ZERO)
  return { kind: 'agreed', added }
}

function announce(ledger: Ledger, batch: Batch, held: HeldFact): number {
  const { fact, state } = held
  invariant(state.kind === 'agreed', 'only an agreed fact is added to the network')
  const sequence = ledger.assign({ id: fact.id, version: fact.version })
  batch.added.push({ sequence, added: state.added, fact, payload: null, offered: true })
  return sequence
}

/** The named facts of one item, parents before children. */
export function parentsFirst(
  facts: ReadonlyMap<Hash, HeldFact>,
  versions: ReadonlySet<Hash>,
): HeldFact[] {
  const ordered: HeldFact[] = []
  const done = new Set<Hash>()
  for (const first of versions) {
    const stack: Hash[] = [first]
    while (stack.length > 0) {
      const version = stack.at(-1)!
      const held = versions.has(version) ? facts.get(version) : undefined
      const waiting =
        held === undefined || done.has(version) ? [] : openParents(held.fact, versions, done, facts)
      if (waiting.length > 0) {
        stack.push(...waiting)
        continue
      }
      stack.pop()
      if (held !== undefined && !done.has(version)) ordered.push(held)
      done.add(version)
    }
  }
  return ordered
}

function openParents(
  fact: Fact,
  versions: ReadonlySet<Hash>,
  done: ReadonlySet<Hash>,
  facts: ReadonlyMap<Hash, HeldFact>,
): Hash[] {
  return fact.parents.filter(p => versions.has(p) && facts.has(p) && !done.has(p))
}
