/**
 * Draining the pending queue once this member is Source (PROTOCOL 8): in slices, parents before
 * children, first shown to every reached Source (`offer`), then added with one small message, so
 * that a backlog of any size never lies before the cut. New user writes do not wait behind it.
 */
import { type FactRef, type HeldFact, type MemberId, refKey } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Stamp } from '../../base/stamp.ts'
import type { PendingEntry } from '../../storage/store.ts'
import { parentsFirst } from '../ledger/restate.ts'
import type { Context } from './context.ts'
import { factBytes } from './size.ts'

/** A slice is never larger than one comfortable message. */
const SLICE_FACTS_MAX = 1000
const FIRST_SLICE_FACTS = 64

export class Draining {
  readonly #context: Context
  #running = false
  #sliceFacts = FIRST_SLICE_FACTS

  constructor(context: Context) {
    this.#context = context
  }

  get running(): boolean {
    return this.#running
  }

  /** Begins when there is something to drain and this member is Source; called with every tick. */
  tick(): void {
    if (this.#running || this.#context.agreement.source === null) return
    if (this.#context.store.counts().pending === 0) return
    this.#running = true
    this.#context.background(
      this.#drain().finally(() => {
        this.#running = false
      }),
    )
  }

  async #drain(): Promise<void> {
    while (this.#context.agreement.source !== null) {
      const slice = await this.#nextSlice()
      if (slice.length === 0) return
      const beganAt = this.#context.now()
      const agreed = await this.#offer(slice)
      if (this.#context.agreement.source === null) return
      await this.#add(slice, agreed)
      this.#learn(slice.length, this.#context.now() - beganAt)
    }
  }

  /** The next facts of the queue; entries that cannot be read keep nothing else waiting. */
  async #nextSlice(): Promise<HeldFact[]> {
    for (let after = -1; ; ) {
      const entries = await this.#context.ledger.inOrder(() =>
        this.#context.store.pending(after, this.#sliceFacts),
      )
      const last = entries.at(-1)
      if (last === undefined) return []
      const slice = await this.#sliceOf(entries)
      if (slice.length > 0) return slice
      after = last.order
    }
  }

  /** The facts of queue entries with their pending ancestors, parents first. */
  async #sliceOf(entries: readonly PendingEntry[]): Promise<HeldFact[]> {
    const byItem = new Map<string, Set<string>>()
    for (const { ref } of entries) {
      const versions = byItem.get(ref.id)
      if (versions === undefined) byItem.set(ref.id, new Set([ref.version]))
      else versions.add(ref.version)
    }
    const slice: HeldFact[] = []
    const taken = new Set<string>()
    let bytes = 0
    for (const [id, versions] of byItem) {
      for (const held of await this.#withBase(id, versions)) {
        // Parents come first, so any beginning of the list is a slice.
        if (bytes >= limits.batchBytes || slice.length >= SLICE_FACTS_MAX) return slice
        if (taken.has(refKey(held.fact))) continue
        taken.add(refKey(held.fact))
        slice.push(held)
        bytes += factBytes(held.fact, null) + Math.min(held.fact.size, limits.inlinePayloadBytesMax)
      }
    }
    return slice
  }

  /** The facts with their pending ancestors, those of the base of a split item before them. */
  async #withBase(id: string, versions: ReadonlySet<string>): Promise<HeldFact[]> {
    const own = await this.#withPendingAncestors(id, versions)
    const base = new Map<string, Set<string>>()
    for (const { fact } of own) {
      for (const { id: above, heads } of fact.base ?? []) {
        const known = base.get(above) ?? new Set()
        for (const head of heads) known.add(head)
        base.set(above, known)
      }
    }
    const before: HeldFact[] = []
    for (const [above, heads] of base) {
      before.push(...(await this.#withPendingAncestors(above, heads)))
    }
    return [...before, ...own]
  }

  async #withPendingAncestors(id: string, versions: ReadonlySet<string>): Promise<HeldFact[]> {
    const facts = new Map(
      (await this.#context.store.factsOf(id)).map(held => [held.fact.version, held]),
    )
    const wanted = new Set<string>()
    const open = [...versions]
    for (let version = open.pop(); version !== undefined; version = open.pop()) {
      const held = facts.get(version)
      if (held === undefined || held.state.kind === 'agreed' || wanted.has(version)) continue
      wanted.add(version)
      open.push(...held.fact.parents)
    }
    return parentsFirst(facts, wanted)
  }

  /** Shows the slice to every reached Source; who is silent for 2 s is not waited for. */
  async #offer(slice: readonly HeldFact[]): Promise<Map<string, Stamp>> {
    const payloads = await this.#payloads(slice)
    const facts = slice.map(({ fact }, at) => ({ fact, payload: payloads[at] ?? null }))
    const agreed = new Map<string, Stamp>()
    const answers = this.#sources().map(peer =>
      this.#context.links.ask(peer, { kind: 'offer', facts }, { timeoutMs: limits.offerAnswerMs }),
    )
    for (const answer of await Promise.all(answers)) {
      if (answer?.kind !== 'offered') continue
      for (const { ref, added } of answer.agreed) agreed.set(refKey(ref), added)
    }
    return agreed
  }

  #sources(): MemberId[] {
    return this.#context
      .reached()
      .filter(peer => this.#context.agreement.peers.get(peer)?.sourceSince != null)
  }

  async #payloads(slice: readonly HeldFact[]) {
    const blobs = slice.map(({ fact }) =>
      fact.size <= limits.inlinePayloadBytesMax ? fact.blob : null,
    )
    const found = await this.#context.store.smallPayloads(blobs.filter(blob => blob !== null))
    let next = 0
    return blobs.map(blob => (blob === null ? undefined : found[next++]))
  }

  /** What some Source shows already becomes agreed here; the rest is added by this member, now. */
  async #add(slice: readonly HeldFact[], agreed: ReadonlyMap<string, Stamp>): Promise<void> {
    const shown: FactRef[] = []
    const own: FactRef[] = []
    for (const { fact } of slice) {
      const ref = { id: fact.id, version: fact.version }
      if (agreed.has(refKey(ref))) shown.push(ref)
      else own.push(ref)
    }
    if (shown.length > 0)
      await this.#context.ledger.restate(shown, { kind: 'adopt', addedBy: agreed })
    if (own.length > 0) await this.#context.ledger.restate(own, { kind: 'add' })
  }

  /** A slice is what was confirmed within 1 s last time, at least one fact. */
  #learn(facts: number, tookMs: number): void {
    const perSecond = Math.floor((facts * limits.sliceMs) / Math.max(tookMs, 1))
    this.#sliceFacts = Math.max(1, Math.min(SLICE_FACTS_MAX, perSecond, this.#sliceFacts * 4))
  }
}
