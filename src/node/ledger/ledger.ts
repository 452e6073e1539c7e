/**
 * The ledger: the only place that changes facts. Changes are taken in order, many in one batch;
 * a batch is worked out in memory (item rules, sets, trees), handed to the store as one atomic
 * write, and answered when that is durable. The next batch is worked out while the last one is
 * being fsync'd: if a write fails the process ends, so nobody ever sees a retreat.
 */
import {
  type Fact,
  type FactRef,
  type Incarnation,
  type ItemId,
  type ItemSummary,
  isSystemId,
  type MemberId,
} from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { idHashOf } from '../../base/id-hash.ts'
import { limits } from '../../base/limits.ts'
import type { Stamp } from '../../base/stamp.ts'
import { VecheError } from '../../base/veche-error.ts'
import { addNumbers, assignSequence, type Outgoing } from '../../consensus/agreement/sequences.ts'
import type { PlantedBug } from '../../consensus/agreement/state.ts'
import { Families } from '../../consensus/items/families.ts'
import { rootOf } from '../../consensus/items/id.ts'
import type { FamilyView, Policy } from '../../consensus/items/view.ts'
import type { EventBody } from '../../control/protocol-network.ts'
import { EMPTY_ROOT } from '../../merkle/tree.ts'
import type { Store, Write } from '../../storage/store.ts'
import { Batch } from './batch.ts'
import { ChangeQueue, type Job } from './change-queue.ts'
import type {
  AddedFact,
  Received,
  ReceiveOptions,
  Reception,
  Restate,
  RestateResult,
  UserWrite,
  Written,
} from './changes.ts'
import { EventLog, itemEvents, type LedgerEvent } from './events.ts'
import { LiveItems } from './live-items.ts'
import { type Mended, mendAll } from './mend.ts'
import { receiveAll } from './receive.ts'
import { Recent } from './recent.ts'
import { restateAll } from './restate.ts'
import type { Sets, SetUpdate } from './sets.ts'
import { type FactFold, grown } from './short.ts'
import type { ItemWork } from './work.ts'
import { writeOne } from './write.ts'

/** What the ledger needs to know and to tell. */
export interface LedgerHost {
  readonly self: MemberId
  readonly incarnation: Incarnation
  readonly planted: ReadonlySet<PlantedBug>
  isSource(): boolean
  /** A new stamp of the network clock. */
  stamp(): Stamp
  /** Milliseconds of the network clock. */
  nowMs(): number
  policyOf(id: ItemId): Policy
  /** Throws a VecheError when a user's write of an item may stand on an old version of it. */
  mustBeBase(id: ItemId): void
  /** Whether a fact was held here and its record was found damaged. */
  isLost(ref: FactRef): boolean
  /** Facts added by this member: to be sent now, in parallel with the own fsync. */
  onAdded(facts: readonly AddedFact[]): void
  /**
   * Facts entered the held tree (counter-sync), which has that root now: told in step with the tree,
   * not when durable.
   */
  onGained(refs: readonly FactRef[], held: Hash): void
  /** Damaged facts left the held tree, which has that root now. */
  onLost(held: Hash): void
  /** Called when a batch is durable. */
  onDurable(batch: DurableBatch): void
  /** A change could not be worked out or written: nobody may go on from here. */
  onFatal(error: unknown): void
  /** Small records that go along with every batch (the clock's reserve, vectors). */
  companions(): Write[]
  /** Resolves in a later turn of the loop, when all that has arrived by then was looked at. */
  turn(): Promise<void>
}

/** What a durable batch brought. */
export interface DurableBatch {
  readonly gained: readonly FactRef[]
  readonly missing: readonly FactRef[]
  readonly wanted: ReadonlyMap<Hash, number>
  readonly payloads: readonly Hash[]
  readonly events: readonly LedgerEvent[]
}

/** A batch that is worked out. */
interface Done {
  readonly batch: Batch
  readonly works: readonly ItemWork[]
  readonly events: readonly LedgerEvent[]
  readonly answers: readonly (() => void)[]
}

