/** A ledger without a member around it: what it tells its host is kept for the test. */
import type { FactRef } from '../../src/base/fact.ts'
import { type Stamp, stampOf } from '../../src/base/stamp.ts'
import { createOutgoing } from '../../src/consensus/agreement/sequences.ts'
import { splitPolicy } from '../../src/consensus/items/policy.ts'
import type { AddedFact } from '../../src/node/ledger/changes.ts'
import { type DurableBatch, Ledger, type LedgerHost } from '../../src/node/ledger/ledger.ts'
import { rebuild } from '../../src/node/ledger/rebuild.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { Store, Write } from '../../src/storage/store.ts'

const INCARNATION = '01'.repeat(8)

/** A host that is Source or not as the test says, on a clock that counts. */
export class KeepingHost implements LedgerHost {
  readonly self = 'me'
  readonly incarnation = INCARNATION
  readonly planted = new Set<never>()
  source = true
  nowAt = 1_000_000
  readonly added: AddedFact[] = []
  readonly durable: DurableBatch[] = []
  readonly fatal: unknown[] = []
  #stamps = 0

  isSource(): boolean {
    return this.source
  }
  stamp(): Stamp {
    this.#stamps += 1
    return stampOf(this.nowAt, this.#stamps)
  }
  nowMs(): number {
    return this.nowAt
  }
  policyOf() {
    return splitPolicy
  }
  mustBeBase(): void {
    return undefined
  }
  isLost(): boolean {
    return false
  }
  onAdded(facts: readonly AddedFact[]): void {
    this.added.push(...facts)
  }
  onGained(): void {
    return undefined
  }
  onLost(): void {
    return undefined
  }
  onDurable(batch: DurableBatch): void {
    this.durable.push(batch)
  }
  onFatal(error: unknown): void {
    this.fatal.push(error)
  }
  companions(): Write[] {
    return []
  }
  turn(): Promise<void> {
    return Promise.resolve()
  }

  /** What facts waited for when they came, in order, since the last asking. */
  takeMissing(): readonly FactRef[] {
    return this.durable.splice(0).flatMap(batch => batch.missing)
  }
}

/** Opens a ledger on a store, as a member does; the cut is at 0. */
export async function openLedger(store: Store = new MemoryStore()) {
  const host = new KeepingHost()
  const rebuilt = await rebuild(store, 0)
  const outgoing = createOutgoing(INCARNATION)
  const ledger = new Ledger({ store, sets: rebuilt.sets, host, outgoing })
  for (const root of rebuilt.waitingFamilies) ledger.waitingFamilies.add(root)
  return { ledger, host, rebuilt, store }
}
