/**
 * What the agreement machine is told of this member's own sets. A root that is announced must
 * survive a crash: the sets are looked at first, then everything worked out so far is waited for,
 * and what was seen is told. Only the root of the held tree is told as it is, in step with the tree:
 * the machine sees every answer of a counter-sync from it.
 */
import type { Own } from '../../consensus/agreement/state.ts'
import type { Member } from './member.ts'

export class OwnSets {
  readonly #member: Member

  constructor(member: Member) {
    this.#member = member
  }

  /** The sets as they are now, durable or not. */
  now(): Own {
    const { gap, ledger } = this.#member
    const { settled } = ledger.sets
    return {
      cut: settled.cut,
      hash: settled.root(),
      held: ledger.sets.held?.root() ?? null,
      empty: ledger.empty,
      gap,
    }
  }

  /** Tells what is held now, when it is durable. */
  tell(): void {
    this.#member.background(this.#whenDurable())
  }

  /** Tells the root of the held tree alone, or that there is none any more. */
  tellHeld(): void {
    this.#dispatch(this.#member.agreement.own)
  }

  /** Moves the cut; the new root is announced when all that is under it is durable. */
  moveCut(cut: number): void {
    const { sets, store } = this.#member.ledger
    sets.settled.advance(cut)
    const items = sets.settled.tree.count
    this.#member.background(
      this.#whenDurable().then(own => {
        if (!this.#member.stopped) store.journalCut({ cut: own.cut, root: own.hash, items })
      }),
    )
  }

  async #whenDurable(): Promise<Own> {
    const own = this.now()
    await this.#member.ledger.durable()
    this.#dispatch(own)
    return own
  }

  #dispatch(own: Own): void {
    const held = this.#member.ledger.sets.held?.root() ?? null
    this.#member.dispatch({ kind: 'own', now: this.#member.now(), own: { ...own, held } })
  }
}
