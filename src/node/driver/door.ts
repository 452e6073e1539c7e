/**
 * The door (PROTOCOL 10): invitations and removals. Only the member that issued an invitation
 * redeems it, and it writes "used by PEER" durably before it answers; a member that is asked to
 * redeem a foreign one passes the request on. Whoever was removed gets the proof of it, and nothing
 * else.
 */
import { type Bytes, utf8, utf8Text } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { type Hash, hashBytes } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import {
  type DoorAnswer,
  type DoorRefusalCode,
  type DoorRequest,
  decodeDoorAnswer,
  decodeDoorRequest,
  encodeDoorAnswer,
  encodeDoorRequest,
  INVITATION_SECRET_BYTES,
} from '../../wire/door.ts'
import { NetworkError } from '../ports.ts'
import type { Member } from './member.ts'
import { isKnownByMost } from './roster-changes.ts'
import { removalProof } from './roster-facts.ts'
import { systemFacts } from './system.ts'

/** An invitation as its issuer keeps it, by the hash of its secret. */
interface Invitation {
  readonly expires: number
  readonly uses: number
  readonly usedBy: readonly MemberId[]
}

type Redeem = Extract<DoorRequest, { kind: 'redeem' }>

const PREFIX = 'invitation/'

export class Door {
  readonly #member: Member
  #redeeming: Promise<unknown> = Promise.resolve()

  constructor(member: Member) {
    this.#member = member
  }

  /** Issues an invitation; the secret is kept as its hash only. */
  async invite(options: { readonly expires: number; readonly uses: number }): Promise<Bytes> {
    const secret = this.#member.ports.entropy.bytes(INVITATION_SECRET_BYTES)
    const secretHash = hashBytes(secret)
    await this.#write(secretHash, { ...options, usedBy: [] })
    return secret
  }

  /** Answers a knock. */
  async answer(from: MemberId, bytes: Bytes): Promise<Bytes> {
    const decoded = decodeDoorRequest(bytes, limits.doorRequestBytesMax)
    if (!decoded.ok) return encodeDoorAnswer(refused('NOT_MEMBER', decoded.sentence))
    return encodeDoorAnswer(await this.#answer(from, decoded.value))
  }

  async #answer(from: MemberId, request: DoorRequest): Promise<DoorAnswer> {
    const { roster } = this.#member
    if (request.kind === 'hello') {
      if (roster.isRemoved) return await this.#farewell()
      if (roster.isMember(from)) return await this.#welcome()
      const facts = removalProof(await systemFacts(this.#member.store), from)
      return facts.length > 0
        ? { kind: 'removed', facts }
        : refused('NOT_MEMBER', 'You are no member here.')
    }
    if (roster.isRemoved) {
      const sentence = 'The member that issued this token is a member no more. Ask another one.'
      return refused('UNKNOWN_TOKEN', sentence)
    }
    const isForwarded = request.peer !== from
    if (isForwarded && !roster.isMember(from)) {
      return refused('NOT_MEMBER', 'Only a member passes a request on.')
    }
    const answer = await this.#oneByOne(() => this.#redeem(request))
    if (answer !== undefined) return answer
    if (isForwarded) return refused('UNKNOWN_TOKEN', 'This member did not issue that token.')
    return await this.#forward(request)
  }

  /** One redeeming after the other: two at once would both find the last use of a token free. */
  #oneByOne<T>(redeem: () => Promise<T>): Promise<T> {
    const turn = this.#redeeming.then(redeem)
    // The next one in turn is not to blame for an error, which goes to who asked.
    this.#redeeming = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }

  /** Redeems an invitation of this member; undefined for a foreign one. */
  async #redeem(request: Redeem): Promise<DoorAnswer | undefined> {
    const { roster, agreement } = this.#member
    const { peer, name, addresses } = request
    const secretHash = hashBytes(request.secret)
    const invitation = await this.#read(secretHash)
    if (invitation === undefined) return undefined
    const isAgain = invitation.usedBy.includes(peer)
    if (isAgain && roster.isMember(peer)) return await this.#letIn(peer)
    // Who used it and was removed since does not come back by it.
    const isOver = isAgain && roster.wasMember(peer)
    if (isOver || (!isAgain && invitation.usedBy.length >= invitation.uses)) {
      return refused('USED_TOKEN', 'This token was used already. Ask for a new one.')
    }
    if (invitation.expires < this.#member.ports.clock.wallMs()) {
      return refused('EXPIRED_TOKEN', 'This token has expired. Ask for a new one.')
    }
    if (!roster.mayChange) {
      const sentence = 'The member that issued this token cannot change the roster now. Try again.'
      return refused('BUSY', sentence)
    }
    if (roster.quorum === 'visible' && agreement.source === null) {
      return refused('BUSY', 'The member that issued this token is not Source now. Try again.')
    }
    if (!isAgain) {
      const usedBy = [...invitation.usedBy, peer]
      await this.#write(secretHash, { ...invitation, usedBy })
    }
    await roster.add(peer, { name, addresses: addresses.slice(0, limits.addressesMax) })
    return await this.#letIn(peer)
  }

  /**
   * With quorum `roster` this member may be removed before it told anybody, and who was let in would
   * be known to nobody: more than half must know it first.
   */
  async #letIn(peer: MemberId): Promise<DoorAnswer> {
    if (await isKnownByMost(this.#member, peer)) return await this.#welcome()
    return refused('BUSY', 'More than half of the members must know of it first. Try again.')
  }

  /** All that a member says that left or was removed: that it did. */
  async #farewell(): Promise<DoorAnswer> {
    const { self, store } = this.#member
    return { kind: 'removed', facts: removalProof(await systemFacts(store), self) }
  }

  async #welcome(): Promise<DoorAnswer> {
    return { kind: 'welcome', facts: await systemFacts(this.#member.store) }
  }

  /** Asks the other members, of whom one issued the token. */
  async #forward(request: Redeem): Promise<DoorAnswer> {
    const { ports, roster } = this.#member
    let isSilent = false
    for (const { peer } of roster.members()) {
      // Who knocks may be a member here: it left, and all who knew of it lost their disks.
      if (peer === this.#member.self || peer === request.peer) continue
      try {
        const contact = { peer, addresses: roster.addressesOf(peer) }
        const bytes = await ports.network.knock(contact, encodeDoorRequest(request))
        const answer = decodeDoorAnswer(bytes, limits.doorAnswerBytesMax)
        if (!answer.ok || isUnknown(answer.value)) continue
        return answer.value
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error
        isSilent = true // it may be the issuer: the knocker may try again
      }
    }
    return isSilent
      ? refused('BUSY', 'The member that issued this token is not reached now. Try again.')
      : refused('UNKNOWN_TOKEN', 'No member of this network issued that token.')
  }

  async #read(secretHash: Hash): Promise<Invitation | undefined> {
    const bytes = await this.#member.store.meta(PREFIX + secretHash)
    return bytes === undefined ? undefined : (JSON.parse(utf8Text(bytes) ?? 'null') as Invitation)
  }

  async #write(secretHash: Hash, invitation: Invitation): Promise<void> {
    const value = utf8(JSON.stringify(invitation))
    await this.#member.ledger.record([{ kind: 'meta', key: PREFIX + secretHash, value }])
  }
}

function isUnknown(answer: DoorAnswer): boolean {
  return answer.kind === 'refused' && answer.code === 'UNKNOWN_TOKEN'
}

function refused(code: DoorRefusalCode, sentence: string): DoorAnswer {
  return { kind: 'refused', code, sentence }
}