export class Ledger {
  readonly store: Store
  readonly sets: Sets
  readonly host: LedgerHost
  readonly outgoing: Outgoing
  readonly cache = new Recent<ItemId, ItemSummary>(limits.summariesCachedMax)
  /** Items of which a record was found damaged: until `mend`, only their facts are believed. */
  readonly damaged = new Set<ItemId>()
  /**
   * What items had with all that a change left out, because it could not be read; `null`: nobody knows.
   * Until `mend`: their summaries have forgotten it.
   */
  readonly whole = new Map<ItemId, FactFold | null>()
  /** Agreed user facts, and facts set aside: both zero means *empty* (PROTOCOL 1). */
  agreedFacts = 0
  setAsideFacts = 0
  systemFacts = 0
  /** Split items as they were looked at last. */
  readonly families = new Families()
  /** What a user would list. */
  live = new LiveItems()
  nextOrder: number
  /** Root ids of split items of which something is missing: looked at when a fact of theirs comes. */
  readonly waitingFamilies = new Set<ItemId>()
  readonly events: EventLog
  readonly #queue: ChangeQueue
  #running = false
  #closed = false
  #ended: Promise<void> = Promise.resolve()
  #lastCommit: Promise<unknown> = Promise.resolve()
  /** Commits under way, by the root ids of their items. */
  readonly #underWay = new Map<ItemId, Promise<unknown>>()

  constructor(options: { store: Store; sets: Sets; host: LedgerHost; outgoing: Outgoing }) {
    this.store = options.store
    this.sets = options.sets
    this.host = options.host
    this.outgoing = options.outgoing
    this.nextOrder = options.store.lastPendingOrder() + 1
    this.events = new EventLog(options.store)
    this.#queue = new ChangeQueue(() => options.host.turn())
  }

  /** No agreed user fact and nothing set aside. */
  get empty(): boolean {
    return this.agreedFacts === 0 && this.setAsideFacts === 0
  }

  isSystem(id: ItemId): boolean {
    return isSystemId(id)
  }

  /** What a user can see of a family, by all facts of it. */
  viewOf(root: ItemId, facts: readonly Fact[]): FamilyView {
    return this.families.view(root, facts, this.host.policyOf(root))
  }

  systemRoot(): Hash {
    return this.sets.system.count === 0 ? EMPTY_ROOT : this.sets.system.root()
  }

