/**
 * What a member does about damage that its store finds: what is kept of an item is made anew from
 * the facts that can be read, a fact that is gone is asked for, a damaged payload is set aside and
 * fetched again. All of it is said in `problems`, until it is mended.
 *
 * While a fact is missing the member has a gap: it says so in every message and leaves elections to
 * others. An item that lacks one is not shown: what would be shown may be an old version.
 */
import { type FactRef, type ItemId, type ItemSummary, refKey } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { stampMs } from '../../base/stamp.ts'
import { VecheError } from '../../base/veche-error.ts'
import { rootOf } from '../../consensus/items/id.ts'
import type { Problem } from '../../control/protocol-network.ts'
import { type Damage, GAP_META_KEY } from '../../storage/store.ts'
import type { MendedItem } from '../ledger/mend.ts'
import type { Rebuilt } from '../ledger/rebuild.ts'
import { lackOf, readShort, type Short, shortWrite } from '../ledger/short.ts'
import type { Member } from './member.ts'
import { PayloadMending } from './mending-payloads.ts'

/** How often what is missing is looked for among what is held. */
const LOOK_MS = 500

export class Mending {
  readonly #member: Member
  /** Items to be made anew. */
  #items = new Set<ItemId>()
  readonly #payloads: PayloadMending
  /** Records of facts that were told of, and not written anew since. */
  readonly #lost = new Map<string, FactRef>()
  /**
   * Facts that were never here, as this mending has found: their records are met by each of its
   * readings, until a scrub sets them aside.
   */
  readonly #denied = new Set<string>()
  /** Items that held facts that cannot be read. */
  readonly #short = new Map<ItemId, Short>()
  /** Open problems of payloads. */
  readonly #told = new Set<Hash>()
  #itemsDone: Promise<void> | null = null
  /** How often it changed which items are whole. */
  #changes = 0
  #lookAt = 0
  #lookDone: Promise<void> | null = null
  #scrubAt = Number.NEGATIVE_INFINITY
  #madeGap = false
  /** Payloads that others doubted lately, with the moment. */
  readonly #doubtedAt = new Map<Hash, number>()
  #doubts: Promise<void> = Promise.resolve()

  #gap: boolean
  /** Items that are being mended. */
  #atWork: ReadonlySet<ItemId> = new Set()

  constructor(member: Member, gap: boolean) {
    this.#member = member
    this.#gap = gap
    this.#payloads = new PayloadMending(member, (blob, size) => this.setAside(blob, size))
  }

  /** Whether something that was held once is gone, and not refilled yet. */
  get gap(): boolean {
    return this.#gap
  }

  /** Opens or closes the gap, durably, and says so. */
  setGap(gap: boolean): void {
    const { ledger, own, problems } = this.#member
    this.#gap = gap
    if (!gap) problems.clear('start/gap')
    const value = gap ? new Uint8Array([1]) : null
    this.#member.background(ledger.record([{ kind: 'meta', key: GAP_META_KEY, value }]))
    own.tell()
  }

