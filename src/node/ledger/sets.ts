/**
 * The trees over what a member holds: the settled tree (its root is the storage hash), the tree of
 * the system facts, and, in counter-sync only, a tree over all that is held, agreed or pending, but
 * for own writes newer than the moment the counter-sync began (PROTOCOL 5, 7, 10).
 *
 * `held` is one tree over the union of both sets, not two: setting a fact aside changes nothing in
 * it, so it disturbs no comparison (docs/decisions).
 */
import type { FactState, HeldFact, ItemSummary } from '../../base/fact.ts'
import { isSystemId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { idHashOf } from '../../base/id-hash.ts'
import { stampOf } from '../../base/stamp.ts'
import { leafOf, leafWhere } from '../../consensus/items/digest.ts'
import { Digests } from '../../consensus/items/digests.ts'
import { growthOf } from '../../consensus/items/growth.ts'
import { SettledTree } from '../../merkle/settle.ts'
import { MerkleTree } from '../../merkle/tree.ts'
import type { MendedItem } from './mend.ts'
import type { ItemWork } from './work.ts'

/** What a batch made of an item, with all its facts where the trees need them. */
export interface SetUpdate {
  readonly work: ItemWork
  readonly facts: readonly HeldFact[]
}

export class Sets {
  readonly settled: SettledTree
  readonly system = new MerkleTree()
  /** Digests of facts that are held. */
  readonly digests = new Digests()
  /** Present in counter-sync. */
  held: MerkleTree | null = null
  /** Own fresh writes with a higher place in the queue came after the counter-sync began. */
  freshAfter = Number.MAX_SAFE_INTEGER

  constructor(cut: number) {
    this.settled = new SettledTree(cut)
  }

  /** Whether a fact counts as held in a counter-sync. */
  isHeld(state: FactState): boolean {
    return state.kind === 'agreed' || !state.fresh || state.order <= this.freshAfter
  }

  /** Loads what `update` needs of a changed item; the sets stay as they are. */
  async prepare(work: ItemWork): Promise<SetUpdate> {
    const isPendingHeld = this.held !== null && work.summary?.pending != null
    const needsAll = !isSystemId(work.id) && (work.rebuilt || isPendingHeld)
    return { work, facts: needsAll ? [...(await work.facts()).values()] : [] }
  }

  /** Takes over what a batch made of an item. */
  update({ work, facts }: SetUpdate): void {
    const { idHash, summary } = work
    if (summary === undefined) return
    if (isSystemId(work.id)) {
      this.system.set(idHash, agreedLeaf(summary))
      return
    }
    if (work.rebuilt) this.place(idHash, facts)
    else for (const state of work.extended) this.settled.extend(idHash, state)
    this.held?.set(idHash, summary.pending === null ? agreedLeaf(summary) : this.heldLeaf(facts))
  }

  /** Takes over what mending made of an item. */
  mend({ id, summary, facts }: MendedItem): void {
    const idHash = idHashOf(id)
    if (isSystemId(id)) {
      this.system.set(idHash, agreedLeaf(summary))
      return
    }
    this.place(idHash, facts)
    this.held?.set(idHash, this.heldLeaf(facts))
  }

  /** Places an item by all its facts. */
  place(idHash: Hash, facts: readonly HeldFact[]): void {
    const { settled, states } = growthOf(facts, stampOf(this.settled.cut), this.digests.of)
    this.settled.replace(idHash, settled, states)
  }

  /** The leaf of an item in the held tree. */
  heldLeaf(facts: Iterable<HeldFact>): Hash | null {
    return leafWhere([...facts], held => this.isHeld(held.state), this.digests.of)
  }

  /** A copy of the settled tree with everything agreed in it, settled or not. */
  liveTree(): MerkleTree {
    const tree = this.settled.tree.clone()
    for (const [idHash, last] of this.settled.waitingItems()) tree.set(idHash, last.leaf)
    return tree
  }
}

function agreedLeaf({ agreed }: ItemSummary): Hash | null {
  return agreed === null ? null : leafOf(agreed.newest)
}
