/**
 * What comes in: frames are decoded at one door, their envelope goes to the agreement machine, and
 * each body to the part that knows it. Nothing of a stranger gets past the envelope.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { unreachable } from '../../base/invariant.ts'
import { limits } from '../../base/limits.ts'
import type { Body, Frame } from '../../consensus/messages.ts'
import { decodeFrame } from '../../wire/frame.ts'
import type { Admission, Contact, Lane, NetworkListener } from '../ports.ts'
import { Asks } from './asks.ts'
import type { Member } from './member.ts'
import { pingOfBody } from './pings.ts'
import { onRelay } from './relaying.ts'
import { Twins } from './twins.ts'

/** Bytes of one member's adds that may wait for the disk before its stream is paused. */
const WORK_BYTES_MAX = 4 * 1024 * 1024

export class Inbound implements NetworkListener {
  readonly #member: Member
  readonly #asks: Asks
  readonly #twins: Twins
  readonly #atWork = new Map<MemberId, number>()

  constructor(member: Member) {
    this.#member = member
    this.#asks = new Asks(member.ports.clock)
    this.#twins = new Twins(member)
  }

  gossip(from: MemberId, bytes: Bytes): void {
    const frame = this.#decode(from, bytes, limits.gossipFrameBytesMax)
    if (frame === undefined) return
    const body = frame.bodies[0]
    if (body?.kind !== 'ping') return this.#refuse(from, 'sent gossip that is no ping')
    const { envelope } = frame
    const { agreement, self } = this.#member
    const ping = pingOfBody(body, [self, ...agreement.peers.keys()])
    const now = this.#member.now()
    this.#member.time.hearWall(ping.wallMs, from)
    this.#member.dispatch({ kind: 'ping', now, envelope, ping })
    this.#member.adding.onPing(envelope, ping)
    this.#member.roster.onPing(from, ping)
  }

  frame(from: MemberId, lane: Lane, bytes: Bytes): void | Promise<void> {
    const frame = this.#decode(from, bytes, limits.streamFrameBytesMax)
    if (frame === undefined) return
    const now = this.#member.now()
    this.#member.dispatch({ kind: 'message', now, envelope: frame.envelope })
    const works: Promise<unknown>[] = []
    for (const body of frame.bodies) {
      const work = this.#take(from, lane, frame, body)
      if (work !== undefined) works.push(work)
    }
    return works.length === 0 ? undefined : this.#backPressure(from, bytes.length, works)
  }

  connected(peer: MemberId): void {
    this.#member.probing.probe(peer)
  }

  disconnected(peer: MemberId): void {
    this.#member.links.drop(peer)
    this.#member.adding.unlinked(peer)
  }

  admit(peer: MemberId): Admission {
    return this.#member.roster.admit(peer)
  }

  door(from: MemberId, request: Bytes): Promise<Bytes> {
    return this.#member.roster.onDoor(from, request)
  }

  discovered(contact: Contact): void {
    this.#member.roster.onDiscovered(contact)
  }

  #decode(from: MemberId, bytes: Bytes, limitBytes: number): Frame | undefined {
    if (this.#member.stopped) return undefined
    const decoded = decodeFrame(bytes, limitBytes)
    if (!decoded.ok) {
      this.#refuse(from, `sent a message that does not decode: ${decoded.sentence}`)
      return undefined
    }
    if (decoded.frame.envelope.uuid !== from) {
      this.#refuse(from, 'sent a message in the name of another')
      return undefined
    }
    if (!this.#member.roster.isMember(from)) return undefined
    this.#member.hear(decoded.frame.envelope.clock, from)
    this.#twins.heard(decoded.frame.envelope)
    return decoded.frame
  }

  #refuse(from: MemberId, sentence: string): void {
    this.#member.counters.framesRefused += 1
    this.#member.blame(from, sentence)
  }

  /** The stream goes on at once while little is at work, else when this frame's work is done. */
  async #backPressure(
    from: MemberId,
    bytes: number,
    works: readonly Promise<unknown>[],
  ): Promise<void> {
    const before = this.#atWork.get(from) ?? 0
    this.#atWork.set(from, before + bytes)
    const done = Promise.all(works).finally(() => {
      this.#atWork.set(from, (this.#atWork.get(from) ?? bytes) - bytes)
    })
    this.#member.background(done)
    if (before + bytes > WORK_BYTES_MAX) await Promise.allSettled([done])
  }

  /** Answers a question when it is its turn, and only to a member that takes its answers. */
  #answer(
    from: MemberId,
    lane: Lane,
    work: () => void | Promise<void>,
    weight?: number,
  ): Promise<void> | undefined {
    const { links } = this.#member
    const unlessFull = () => (links.isFull(from, lane) ? undefined : work())
    const answered = this.#asks.answer(from, unlessFull, weight)
    if (answered === undefined) this.#member.blame(from, 'asks for more than it can take')
    return answered
  }

  #take(from: MemberId, lane: Lane, { envelope }: Frame, body: Body): Promise<void> | undefined {
    const answer = (work: () => void | Promise<void>, weight?: number) =>
      this.#answer(from, lane, work, weight)
    const { adding, answering, links, offers, probing, roster, store } = this.#member
    switch (body.kind) {
      case 'ping':
        this.#refuse(from, 'sent a ping on a direct stream')
        return undefined
      case 'probe':
        probing.onProbe(from, body)
        return undefined
      case 'probed':
        probing.onProbed(from, body)
        return undefined
      case 'twin':
        this.#twins.onTwin(from, body)
        return undefined
      case 'adds':
        return adding.onAdds(envelope, body)
      case 'relay':
        return onRelay(this.#member, envelope, body)
      case 'adopt':
        return adding.onAdopt(envelope, body)
      case 'ack':
        adding.onAck(envelope, body)
        return undefined
      case 'askSequences':
        return answer(() => adding.onAskSequences(from, body))
      case 'askFacts':
        return answer(() => answering.onAskFacts(from, body))
      case 'askHolds':
        return answer(() => answering.onAskHolds(from, body))
      case 'askWalk':
        return answer(() => answering.onAskWalk(from, body), limits.askWeightOfWalk)
      case 'askItems':
        return answer(() => answering.onAskItems(from, body))
      case 'askChunk':
        return this.#answer(from, 'bulk', () => answering.onAskChunk(from, body))
      case 'offer':
        return offers.keep(from, body, store).then(agreed => {
          links.send(from, { kind: 'offered', request: body.request, agreed })
        })
      case 'askSystem':
        return answer(() => roster.onAskSystem(from, body.request))
      case 'system':
        if (body.request === 0) return roster.take(from, body.facts)
        return this.#answered(from, body)
      case 'prepare':
      case 'promise':
      case 'accept':
      case 'accepted':
      case 'denied':
        roster.onVoting(from, body)
        return undefined
      case 'sequences':
      case 'facts':
      case 'holds':
      case 'walked':
      case 'items':
      case 'offered':
      case 'chunk':
        return this.#answered(from, body)
      default:
        return unreachable(body)
    }
  }

  #answered(from: MemberId, body: Parameters<Member['links']['answered']>[1]): undefined {
    const now = this.#member.now()
    this.#member.dispatch({ kind: 'answered', now, peer: from, rttMs: null })
    this.#member.links.answered(from, body)
    return undefined
  }
}