  /** Takes up what the opening found and was mended since, and what the rebuild met. */
  async begin({ mended, met }: Pick<Rebuilt, 'mended' | 'met'>): Promise<void> {
    const { damages } = this.#member.store.report
    for (const damage of damages) if (damage.what !== 'journal') this.#tell(damage)
    await this.#loadShort()
    for (const item of mended) this.#count(item)
    await this.#saveShort()
    for (const damage of met) this.found(damage)
    if (this.#gap || damages.length > 0) this.#scrub()
    if (this.#short.size > 0 && !this.#gap) {
      this.#gap = true
      this.#madeGap = true
    }
    if (!this.#gap) return
    const value = new Uint8Array([1])
    await this.#member.ledger.record([{ kind: 'meta', key: GAP_META_KEY, value }])
  }

  /** Whether the record of a fact was found damaged, and the fact has not come back. */
  isLost(ref: FactRef): boolean {
    return this.#lost.has(refKey(ref))
  }

  /** A damage of the running store. */
  found(damage: Damage): void {
    const { id, version, blob, what } = damage
    if (id !== undefined && version !== undefined && what !== 'payload') {
      const ref = { id, version }
      if (this.#lost.has(refKey(ref)) || this.#denied.has(refKey(ref))) return
      this.#lost.set(refKey(ref), ref)
    }
    if (blob !== undefined && this.#payloads.isAtWork(blob)) return
    this.#tell(damage)
    if (id !== undefined && what !== 'payload') this.#mendItem(id)
    if (blob !== undefined) this.#payloads.mend(blob)
    this.#scrub()
  }

  /** Another member doubts the copy of a payload here: it is read whole, and mended if it is right. */
  doubted(blob: Hash): void {
    const { store } = this.#member
    const now = this.#member.now()
    for (const [of, at] of this.#doubtedAt) {
      if (now - at >= limits.doubtAgainMs) this.#doubtedAt.delete(of)
    }
    if (this.#doubtedAt.has(blob) || this.#doubtedAt.size >= limits.doubtsMax) return
    this.#doubtedAt.set(blob, now)
    // The store tells of what it finds, see `found`. One at a time: it is others who set it going.
    this.#doubts = this.#doubts.then(async () => void (await store.verifyPayload(blob)))
    this.#member.background(this.#doubts)
  }

  /** A scrub found nothing: what was said of the store as a whole is over. */
  soundAgain(): void {
    for (const what of ['engine', 'fact', 'index']) this.#member.problems.clear(`damage/${what}/`)
  }

  /**
   * What a scrub found. Index records that follow from others were written anew by the scrub itself.
   */
  take(damages: readonly Damage[]): void {
    for (const damage of damages) {
      if (damage.what === 'index') continue
      if (damage.id !== undefined || damage.blob !== undefined) this.found(damage)
      else if (damage.what === 'engine' || damage.what === 'fact') this.#tell(damage)
    }
  }

  /**
   * Reads again when an item was mended meanwhile: a damaged summary reads as if there were no item,
   * and the new one shows an old version until it is noted that the item lacks a newer one.
   */
  async read<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#itemsDone !== null) await this.#itemsDone
      const before = this.#changes
      const result = await read()
      if (this.#itemsDone !== null) await this.#itemsDone
      if (this.#changes === before) return result
    }
  }

  /** Whether facts of an item, or of its split, are missing, so that what is left may be an old one. */
  isShort(id: ItemId): boolean {
    if (this.#short.size === 0) return false
    const root = rootOf(id)
    return [...this.#short.keys()].some(short => rootOf(short) === root)
  }

  /** Refuses, with DAMAGED, to show an item of which facts are missing. */
  mustBeWhole(id: ItemId): void {
    if (!this.isShort(id)) return
    const sentence =
      `A version of ${id} was damaged here, and what is left may be an old one: it is fetched ` +
      'from the others. A single version is still shown by its hash, see `veche log`.'
    throw new VecheError('DAMAGED', sentence, { id })
  }

  /** Refuses, with DAMAGED, a write that may stand on an old version while the newer may come back. */
  mustBeBase(id: ItemId): void {
    const root = rootOf(id)
    const isAmong = (ids: ReadonlySet<ItemId>) =>
      ids.size > 0 && [...ids].some(other => rootOf(other) === root)
    const isMending = isAmong(this.#member.ledger.damaged) || isAmong(this.#atWork)
    if (!isMending && !(this.isShort(id) && this.#mayComeBack(root))) return
    const sentence =
      `A version of ${id} was damaged here: a write would stand on an old one. It is fetched from ` +
      'the others: try again in a moment, or write at another member.'
    throw new VecheError('DAMAGED', sentence, { id })
  }

  /**
   * Whether others may have what is missing. A Source that has been in step with them for a while
   * has all that they have: the rest is lost, and the item goes on from what is left.
   */
  #mayComeBack(root: ItemId): boolean {
    const { agreement } = this.#member
    if (agreement.roster.every(member => member === this.#member.self)) return false
    if (agreement.source === null) return true
    const shorts = [...this.#short].filter(([id]) => rootOf(id) === root)
    const since = Math.max(...shorts.map(([, short]) => short.since))
    return this.#nowMs() - since < limits.refillMs
  }

  /**
   * Takes a damaged payload out of the way and wants it anew, durably. Several may find one damage: a
   * whole payload that came meanwhile stays.
   */
  async setAside(blob: Hash, size: number): Promise<void> {
    const { ledger, payloads, store } = this.#member
    if (payloads.isWanted(blob)) return
    await ledger.record([{ kind: 'wanted', blob, size }]) // first: a crash must not forget it
    await ledger.inOrder(() => store.setAsidePayload(blob))
    const [isHere] = await store.hasPayloads([blob])
    if (isHere === true) return await ledger.record([{ kind: 'have', blob }])
    payloads.want(blob, size)
    this.#told.add(blob)
  }

  /** Ends the problems of what is here again; called with every tick. */
  tick(): void {
    for (const blob of this.#told) {
      if (this.#payloads.isAtWork(blob) || this.#member.payloads.isWanted(blob)) continue
      this.#told.delete(blob)
      this.#member.problems.clear(`damage/payload/${blob}`)
    }
    const now = this.#member.now()
    if (this.#short.size === 0 || this.#lookDone !== null || now < this.#lookAt) return
    if (this.#itemsDone !== null) return
    this.#lookAt = now + LOOK_MS
    this.#lookDone = this.#look().finally(() => {
      this.#lookDone = null
    })
    this.#member.background(this.#lookDone)
  }

  #tell(damage: Damage): void {
    const { what, id, blob, sentence } = damage
    if (blob !== undefined) this.#told.add(blob)
    const kind = blob !== undefined ? 'payload' : id !== undefined ? 'item' : what
    const problem: Problem = {
      reason: 'damage',
      sentence,
      nextStep: 'Run `veche verify` to see all of it; it is refilled from the others.',
      ...(id !== undefined && { id }),
    }
    this.#member.problems.set(`damage/${kind}/${blob ?? id ?? ''}`, problem)
  }

  #mendItem(id: ItemId): void {
    const { ledger } = this.#member
    ledger.damaged.add(id)
    ledger.cache.delete(id)
    this.#items.add(id)
    if (this.#itemsDone !== null) return
    this.#itemsDone = this.#mendItems()
    this.#member.background(this.#itemsDone)
  }

  async #mendItems(): Promise<void> {
    const { ledger, own, parents } = this.#member
    try {
      while (this.#items.size > 0) {
        const ids = this.#items
        this.#items = new Set()
        this.#atWork = ids
        await this.#lookDone // it saves the same record
        await this.#foretell(ids)
        const { items, lost } = await ledger.mend(ids)
        for (const item of items) this.#count(item)
        await this.#saveShort()
        parents.note(lost)
        parents.note([...this.#lost.values()].filter(ref => ids.has(ref.id)))
        for (const id of ids) parents.note(this.#lackingOf(id))
        if (this.#short.size > 0 && !this.#gap) {
          this.#madeGap = true
          this.setGap(true)
        }
        own.tell()
      }
    } finally {
      this.#itemsDone = null
      this.#atWork = new Set()
      this.#denied.clear()
    }
  }

  /** A crash between the new summaries and the word of what they lack must not hide it. */
  async #foretell(ids: ReadonlySet<ItemId>): Promise<void> {
    const { ledger, store } = this.#member
    const foretold = new Map(this.#short)
    const asked = [...ids]
    for (const [at, summary] of (await store.items(asked)).entries()) {
      const id = asked[at]!
      if (summary !== undefined) {
        const { promised = 0, lost = [], since = this.#nowMs() } = foretold.get(id) ?? {}
        foretold.set(id, { promised: Math.max(summary.facts, promised), lost, since })
      }
    }
    if (foretold.size > 0) await ledger.record([shortWrite(foretold)])
  }

  /** Notes whether an item lacks facts; a whole one has no problem any more. */
  #count(item: MendedItem): void {
    const { id, facts, isKnown } = item
    if (isKnown) this.#changes += 1
    for (const { fact } of facts) this.#lost.delete(refKey(fact))
    const named = [...this.#lost.values()].filter(ref => ref.id === id)
    const versions = named.map(({ version }) => version)
    const lack = lackOf(item, versions, this.#short.get(id), this.#nowMs())
    if (lack === undefined) this.#settle(id)
    else this.#short.set(id, lack)
  }

  /** Nothing is missing of an item. */
  #settle(id: ItemId): void {
    const { parents, problems } = this.#member
    parents.forget(this.#lackingOf(id))
    if (this.#short.delete(id)) this.#changes += 1
    for (const [key, ref] of this.#lost) {
      if (ref.id !== id) continue
      this.#lost.delete(key)
      if (this.#itemsDone !== null) this.#denied.add(key)
      parents.forget([ref])
    }
    problems.clear(`damage/item/${id}`)
  }

  /** Versions of an item that are known to be missing. */
  #lackingOf(id: ItemId): FactRef[] {
    return (this.#short.get(id)?.lost ?? []).map(version => ({ id, version }))
  }

  async #saveShort(): Promise<void> {
    const { ledger, store } = this.#member
    if (this.#short.size === 0 && (await readShort(store)).size === 0) return
    await ledger.record([shortWrite(this.#short)])
  }

  async #loadShort(): Promise<void> {
    for (const [id, short] of await readShort(this.#member.store)) {
      this.#short.set(id, { ...short, since: Math.min(short.since, this.#nowMs()) })
      const sentence = `A version of ${id} was damaged here, and is not fetched again yet.`
      this.#tell({ what: 'item', id, sentence })
    }
  }

  /** What came back, from others or by a user who wrote the item anew. */
  async #look(): Promise<void> {
    const { store } = this.#member
    const ids = [...this.#short.keys()].slice(0, limits.pageMax)
    const summaries = await store.items(ids)
    const before = this.#short.size
    for (const [at, id] of ids.entries()) {
      const short = this.#short.get(id)
      if (short === undefined) continue
      if (await this.#isWhole(short, summaries[at])) {
        this.#settle(id)
        continue
      }
      this.#short.delete(id)
      this.#short.set(id, short) // at the end: it keeps no other waiting
    }
    if (this.#short.size < before) await this.#saveShort()
    if (this.#short.size > 0 || !this.#madeGap) return
    this.#madeGap = false
    if (this.#gap) this.setGap(false)
  }

  /** All of it came back, or a user wrote the item anew at this member. */
  async #isWhole({ promised, lost, since }: Short, summary: ItemSummary | undefined) {
    if (summary === undefined || summary.facts < promised) return false
    const { self, store } = this.#member
    const refs = lost.map(version => ({ id: summary.id, version }))
    if ((await store.facts(refs)).every(held => held !== undefined)) return true
    if (summary.unrooted > 0) return false
    const facts = await store.factsOf(summary.id)
    return facts.some(({ fact }) => fact.by === self && stampMs(fact.at) > since)
  }

  #nowMs(): number {
    return this.#member.ledger.host.nowMs()
  }

  /** Where one thing is damaged, others may be: everything is looked at, in the background. */
  #scrub(): void {
    const now = this.#member.now()
    if (now - this.#scrubAt < limits.scrubAgainMs) return
    this.#scrubAt = now
    this.#member.background(this.#lookAtAll())
  }

  async #lookAtAll(): Promise<void> {
    let isSound = true
    for await (const { damages } of this.#member.store.verify()) {
      if (this.#member.stopped) return
      this.take(damages)
      isSound &&= damages.length === 0
    }
    if (isSound) this.soundAgain()
  }
}
