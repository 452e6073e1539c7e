/**
 * The roster (PROTOCOL 10, quorum `visible`): the set of (peer, membership number) added and not
 * removed, kept as system facts by the same code as everything else. A change by any Source takes
 * effect at once; two rosters that meet are merged, since both are sets that only grow. A member
 * that rejoins has a new membership number.
 */
import type { Bytes } from '../../base/bytes.ts'
import { type Fact, type FactRef, isSystemId, type MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { STAMP_ZERO } from '../../base/stamp.ts'
import { VecheError } from '../../base/veche-error.ts'
import type { Quorum } from '../../consensus/agreement/state.ts'
import type { Ping } from '../../consensus/messages.ts'
import { decodeDoorAnswer, encodeDoorRequest } from '../../wire/door.ts'
import { type Admission, type Contact, NetworkError } from '../ports.ts'
import { AddressBook } from './address-book.ts'
import { Door } from './door.ts'
import type { Member } from './member.ts'
import { type Membership, membershipsOf, systemFact, systemFacts, systemId } from './system.ts'

const SYNC_EVERY_MS = 1000
/** A removal is told to all before links are cut; who does not answer in this time is not awaited. */
const TELL_MS = 1000
/** Who reaches nobody asks so often at a door whether it is still a member. */
const HELLO_EVERY_MS = 5000

export class Roster {
  readonly #member: Member
  readonly #changed: (members: readonly MemberId[], quorum: Quorum) => void
  readonly door: Door
  /** All memberships ever, newest of each peer last. */
  #memberships: readonly Membership[] = []
  #quorum: Quorum = 'visible'
  #network = ''
  readonly #book = new AddressBook()
  readonly #roots = new Map<MemberId, string>()
  readonly #askedAt = new Map<MemberId, number>()
  /** Removals that are being told: links stay as they are meanwhile. */
  #telling = 0
  #helloAt: number
  #hellos = 0
  #loading: Promise<void> = Promise.resolve()

  constructor(member: Member, changed: (members: readonly MemberId[], quorum: Quorum) => void) {
    this.#member = member
    this.#changed = changed
    this.door = new Door(member)
    this.#helloAt = member.now() + HELLO_EVERY_MS
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
    const memberships = membershipsOf(facts)
    await this.#book.load(
      this.#member.store,
      memberships.map(entry => entry.peer),
    )
    this.#memberships = memberships
    for (const fact of facts) {
      if (fact.id === systemId.network) this.#network = String(meta(fact).name ?? '')
      if (fact.id === systemId.quorum)
        this.#quorum = meta(fact).quorum === 'roster' ? 'roster' : 'visible'
    }
    const now = this.members()
    this.#changed(
      now.map(entry => entry.peer),
      this.#quorum,
    )
    this.#tell(before, new Map(now.map(entry => [entry.peer, entry])))
  }

  get network(): string {
    return this.#network
  }

  get quorum(): Quorum {
    return this.#quorum
  }

  /** Members in effect. */
  members(): Membership[] {
    return this.#memberships.filter(entry => !entry.removed)
  }

  isMember(peer: MemberId): boolean {
    return this.#memberships.some(entry => entry.peer === peer && !entry.removed)
  }

  /** Whether it is a member or was one. */
  wasMember(peer: MemberId): boolean {
    return this.#memberships.some(entry => entry.peer === peer)
  }

  /** Whether this member left or was removed, and has not joined again. */
  get isRemoved(): boolean {
    const mine = this.#memberships.filter(entry => entry.peer === this.#member.self)
    return mine.length > 0 && mine.every(entry => entry.removed)
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
   * network's key: it may knock, to redeem an invitation or to learn that it was removed.
   */
  admit(peer: MemberId): Admission {
    if (this.isRemoved) return 'refuse'
    return this.isMember(peer) ? 'member' : 'door'
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
    const now = this.#member.now()
    const reached = this.#member.reached()
    if (reached.length > 0) this.#helloAt = now + HELLO_EVERY_MS
    else if (now >= this.#helloAt) this.#sayHello(now)
    for (const peer of reached) {
      const theirs = this.#roots.get(peer)
      if (theirs === undefined || theirs === mine) continue
      if (now - (this.#askedAt.get(peer) ?? Number.NEGATIVE_INFINITY) < SYNC_EVERY_MS) continue
      this.#askedAt.set(peer, now)
      this.#member.background(this.#sync(peer))
    }
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

  /** Adds a member and tells all at once. */
  async add(
    peer: MemberId,
    described: { name: string; addresses: readonly string[] },
  ): Promise<void> {
    const number = this.#memberships.filter(entry => entry.peer === peer).length + 1
    await this.#write(systemId.member(peer, number), { ...described, peer, number })
  }

  /**
   * Ends all memberships of a peer. All are told, that peer, too, before the links with it are cut:
   * nobody who is reached has to find out by being refused.
   */
  async remove(peer: MemberId): Promise<void> {
    const told = [...this.#member.agreement.peers.keys()]
    this.#telling += 1
    try {
      for (const entry of this.#memberships) {
        if (entry.peer !== peer || entry.removed) continue
        await this.#write(
          systemId.removed(peer, entry.number),
          { peer, number: entry.number },
          told,
        )
      }
      const { links } = this.#member
      // Frames keep their order: who answers this has the removal.
      await Promise.all(
        told.map(one => links.ask(one, { kind: 'askSystem' }, { timeoutMs: TELL_MS })),
      )
    } finally {
      this.#telling -= 1
      this.announceContacts()
    }
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

  /** Refuses what changes the roster while the network's settings do not allow it. */
  assertChangeable(): void {
    if (this.#quorum !== 'roster') return
    const sentence =
      'This network needs more than half of its roster (quorum: roster); this version cannot ' +
      'change such a roster yet.'
    throw new VecheError('BAD_REQUEST', sentence)
  }

  async #write(
    id: string,
    described: Readonly<Record<string, unknown>>,
    told: Iterable<MemberId> = this.#member.agreement.peers.keys(),
  ): Promise<void> {
    const fact = systemFact(id, described, this.#member.stampedBy())
    await this.take(this.#member.self, [fact])
    for (const peer of told) {
      this.#member.links.send(peer, { kind: 'system', request: 0, facts: [fact] })
    }
  }

  /**
   * Asks one of the members at its door, as a stranger may: who was removed while it was away is
   * let in nowhere else, and would never learn why.
   */
  #sayHello(now: number): void {
    this.#helloAt = now + HELLO_EVERY_MS
    const others = this.members().filter(entry => entry.peer !== this.#member.self)
    const other = others[this.#hellos++ % Math.max(1, others.length)]
    if (other === undefined || this.isRemoved) return
    this.#member.background(this.#hello(other.peer))
  }

  async #hello(peer: MemberId): Promise<void> {
    const contact = { peer, addresses: this.addressesOf(peer) }
    try {
      const bytes = await this.#member.ports.network.knock(
        contact,
        encodeDoorRequest({ kind: 'hello' }),
      )
      const answer = decodeDoorAnswer(bytes, limits.doorAnswerBytesMax)
      if (!answer.ok) this.#member.blame(peer, `answers at its door what cannot be read`)
      else if (answer.value.kind === 'removed') await this.take(peer, answer.value.facts)
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      this.#member.ports.log('debug', 'no door opened', { peer, why: error.message })
    }
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

function meta(fact: Fact): Readonly<Record<string, unknown>> {
  return typeof fact.meta === 'object' && fact.meta !== null && !Array.isArray(fact.meta)
    ? (fact.meta as Readonly<Record<string, unknown>>)
    : {}
}
