/**
 * The tree over all that is held, which exists only while no Source is seen. Own writes accepted
 * after it was begun are outside of it: they are newer than what is compared (PROTOCOL 7.2).
 */

import { hashText } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import type { Member } from './member.ts'

export class HeldTree {
  readonly #member: Member
  #wanted = false

  constructor(member: Member) {
    this.#member = member
  }

  get isOn(): boolean {
    return this.#member.ledger.sets.held !== null
  }

  /** Builds the tree, in order with the changes of facts, or drops it. */
  set(on: boolean): void {
    this.#wanted = on
    const { ledger } = this.#member
    if (!on) {
      ledger.sets.held = null
      ledger.sets.freshAfter = Number.MAX_SAFE_INTEGER
      this.#member.own.tellHeld()
      return
    }
    this.#member.background(
      ledger
        .inOrder(() => this.#build())
        .then(() => {
          if (!this.#member.stopped) this.#member.own.tellHeld()
        }),
    )
  }

  async #build(): Promise<void> {
    if (!this.#wanted) return
    const { ledger, store } = this.#member
    const { sets } = ledger
    sets.freshAfter = ledger.nextOrder - 1
    const tree = sets.liveTree()
    const ids = new Set<string>()
    for (let after = -1; ; ) {
      const page = await store.pending(after, limits.pageMax)
      for (const entry of page) ids.add(entry.ref.id)
      const last = page.at(-1)
      if (last === undefined) break
      after = last.order
    }
    for (const id of ids) tree.set(hashText(id), sets.heldLeaf(await store.factsOf(id)))
    if (this.#wanted) sets.held = tree
  }
}
