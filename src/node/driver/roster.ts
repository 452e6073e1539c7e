/**
 * The roster of one member (PROTOCOL 10), kept as system facts by the same code as everything else.
 * With quorum `visible` it is the set of (peer, membership number) added and not removed: a change
 * takes effect at once, and two rosters that meet are merged. With quorum `roster` who joined counts
 * nowhere until the members have decided so, and leaves only when they have (roster-voting.ts).
 *
 * A member that rejoins has a new membership number. Who was removed is told before it is cut off.
 */
import type { Bytes } from '../../base/bytes.ts'
import { type Fact, type FactRef, isSystemId, type MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { STAMP_ZERO } from '../../base/stamp.ts'
import { VecheError } from '../../base/veche-error.ts'
import { reachesMajority } from '../../consensus/agreement/reach.ts'
import type { Ping } from '../../consensus/messages.ts'
import { type Decision, isSameSeat, type Seat } from '../../consensus/roster/configuration.ts'
import type { Counting } from '../../consensus/roster/counting.ts'
import type { RosterMessage } from '../../consensus/roster/state.ts'
import type { Admission, Contact } from '../ports.ts'
import { AddressBook } from './address-book.ts'
import { Door } from './door.ts'
import { Hellos } from './hellos.ts'
import type { Member } from './member.ts'
import { decide, notChangeable, settleSeats } from './roster-changes.ts'
import { decisionFact, type Standing, seatOf, standingOf } from './roster-facts.ts'
import { Voting } from './roster-voting.ts'
import { type Membership, systemFact, systemFacts, systemId } from './system.ts'

const SYNC_EVERY_MS = 1000

export class Roster {
  readonly #member: Member
  readonly #changed: (counting: Counting) => void
  readonly door: Door
  readonly voting: Voting
  /** All memberships ever, newest of each peer last. */
  #memberships: readonly Membership[] = []
  /** Of these, those that were not removed; both are asked for with every tick. */
  #joined: readonly Membership[] = []
  #isRemoved = false
  #leaving: readonly Seat[] = []
  #network = ''
  readonly #book = new AddressBook()
  readonly #roots = new Map<MemberId, string>()
  readonly #askedAt = new Map<MemberId, number>()
  /** Removals that are being told: links stay as they are meanwhile. */
  #telling = 0
  readonly #hellos: Hellos
  #loading: Promise<void> = Promise.resolve()

  constructor(member: Member, changed: (counting: Counting) => void) {
    this.#member = member
    this.#changed = changed
    this.door = new Door(member)
    this.#hellos = new Hellos(member)
    this.voting = new Voting(member, {
      publish: decision => this.#publish(decision),
      tellAll: peer => member.background(this.onAskSystem(peer, 0)),
      fetchAll: peer => this.#fetch(peer),
      recount: () => this.#recount(),
    })
  }

  /**
   * Reads the system facts; called at the start and when one arrived. One reading after the other:
   * an older one that ended last would bring a roster back that is over.
   */
  load(): Promise<void> {
    this.#loading = this.#loading.then(() => this.#read())
    return this.#loading
  }

  async #read(): Promise<void> {
    const facts = await systemFacts(this.#member.store)
    const before = new Map(this.members().map(entry => [entry.peer, entry]))
    const { network, memberships, known, leaving, decisions }: Standing = standingOf(facts)
    await this.#book.load(
      this.#member.store,
      memberships.map(entry => entry.peer),
    )
    this.#memberships = memberships
    this.#joined = memberships.filter(entry => !entry.removed)
    const mine = memberships.filter(entry => entry.peer === this.#member.self)
    this.#isRemoved = mine.length > 0 && mine.every(entry => entry.removed)
    this.#leaving = leaving
    this.#network = network
    await this.voting.learn(known, decisions.at(-1) ?? null)
    this.#recount()
    this.#tell(before, new Map(this.members().map(entry => [entry.peer, entry])))
  }

  #recount(): void {
    this.#changed(this.voting.counting())
  }

  get network(): string {
    return this.#network
  }

  get quorum(): 'visible' | 'roster' {
    return this.voting.known.quorum
  }

  /** Who joined and was not removed; with quorum `roster` some may not be in effect yet. */
  members(): readonly Membership[] {
    return this.#joined
  }

  /** Whether a membership counts. */
  isInEffect(entry: Membership): boolean {
    return this.voting.known.members.some(seat => isSameSeat(seat, seatOf(entry)))
  }

  /** Whether this member itself counts. */
  get isElector(): boolean {
    return this.voting.known.members.some(({ peer }) => peer === this.#member.self)
  }

  /** Whether a change can be made from here now; with quorum `roster` it takes more than half. */
  get mayChange(): boolean {
    if (this.quorum === 'visible') return !this.voting.isFrozen
    return this.isElector && reachesMajority(this.#member.agreement)
  }

  isMember(peer: MemberId): boolean {
    if (this.#member.planted.has('let-in-removed')) return this.wasMember(peer)
    return this.#joined.some(entry => entry.peer === peer)
  }

  /** Whether it is a member or was one. */
  wasMember(peer: MemberId): boolean {
    return this.#memberships.some(entry => entry.peer === peer)
  }

  /** Whether this member left or was removed, and has not joined again. */
  get isRemoved(): boolean {
    return this.#isRemoved
  }

  nameOf(peer: MemberId): string {
    return this.#memberships.findLast(entry => entry.peer === peer)?.name ?? ''
  }

  addressesOf(peer: MemberId): readonly string[] {
    const told = this.#memberships.findLast(entry => entry.peer === peer)?.addresses ?? []
    return [...new Set([...this.#book.of(peer), ...told])].slice(0, limits.addressesMax)
  }

  /** Tells the network whom to keep links with. */
  announceContacts(): void {
    if (this.#telling > 0) return
    const contacts = this.members()
      .filter(entry => entry.peer !== this.#member.self)
      .map(entry => ({ peer: entry.peer, addresses: this.addressesOf(entry.peer) }))
    this.#member.ports.network.setContacts(this.isRemoved ? [] : contacts)
  }

  /**
   * How far a peer is let in: members wholly. Whoever else got here has proved that it holds the
   * network's key: it may knock, to redeem an invitation or to learn that it was removed. Who was
   * removed itself only opens its door: who does not know of it may have joined since, or again.
   */
  admit(peer: MemberId): Admission {
    return this.isMember(peer) && !this.isRemoved ? 'member' : 'door'
  }

  onDoor(from: MemberId, request: Bytes): Promise<Bytes> {
    return this.door.answer(from, request)
  }

  /** Learns where a member can be dialled, and whether its system facts differ. */
  onPing(from: MemberId, ping: Ping): void {
    this.#roots.set(from, ping.systemRoot)
    const writes = this.#book.hear(from, ping.addresses)
    if (writes.length === 0) return
    this.#member.background(this.#member.ledger.record(writes))
    this.announceContacts()
  }

  onDiscovered(contact: Contact): void {
    if (!this.isMember(contact.peer)) return
    if (this.#book.find(contact.peer, contact.addresses)) this.announceContacts()
  }

  /** Members whose system facts differ are asked for theirs, at most once a second each. */
  tick(): void {
    const mine = this.#member.ledger.systemRoot()
    const reached = this.#member.reached()
    this.#hellos.tick(reached)
    if (this.isRemoved) return this.voting.stop()
    this.voting.tick(this.mayChange)
    settleSeats(this.#member, this.members(), this.#leaving)
    // Who counts nowhere reaches nobody, and learns what is decided from whomever it is linked with.
    for (const peer of this.isElector ? reached : this.#linked()) {
      const theirs = this.#roots.get(peer)
      if (theirs === undefined || theirs === mine) continue
      this.#fetch(peer)
    }
  }

  /** A message about the next configuration. */
  onVoting(from: MemberId, message: RosterMessage): void {
    if (!this.isRemoved) this.voting.onMessage(from, message)
  }

  /** System facts arrived by the common way. */
  onDurable(gained: readonly FactRef[]): void {
    if (!gained.some(ref => isSystemId(ref.id))) return
    this.#member.background(this.load().then(() => this.announceContacts()))
  }

  async onAskSystem(from: MemberId, request: number): Promise<void> {
    const facts = await systemFacts(this.#member.store)
    this.#member.links.send(from, { kind: 'system', request, facts })
  }

  /** Takes system facts of another member. */
  async take(from: MemberId, facts: readonly Fact[]): Promise<void> {
    const received = facts
      .filter(fact => this.#member.ledger.isSystem(fact.id))
      .map(fact => ({ fact, payload: null, added: STAMP_ZERO }))
    await this.#member.ledger.receive(received, { from, stampRule: 'smaller' })
    await this.load()
    this.announceContacts()
  }

  /**
   * Lets a peer in, and tells all at once. With quorum `roster` it is in effect when it runs, is
   * linked with a member, and more than half have accepted it: the members see to that themselves.
   */
  async add(
    peer: MemberId,
    described: { name: string; addresses: readonly string[] },
  ): Promise<void> {
    const number = this.#memberships.filter(entry => entry.peer === peer).length + 1
    const fact = this.#fact(systemId.member(peer, number), { ...described, peer, number })
    await this.#announce(fact, this.#others())
  }

  /**
   * Ends all memberships of a peer; with quorum `roster` it is back when that is decided. All are
   * told, that peer, too, before the links with it are cut: nobody who is reached has to find out
   * by being refused. Throws UNAVAILABLE when it cannot be decided.
   */
  async remove(peer: MemberId): Promise<void> {
    const told = this.#others()
    this.#telling += 1
    try {
      for (const entry of this.#memberships) {
        if (entry.peer !== peer || entry.removed) continue
        const isDecided = this.quorum === 'roster' && this.isInEffect(entry)
        if (isDecided) await decide(this.#member, { kind: 'remove', seat: seatOf(entry) })
        else {
          const described = { peer, number: entry.number }
          await this.#announce(this.#fact(systemId.removed(peer, entry.number), described), told)
        }
      }
      await this.#heardBy(told)
    } finally {
      this.#telling -= 1
      this.announceContacts()
    }
  }

  /** What was decided is a system fact like any other, and this member learns it by that. */
  async #publish(decision: Decision): Promise<void> {
    const told = this.#others()
    this.#telling += 1
    try {
      await this.#announce(decisionFact(decision, this.#member.stampedBy()), told)
      if (decision.change.kind === 'remove') await this.#heardBy(told)
    } finally {
      this.#telling -= 1
      this.announceContacts()
    }
  }

  /** Frames keep their order: who answers this has heard what was said before. */
  async #heardBy(told: readonly MemberId[]): Promise<void> {
    const { links } = this.#member
    await Promise.all(
      told.map(one => links.ask(one, { kind: 'askSystem' }, { timeoutMs: limits.tellMs })),
    )
  }

  /** The member that a uuid or a name means. */
  find(nameOrUuid: string): Membership {
    const found = this.members().filter(
      entry => entry.peer === nameOrUuid || entry.name === nameOrUuid,
    )
    const only = found[0]
    if (only === undefined) {
      const sentence = `There is no member ${nameOrUuid}. \`veche members\` lists them.`
      throw new VecheError('NOT_FOUND', sentence, { member: nameOrUuid })
    }
    if (found.length > 1) {
      const sentence = `${found.length} members are named ${nameOrUuid}: use the uuid.`
      throw new VecheError('BAD_REQUEST', sentence, { parameter: 'member' })
    }
    return only
  }

  /** Refuses what changes the roster where it cannot be changed now. Throws UNAVAILABLE. */
  assertChangeable(): void {
    if (!this.mayChange) throw notChangeable(this.#member)
  }

  /** Everybody else who joined: also who was let in and is not in effect yet. */
  #others(): MemberId[] {
    const { agreement, self } = this.#member
    const joined = this.members().map(({ peer }) => peer)
    return [...new Set([...joined, ...agreement.peers.keys()])].filter(peer => peer !== self)
  }

  #linked(): MemberId[] {
    return this.#others().filter(peer => this.#member.ports.network.isConnected(peer))
  }

  #fact(id: string, described: Readonly<Record<string, unknown>>): Fact {
    return systemFact(id, described, this.#member.stampedBy())
  }

  async #announce(fact: Fact, told: readonly MemberId[]): Promise<void> {
    await this.take(this.#member.self, [fact])
    for (const peer of told) {
      this.#member.links.send(peer, { kind: 'system', request: 0, facts: [fact] })
    }
  }

  /** Asks a member for its system facts, at most once a second. */
  #fetch(peer: MemberId): void {
    const now = this.#member.now()
    if (now - (this.#askedAt.get(peer) ?? Number.NEGATIVE_INFINITY) < SYNC_EVERY_MS) return
    this.#askedAt.set(peer, now)
    this.#member.background(this.#sync(peer))
  }

  async #sync(peer: MemberId): Promise<void> {
    const answer = await this.#member.links.ask(peer, { kind: 'askSystem' })
    if (answer?.kind === 'system') await this.take(peer, answer.facts)
  }

  #tell(before: ReadonlyMap<MemberId, Membership>, after: ReadonlyMap<MemberId, Membership>): void {
    if (before.size === 0) return
    const tell = (change: 'joined' | 'removed', here: typeof before, not: typeof before) => {
      for (const [uuid, { name }] of here) {
        if (!not.has(uuid)) this.#member.feed.append([{ kind: 'member', uuid, name, change }])
      }
    }
    tell('joined', after, before)
    tell('removed', before, after)
  }
}
