/**
 * A member: the pure machines, the ledger and the parts of the driver, put together and driven by
 * messages and ticks. This is what the daemon opens on libp2p and LevelDB, and what the simulator
 * opens, many at a time, on ports that lie.
 *
 * Order of things on one member: a message is decoded, its envelope goes to the agreement machine,
 * its bodies go to the parts; a tick moves the cut and lets every part look after its own.
 */
import { toHex } from '../../base/bytes.ts'
import type { Incarnation, ItemId, MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import type { Stamp } from '../../base/stamp.ts'
import type { AgreementEvent, Effect } from '../../consensus/agreement/events.ts'
import { step, stoodStill } from '../../consensus/agreement/machine.ts'
import { reachedPeers } from '../../consensus/agreement/reach.ts'
import { createOutgoing } from '../../consensus/agreement/sequences.ts'
import {
  type AgreementState,
  createAgreement,
  type PlantedBug,
} from '../../consensus/agreement/state.ts'
import { type Policy, splitPolicy } from '../../consensus/items/policy.ts'
import type { WriteStamp } from '../../consensus/items/write.ts'
import type { Envelope } from '../../consensus/messages.ts'
import type { Counting } from '../../consensus/roster/counting.ts'
import type { EventBody, Problem } from '../../control/protocol-network.ts'
import type { Store } from '../../storage/store.ts'
import { encodeFrame } from '../../wire/frame.ts'
import type { AddedFact } from '../ledger/changes.ts'
import { type DurableBatch, Ledger } from '../ledger/ledger.ts'
import { rebuild } from '../ledger/rebuild.ts'
import type { StartLook } from '../ledger/start-look.ts'
import type { Ports, Timer } from '../ports.ts'
import { Adding } from './adding.ts'
import { Answering } from './answering.ts'
import { Comparing } from './comparing.ts'
import { type Context, createCounters, Problems, tellDisk } from './context.ts'
import { Draining } from './draining.ts'
import { EventFeed } from './feed.ts'
import { MissingParents } from './fetching.ts'
import { HeldTree } from './held.ts'
import { Inbound } from './inbound.ts'
import { Levels } from './levels.ts'
import { Links } from './links.ts'
import { Mending } from './mending.ts'
import { NetworkTime } from './network-time.ts'
import { Offers } from './offers.ts'
import { OwnSets } from './own-sets.ts'
import { Pace } from './pace.ts'
import { Payloads } from './payloads.ts'
import { bodyOfPing, pingOf } from './pings.ts'
import { Probing } from './probing.ts'
import { rearrange } from './rearranging.ts'
import { Roster } from './roster.ts'

/** Problems that are over when their member is none any more. */
const PEER_PROBLEMS = ['clock', 'gap', 'peer'] as const

export interface MemberOptions {
  readonly ports: Ports
  readonly store: Store
  readonly policyOf?: (id: ItemId) => Policy
  /** What was seen of the items while the store was opened. */
  readonly look?: StartLook | undefined
  readonly planted?: ReadonlySet<PlantedBug>
  /** Called when something happened that no run can go on from; the process must end. */
  readonly onFatal: (error: Error) => void
}

export class Member implements Context {
  readonly self: MemberId
  readonly incarnation: Incarnation
  readonly ports: Ports
  readonly store: Store
  readonly ledger: Ledger
  readonly links: Links
  readonly agreement: AgreementState
  readonly problems: Problems
  readonly counters = createCounters()
  readonly planted: ReadonlySet<PlantedBug>
  /** What becomes of collisions, by id. */
  readonly policyOf: (id: ItemId) => Policy
  readonly adding: Adding
  readonly answering: Answering
  readonly comparing: Comparing
  readonly draining: Draining
  readonly feed: EventFeed
  readonly held: HeldTree
  readonly levels: Levels
  readonly offers = new Offers()
  readonly own: OwnSets
  readonly mending: Mending
  readonly parents: MissingParents
  readonly payloads: Payloads
  readonly probing: Probing
  readonly roster: Roster
  readonly time: NetworkTime
  readonly #onFatal: (error: Error) => void
  readonly #pace = new Pace()
  #timer: Timer | null = null
  #stopped = false
  #failed = false

  /** Opens a member on its store: rebuilds the trees and reads the roster. Nothing is said yet. */
  static async open(options: MemberOptions): Promise<Member> {
    const { ports, store } = options
    const time = await NetworkTime.start(ports.clock, store)
    const rebuilt = await rebuild(store, time.cut(), options.policyOf, options.look)
    const member = new Member(options, time, rebuilt)
    await member.roster.load()
    await member.payloads.load()
    member.parents.note(rebuilt.missing)
    for (const problem of rebuilt.problems) member.problems.set(`start/${problem.reason}`, problem)
    await member.mending.begin(rebuilt)
    return member
  }

  private constructor(
    options: MemberOptions,
    time: NetworkTime,
    rebuilt: Awaited<ReturnType<typeof rebuild>>,
  ) {
    this.ports = options.ports
    this.store = options.store
    this.self = options.ports.network.self
    this.planted = options.planted ?? new Set()
    this.#onFatal = options.onFatal
    this.time = time
    this.mending = new Mending(this, rebuilt.gap)
    this.incarnation = toHex(options.ports.entropy.bytes(8))
    this.policyOf = options.policyOf ?? (() => splitPolicy)
    this.ledger = new Ledger({
      store: options.store,
      sets: rebuilt.sets,
      outgoing: createOutgoing(this.incarnation),
      host: {
        self: this.self,
        incarnation: this.incarnation,
        planted: this.planted,
        isSource: () => this.#isSource(),
        stamp: () => time.stamp(),
        nowMs: () => time.nowMs(),
        policyOf: this.policyOf,
        mustBeBase: id => this.mending.mustBeBase(id),
        isLost: ref => this.mending.isLost(ref),
        onAdded: facts => this.#onAdded(facts),
        onGained: (refs, held) => this.dispatch({ kind: 'gained', now: this.now(), refs, held }),
        onLost: held => this.dispatch({ kind: 'lost', now: this.now(), held }),
        onDurable: batch => this.#onDurable(batch),
        companions: () => time.reserve(),
        turn: () => this.ports.turn(),
        onFatal: error => this.#fail(error),
      },
    })
    this.ledger.agreedFacts = rebuilt.agreedFacts
    this.ledger.setAsideFacts = rebuilt.setAsideFacts
    this.ledger.systemFacts = rebuilt.systemFacts
    this.ledger.live = rebuilt.live
    for (const root of rebuilt.waitingFamilies) this.ledger.waitingFamilies.add(root)
    this.links = new Links({
      network: this.ports.network,
      clock: this.ports.clock,
      log: this.ports.log,
      envelope: () => this.envelope(),
    })
    this.problems = new Problems(
      problem => this.#onProblem(problem),
      () => this.now(),
    )
    this.own = new OwnSets(this)
    this.agreement = createAgreement({
      self: this.self,
      now: this.now(),
      roster: [this.self],
      quorum: 'visible',
      own: this.own.now(),
      planted: this.planted,
    })
    this.feed = new EventFeed(this)
    this.levels = new Levels(this)
    this.adding = new Adding(this, this.offers, this.levels)
    this.answering = new Answering(this)
    this.comparing = new Comparing(this)
    this.draining = new Draining(this)
    this.held = new HeldTree(this)
    this.parents = new MissingParents(this)
    this.payloads = new Payloads(this, blobs => this.adding.onPayloads(blobs))
    this.probing = new Probing(this)
    this.roster = new Roster(this, counting => this.#onRoster(counting))
    this.store.onFault(error => this.#fail(error))
    this.store.onDamage(damage => this.mending.found(damage))
  }

  /** Opens the links and begins to tick. */
  async start(): Promise<void> {
    await this.ports.network.start(new Inbound(this))
    this.roster.announceContacts()
    this.#tick()
  }

  /** Ends in order: waiters are answered, everything taken is durable, the store stays open. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#timer?.cancel()
    this.levels.stop()
    this.roster.voting.stop()
    this.feed.stop()
    await this.ports.network.stop()
    this.links.stop()
    await this.ledger.close()
    const { settled } = this.ledger.sets
    this.store.journalCut({ cut: settled.cut, root: settled.root(), items: settled.tree.count })
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** Whether something that was held once is gone, and not refilled yet. */
  get gap(): boolean {
    return this.mending.gap
  }

  now(): number {
    return this.ports.clock.monotonicMs()
  }

  reached(): MemberId[] {
    return reachedPeers(this.agreement).map(peer => peer.id)
  }

  /** When and by whom something is written here, now. */
  stampedBy(): WriteStamp {
    return { at: this.time.stamp(), by: this.self }
  }

  /** What every message carries. */
  envelope(): Envelope {
    this.#noticeStandstill()
    const { own, status } = this.agreement
    return {
      uuid: this.self,
      incarnation: this.incarnation,
      status,
      hash: own.hash,
      cut: own.cut,
      clock: this.time.stamp(),
      held: own.held,
      empty: own.empty,
      gap: own.gap,
    }
  }

  #isSource(): boolean {
    this.#noticeStandstill()
    return this.agreement.source !== null
  }

  /** Work that was on its way when this process stood still may go on before the next tick. */
  #noticeStandstill(): void {
    const now = this.now()
    if (stoodStill(this.agreement, now)) this.dispatch({ kind: 'tick', now })
  }

  dispatch(event: AgreementEvent): void {
    if (this.#stopped || this.roster.isRemoved) return
    for (const effect of step(this.agreement, event)) this.#run(effect)
  }

  background(work: Promise<unknown>): void {
    work.catch(error => {
      if (!this.#stopped) this.#fail(error)
    })
  }

  doubted(blob: Hash): void {
    this.mending.doubted(blob)
  }

  blame(peer: MemberId, sentence: string): void {
    this.ports.log('debug', sentence, { peer })
    this.problems.set(`peer/${peer}`, {
      reason: 'peer',
      member: peer,
      sentence: `This member ${sentence}.`,
      nextStep: 'Look at its version and its store (`veche verify` there).',
    })
  }

  /** Takes a clock that was heard from a roster member. */
  hear(stamp: Stamp, from: MemberId): void {
    this.problems.note(`clock/${from}`, this.time.hear(stamp, from))
  }

  #tick(): void {
    if (this.#stopped) return
    const now = this.now()
    this.#timer = this.ports.clock.after(this.#pace.tickMs(this.agreement, now), () => this.#tick())
    this.problems.note('clock', this.time.steer())
    const cut = this.time.cut()
    const isCutMoving = cut > this.ledger.sets.settled.cut
    this.dispatch({ kind: 'tick', now, isCutMoving })
    if (isCutMoving) this.own.moveCut(cut)
    const renewal = this.time.renewal()
    if (renewal.length > 0) this.background(this.ledger.record(renewal))
    this.mending.tick()
    this.probing.tick()
    this.adding.tick()
    this.parents.tick()
    this.payloads.tick()
    this.draining.tick()
    this.levels.tick()
    this.roster.tick()
    tellDisk(this)
    this.offers.dropSilent((peer, ms) => {
      const heardAt = this.agreement.peers.get(peer)?.heardAt ?? Number.NEGATIVE_INFINITY
      return now - heardAt > ms
    })
  }

  #run(effect: Effect): void {
    if (effect.kind !== 'announce') this.#pace.worked(this.now())
    switch (effect.kind) {
      case 'announce':
        return this.#publishPing()
      case 'status':
        this.ports.log('info', `${effect.from} → ${effect.to}: ${effect.sentence}`)
        this.feed.status(effect.to)
        return
      case 'hold':
        return this.held.set(effect.on)
      case 'compare':
        return this.background(this.comparing.run(effect))
      case 'rearrange':
        return this.background(rearrange(this, effect))
      case 'gapClosed':
        return this.mending.setGap(false)
    }
  }

  #publishPing(): void {
    const bodies = [bodyOfPing(pingOf(this))]
    this.ports.network.publish(encodeFrame({ envelope: this.envelope(), bodies }))
    this.probing.along()
  }

  #onAdded(facts: readonly AddedFact[]): void {
    this.#pace.worked(this.now())
    this.adding.sendAdds(facts)
    this.levels.onAdded(facts)
  }

  #onDurable(batch: DurableBatch): void {
    if (this.#stopped) return
    this.#pace.worked(this.now())
    this.parents.arrived(batch.gained)
    this.parents.note(batch.missing)
    for (const [blob, size] of batch.wanted) this.payloads.want(blob, size)
    if (batch.payloads.length > 0) {
      this.payloads.have(batch.payloads)
      this.adding.onPayloads(batch.payloads)
    }
    this.levels.onAgreed(batch.events.flatMap(({ body }) => (body.kind === 'agreed' ? [body] : [])))
    this.levels.onAck()
    this.feed.publish(batch.events)
    this.roster.onDurable(batch.gained)
    if (this.agreement.own.empty !== this.ledger.empty || this.held.isOn) this.own.tell()
  }

  #onRoster({ quorum, bodies, shown }: Counting): void {
    const members = [...new Set(bodies.flat())]
    for (const peer of this.agreement.peers.keys()) {
      if (members.includes(peer)) continue
      for (const kind of PEER_PROBLEMS) this.problems.clear(`${kind}/${peer}`)
    }
    const now = this.now()
    this.dispatch({ kind: 'roster', now, members, quorum, bodies, configuration: shown })
  }

  #onProblem(problem: Problem): void {
    const { reason, id, member } = problem
    this.ports.log('warn', problem.sentence, { reason, id, member })
    this.feed.append([{ kind: 'problem', ...problem } as EventBody])
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#stopped = true
    this.#timer?.cancel()
    this.#onFatal(error instanceof Error ? error : new Error(String(error)))
  }
}
