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
import { stampOf } from '../../base/stamp.ts'
import { leafOf, leafWhere } from '../../consensus/items/digest.ts'
import { growthOf } from '../../consensus/items/growth.ts'
import { SettledTree } from '../../merkle/settle.ts'
import { MerkleTree } from '../../merkle/tree.ts'
import type { ItemWork } from './work.ts'

export class Sets {
  readonly settled: SettledTree
  readonly system = new MerkleTree()
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

  /** Takes over what a batch made of an item. */
  async update(work: ItemWork): Promise<void> {
    const summary = work.summary
    if (summary === undefined) return
    if (isSystemId(work.id)) {
      this.system.set(work.idHash, summary.agreed === null ? null : leafOf(summary.agreed.newest))
      return
    }
    if (work.rebuilt) this.place(work.idHash, [...(await work.facts()).values()])
    else for (const state of work.extended) this.settled.extend(work.idHash, state)
    if (this.held !== null) await this.#updateHeld(this.held, work, summary)
  }

  /** Places an item by all its facts. */
  place(idHash: Hash, facts: readonly HeldFact[]): void {
    const { settled, states } = growthOf(facts, stampOf(this.settled.cut))
    this.settled.replace(idHash, settled, states)
  }

  /** The leaf of an item in the held tree. */
  heldLeaf(facts: Iterable<HeldFact>): Hash | null {
    return leafWhere([...facts], held => this.isHeld(held.state))
  }

  /** A copy of the settled tree with everything agreed in it, settled or not. */
  liveTree(): MerkleTree {
    const tree = this.settled.tree.clone()
    for (const [idHash, last] of this.settled.waitingItems()) tree.set(idHash, last.leaf)
    return tree
  }

  async #updateHeld(tree: MerkleTree, work: ItemWork, summary: ItemSummary): Promise<void> {
    if (summary.pending === null) {
      tree.set(work.idHash, summary.agreed === null ? null : leafOf(summary.agreed.newest))
    } else {
      tree.set(work.idHash, this.heldLeaf((await work.facts()).values()))
    }
  }
}
