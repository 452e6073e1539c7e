/**
 * Hellos at the doors of others (PROTOCOL 10). A member asks one that it does not reach, as a stranger
 * may: who was removed while it was away is let in nowhere else, and would never learn why. That it
 * reaches others says nothing: they may have been removed with it. And who left and could not tell
 * says so there.
 */
import type { Fact, MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { VecheError } from '../../base/veche-error.ts'
import { type DoorAnswer, decodeDoorAnswer, encodeDoorRequest } from '../../wire/door.ts'
import { NetworkError } from '../ports.ts'
import type { Member } from './member.ts'
import { removalProof, standingOf } from './roster-facts.ts'
import { Stranger } from './stranger.ts'

/** Who does not reach some member asks so often at such a door who of the two is still one. */
const HELLO_EVERY_MS = 5000

export class Hellos {
  readonly #member: Member
  readonly #stranger: Stranger
  #nextAt: number
  #said = 0

  constructor(member: Member) {
    this.#member = member
    this.#stranger = new Stranger(member)
    this.#nextAt = member.now() + HELLO_EVERY_MS
  }

  /** Asks at the next door when it is time; called with every tick. */
  tick(reached: readonly MemberId[]): void {
    const now = this.#member.now()
    if (now >= this.#nextAt) {
      this.#nextAt = now + HELLO_EVERY_MS
      this.#askNext(reached)
    }
    this.#member.background(this.#stranger.tick(reached))
  }

  #askNext(reached: readonly MemberId[]): void {
    const { roster, self } = this.#member
    const others = roster.members().filter(({ peer }) => peer !== self && !reached.includes(peer))
    const other = others[this.#said++ % Math.max(1, others.length)]
    if (other === undefined || roster.isRemoved) return
    this.#member.background(this.#ask(other.peer))
  }

  async #ask(peer: MemberId): Promise<void> {
    const { ports, roster } = this.#member
    const contact = { peer, addresses: roster.addressesOf(peer) }
    try {
      const bytes = await ports.network.knock(contact, encodeDoorRequest({ kind: 'hello' }))
      const answer = decodeDoorAnswer(bytes, limits.doorAnswerBytesMax)
      if (!answer.ok) this.#member.blame(peer, `answers at its door what cannot be read`)
      else if (answer.value.kind === 'removed') await this.#takeProof(peer, answer.value.facts)
      else await this.#stranger.hear(peer, !isUnknown(answer.value))
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      ports.log('debug', 'no door opened', { peer, why: error.message })
    }
  }

  /** What a door says of this member; who was removed itself speaks of nobody else any more. */
  async #takeProof(peer: MemberId, facts: readonly Fact[]): Promise<void> {
    const { roster, self } = this.#member
    const about = [self, peer].flatMap(one => removalProof(facts, one))
    await roster.take(peer, [...new Set(about)])
    if (roster.isMember(peer) && saysItLeft(peer, facts)) await this.#endOf(peer)
  }

  /** Who left may have forgotten its last memberships with its disk: its word ends these, too. */
  async #endOf(peer: MemberId): Promise<void> {
    const { agreement, ports, roster } = this.#member
    const isSource = roster.quorum === 'roster' || agreement.source !== null
    if (roster.isRemoved || !roster.mayChange || !isSource) return
    try {
      await roster.remove(peer)
    } catch (error) {
      if (!(error instanceof VecheError)) throw error
      ports.log('debug', 'who left is still counted', { peer, why: error.message })
    }
  }
}

/** Whether system facts show a member's own memberships, and that all of them have ended. */
function saysItLeft(peer: MemberId, facts: readonly Fact[]): boolean {
  const own = standingOf(facts).memberships.filter(entry => entry.peer === peer)
  return own.length > 0 && own.every(({ removed }) => removed)
}

/** Not when it is busy: it says so while it joins itself. */
function isUnknown(answer: DoorAnswer): boolean {
  return answer.kind === 'refused' && answer.code === 'NOT_MEMBER'
}