  /** A user's write. Rejects with a VecheError when the item's rules refuse it. */
  write(write: UserWrite): Promise<Written> {
    return this.#submit(
      () => [write.id],
      batch => writeOne(this, batch, write),
    )
  }

  /** Facts of another member; one reception for each. */
  receive(facts: readonly Received[], options: ReceiveOptions): Promise<Reception[]> {
    return this.#submit(
      () => facts.map(received => received.fact.id),
      batch => receiveAll(this, batch, facts, options),
      { facts: facts.length },
    )
  }

  /** Moves facts between the sets; facts that are not held, or are there already, are passed over. */
  restate(refs: readonly FactRef[], to: Restate): Promise<RestateResult> {
    return this.#submit(
      () => refs.map(ref => ref.id),
      batch => restateAll(this, batch, refs, to),
      { facts: refs.length },
    )
  }

  /** Makes what is kept of items anew from the facts of them that can be read. */
  mend(ids: ReadonlySet<ItemId>): Promise<Mended> {
    return this.#submit(
      () => [],
      batch => mendAll(this, batch, ids),
      { alone: true },
    )
  }

  /** Other durable records, in order with the facts. */
  record(writes: readonly Write[]): Promise<void> {
    return this.#submit(
      () => [],
      async batch => {
        batch.writes.push(...writes)
      },
    )
  }

  /** Events that come with no fact: numbered in order with those of facts, or watchers lose some. */
  tell(bodies: readonly EventBody[]): Promise<readonly LedgerEvent[]> {
    return this.#submit(
      () => [],
      async batch => {
        const { writes, events } = this.events.append(bodies)
        batch.writes.push(...writes)
        return events
      },
    )
  }

  /**
   * Runs in order with the changes, without writing: sees everything taken before. It has a batch
   * of its own, since the store has nothing yet of the batch that is being worked out.
   */
  inOrder<T>(read: () => Promise<T>): Promise<T> {
    return this.#submit(() => [], read, { alone: true })
  }

  /** Resolves when everything worked out so far is durable. */
  async durable(): Promise<void> {
    await this.#lastCommit
  }

  /** Takes no more changes; resolves when all that were taken are durable. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#ended
    await this.#lastCommit
  }

  /**
   * Resolves when what is held now of an item and its split items is durable: what a reader was
   * shown must survive a crash. At once when nothing of it is under way.
   */
  async durableOf(id: ItemId): Promise<void> {
    await this.#underWay.get(rootOf(id))
  }

  /** Everything agreed has its place in a tree; what is pending has none. */
  readonly isNew = (id: ItemId): boolean => {
    const { sets, store } = this
    return !isSystemId(id) && store.counts().pending === 0 && !sets.settled.has(idHashOf(id))
  }

  /** Gives the next number of this incarnation. */
  assign(ref: FactRef): number {
    return assignSequence(this.outgoing, ref)
  }

  #submit<T>(
    ids: Job['ids'],
    apply: (batch: Batch) => Promise<T>,
    { alone = false, facts = 1 }: Partial<Pick<Job, 'alone' | 'facts'>> = {},
  ): Promise<T> {
    if (this.#closed) return Promise.reject(new VecheError('STOPPING', 'The daemon is stopping.'))
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#queue.push({ ids, facts, alone, apply, resolve: resolve as Job['resolve'], reject })
    if (!this.#running) this.#ended = this.#run().catch(error => this.host.onFatal(error))
    return promise
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      while (!this.#queue.isEmpty) await this.#runBatch(await this.#queue.next())
    } finally {
      this.#running = false
    }
  }

  async #runBatch(jobs: readonly Job[]): Promise<void> {
    const batch = new Batch(this)
    await batch.prepare(jobs.flatMap(job => [...job.ids()]))
    const answers: (() => void)[] = []
    for (const job of jobs) {
      try {
        const result = await job.apply(batch)
        answers.push(() => job.resolve(result))
      } catch (error) {
        job.reject(error)
      }
    }
    batch.finish()
    const works = batch.changedWorks()
    if (batch.writes.length === 0) {
      await this.#lastCommit
      for (const answer of answers) answer()
      return
    }
    const events = await itemEvents(this, batch, works)
    const updates: SetUpdate[] = []
    for (const work of works) updates.push(await this.sets.prepare(work))
    const viewOf = (root: ItemId, facts: readonly Fact[]) => this.viewOf(root, facts)
    const count = await this.live.prepare(batch, works, viewOf)
    // From here to the commit nothing is awaited: whoever sees the sets with this batch in them
    // waits for its commit, and whoever sees the held tree was told what it gained.
    for (const update of updates) this.sets.update(update)
    count()
    const { held } = this.sets
    const hasLost = this.#writeOff(works)
    if (held !== null && hasLost) this.host.onLost(held.root())
    else if (held !== null && batch.gained.length > 0) {
      this.host.onGained(batch.gained, held.root())
    }
    this.#commit({ batch, works, events, answers })
  }

  /**
   * A change of an item of which something cannot be read any more takes that out of the trees, before
   * or in place of the mending. Answers whether there was any.
   */
  #writeOff(works: readonly ItemWork[]): boolean {
    let hasLost = false
    for (const work of works) {
      const lost = work.lost()
      const isBack = (version: Hash) => this.host.isLost({ id: work.id, version })
      const before = this.whole.has(work.id) ? this.whole.get(work.id) : work.said
      if (this.whole.has(work.id) || (lost !== null && work.hasForgotten(lost))) {
        this.whole.set(work.id, before == null ? null : grown(before, work, isBack))
      }
      if (lost === null) continue
      hasLost = true
      if (isSystemId(work.id)) this.systemFacts -= lost.facts
      else this.agreedFacts -= lost.agreed
    }
    return hasLost
  }

  #commit({ batch, works, events, answers }: Done): void {
    this.#queue.begun()
    if (batch.added.length > 0) this.host.onAdded(batch.added)
    const payloads: Hash[] = []
    for (const write of batch.writes) if (write.kind === 'payload') payloads.push(write.blob)
    const committed = this.store.commit([...batch.writes, ...this.host.companions()]).then(() => {
      for (const { sequence } of batch.added) addNumbers(this.outgoing.own, sequence, sequence)
      const { gained, missing, wanted } = batch
      this.host.onDurable({ gained, missing, wanted, payloads, events })
      for (const answer of answers) answer()
      this.#queue.ended()
    })
    if (this.host.planted.has('answer-before-persist')) for (const answer of answers) answer()
    this.#lastCommit = committed
    const ended = this.#isUnderWay(works, committed)
    committed.then(ended, error => this.host.onFatal(error))
  }

  /** Notes which items a commit holds, until it has ended. */
  #isUnderWay(works: readonly ItemWork[], committed: Promise<unknown>): () => void {
    const roots = new Set(works.map(work => rootOf(work.id)))
    for (const root of roots) this.#underWay.set(root, committed)
    return () => {
      for (const root of roots) {
        if (this.#underWay.get(root) === committed) this.#underWay.delete(root)
      }
    }
  }
}
