/**
 * The abstract facts of one model member: names instead of items. The agreed set with the moment
 * each fact was added, the pending queue, the settled part of the agreed set at a cut, and, during
 * a counter-sync, all that is held. Hashes are exclusive-ors of the names' hashes, so that equal
 * sets have equal hashes and a change costs one step.
 */
import type { FactRef } from '../../src/base/fact.ts'
import { hashText } from '../../src/base/hash.ts'
import { type Stamp, stampOf } from '../../src/base/stamp.ts'
import { firstCutAt } from '../../src/merkle/settle.ts'
import { EMPTY_ROOT } from '../../src/merkle/tree.ts'

/** The facts that a world knows, by name. */
export class Names {
  readonly #refs = new Map<string, FactRef>()
  readonly #words = new Map<string, Uint32Array>()

  ref(name: string): FactRef {
    let ref = this.#refs.get(name)
    if (ref === undefined) {
      ref = { id: name, version: hashText(name) }
      this.#refs.set(name, ref)
    }
    return ref
  }

  words(name: string): Uint32Array {
    let words = this.#words.get(name)
    if (words === undefined) {
      const { version } = this.ref(name)
      words = Uint32Array.from({ length: 4 }, (_, at) =>
        Number.parseInt(version.slice(at * 8, at * 8 + 8), 16),
      )
      this.#words.set(name, words)
    }
    return words
  }
}

/** The hash of a changing set. */
class SetHash {
  count = 0
  readonly #words = new Uint32Array(4)
  #text: string | null = null

  toggle(words: Uint32Array, by: 1 | -1): void {
    this.count += by
    for (let at = 0; at < 4; at++) this.#words[at] = this.#words[at]! ^ words[at]!
    this.#text = null
  }

  get text(): string {
    if (this.count === 0) return EMPTY_ROOT
    this.#text ??= [...this.#words].map(word => word.toString(16).padStart(8, '0')).join('')
    return this.#text
  }
}

export interface PendingName {
  readonly order: number
  readonly fresh: boolean
}

export class ModelSets {
  readonly agreed = new Map<string, Stamp>()
  readonly pending = new Map<string, PendingName>()
  readonly #names: Names
  readonly #agreed = new SetHash()
  readonly #settled = new SetHash()
  #held: SetHash | null = null
  #cut = 0
  readonly #due = new Map<number, Set<string>>()
  #nextOrder = 1
  #freshAfter = 0
  #setAside = 0

  constructor(names: Names) {
    this.#names = names
  }

  get cut(): number {
    return this.#cut
  }

  /** The hash of all that is agreed, settled or not. */
  get agreedHash(): string {
    return this.#agreed.text
  }

  get settledHash(): string {
    return this.#settled.text
  }

  get heldHash(): string | null {
    return this.#held?.text ?? null
  }

  /** No agreed fact and nothing set aside. */
  get isEmpty(): boolean {
    return this.agreed.size === 0 && this.#setAside === 0
  }

  isSettled(name: string): boolean {
    const added = this.agreed.get(name)
    return added !== undefined && added <= stampOf(this.#cut)
  }

  /** Takes part in a counter-sync: all but own writes that are newer than its beginning. */
  isHeld(name: string): boolean {
    if (this.agreed.has(name)) return true
    const entry = this.pending.get(name)
    return entry !== undefined && (!entry.fresh || entry.order <= this.#freshAfter)
  }

  heldNames(): string[] {
    return [...this.agreed.keys(), ...[...this.pending.keys()].filter(name => this.isHeld(name))]
  }

  /** Everything that is here durably. */
  allNames(): string[] {
    return [...this.agreed.keys(), ...this.pending.keys()]
  }

  advance(cut: number): void {
    if (cut <= this.#cut) return
    this.#cut = cut
    for (const [second, names] of this.#due) {
      if (second > cut) continue
      this.#due.delete(second)
      for (const name of names) {
        const added = this.agreed.get(name)
        // a name that left and came back waits in its new place
        if (added === undefined || firstCutAt(added) !== second) continue
        this.#settled.toggle(this.#names.words(name), 1)
      }
    }
  }

  /** Makes a fact agreed; the smallest `added` stays. Answers whether anything changed. */
  agree(name: string, added: Stamp): boolean {
    const known = this.agreed.get(name)
    if (known !== undefined && known <= added) return false
    const wasHeld = this.isHeld(name)
    const wasSettled = this.isSettled(name)
    this.#dropPending(name)
    if (known === undefined) this.#agreed.toggle(this.#names.words(name), 1)
    this.agreed.set(name, added)
    if (!wasHeld) this.#held?.toggle(this.#names.words(name), 1)
    if (this.isSettled(name)) {
      if (!wasSettled) this.#settled.toggle(this.#names.words(name), 1)
      return true
    }
    const second = firstCutAt(added)
    const names = this.#due.get(second)
    if (names === undefined) this.#due.set(second, new Set([name]))
    else names.add(name)
    return true
  }

  /** A user's write that is not agreed. */
  writePending(name: string): void {
    if (this.agreed.has(name) || this.pending.has(name)) return
    this.pending.set(name, { order: this.#nextOrder++, fresh: true })
  }

  /** Puts an agreed fact, or one that is new here, into the pending queue as set aside. */
  setAside(name: string): boolean {
    if (this.pending.has(name)) return false
    const wasHeld = this.isHeld(name)
    if (this.isSettled(name)) this.#settled.toggle(this.#names.words(name), -1)
    if (this.agreed.delete(name)) this.#agreed.toggle(this.#names.words(name), -1)
    this.pending.set(name, { order: this.#nextOrder++, fresh: false })
    this.#setAside += 1
    if (!wasHeld) this.#held?.toggle(this.#names.words(name), 1)
    return true
  }

  /** Begins or ends the keeping of a hash over all that is held. */
  hold(): void {
    this.#freshAfter = this.#nextOrder - 1
    this.#held = new SetHash()
    for (const name of this.heldNames()) this.#held.toggle(this.#names.words(name), 1)
  }

  unhold(): void {
    this.#held = null
    this.#freshAfter = 0
  }

  #dropPending(name: string): void {
    const entry = this.pending.get(name)
    if (entry === undefined) return
    this.pending.delete(name)
    if (!entry.fresh) this.#setAside -= 1
  }
}
