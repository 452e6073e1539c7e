/**
 * Adds on their way out and in (PROTOCOL 6): own adds go to every reached member at once, adds of
 * Sources are taken in every status, acknowledged when fact and payload are durable, and gaps are
 * noticed by number and filled from the adder, or from whoever has the fact.
 */
import type { FactRef, MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { isReached } from '../../consensus/agreement/reach.ts'
import {
  addNumbers,
  createIncoming,
  hasNumber,
  type Incoming,
  missingNumbers,
  type Range,
  raiseFloor,
  takeAck,
  vectorOf,
} from '../../consensus/agreement/sequences.ts'
import type {
  Ack,
  AckVector,
  Add,
  Adds,
  Adopt,
  AskSequences,
  Envelope,
  Ping,
  Sequences,
} from '../../consensus/messages.ts'
import type { AddedFact, Reception } from '../ledger/changes.ts'
import type { Context } from './context.ts'
import { fetchFacts } from './fetching.ts'
import type { Levels } from './levels.ts'
import type { Offers } from './offers.ts'
import { passOn } from './relaying.ts'
import { factBytes, inBatches } from './size.ts'

/** A gap is looked after this often; adds that are just on their way close most by themselves. */
const GAP_EVERY_MS = 300
/** One that could not be filled for long is asked after less often. */
const GAP_OLD_EVERY_MS = 5000
/** Numbers are kept longer than a gap is looked after. */
const KEEP_NUMBERS_MS = 1.5 * limits.gapMs
const MOMENT_MS = 1000
/** What was said already is said again after this long: a message may be lost without a trace. */
const ACK_AGAIN_MS = 5000

/** A number of an adder, and the payload of its fact. */
interface Numbered {
  readonly number: number
  readonly blob: Hash
}

export class Adding {
  readonly #context: Context
  readonly #offers: Offers
  readonly #incoming = new Map<MemberId, Incoming>()
  /** Numbers whose fact is here and whose payload is not yet. */
  readonly #waiting = new Map<Hash, { readonly incoming: Incoming; readonly number: number }[]>()
  readonly #levels: Levels
  /** What each adder was told last over the link that stands. */
  readonly #told = new Map<MemberId, { readonly vector: AckVector; readonly at: number }>()
  /** The last number at some moments, oldest first: to know which are old enough to forget. */
  readonly #moments: { readonly at: number; readonly last: number }[] = []
  #filling = new Set<MemberId>()

  constructor(context: Context, offers: Offers, levels: Levels) {
    this.#context = context
    this.#offers = offers
    this.#levels = levels
  }

  /** Sends what this member just added to every reached member. */
  sendAdds(facts: readonly AddedFact[]): void {
    const whole = facts.filter(fact => !fact.offered)
    const named = facts.filter(fact => fact.offered)
    const bodies: (Adds | Adopt)[] = []
    for (const part of inBatches(whole, ({ fact, payload }) => factBytes(fact, payload))) {
      bodies.push({ kind: 'adds', adds: part.map(asAdd) })
    }
    for (const part of inBatches(named, ({ fact }) => 128 + 3 * fact.id.length)) {
      bodies.push({ kind: 'adopt', adds: part.map(asAdoption) })
    }
    for (const peer of this.#context.reached()) {
      for (const body of bodies) this.#context.links.send(peer, body)
    }
  }

  /** Adds of another member; only a Source adds. */
  async onAdds(envelope: Envelope, { adds }: Adds): Promise<void> {
    const incoming = this.#of(envelope)
    if (incoming === undefined || !this.#mayAdd(envelope)) return
    const receptions = await this.#context.ledger.receive(adds, {
      from: envelope.uuid,
      stampRule: this.#context.agreement.source === null ? 'take' : 'smaller',
    })
    for (const [at, add] of adds.entries()) await this.#number(incoming, add, receptions[at]!)
    this.#acknowledge(incoming)
    passOn(this.#context, envelope.uuid, envelope.uuid, adds, receptions)
  }

  /** Adds of facts that were offered before. */
  async onAdopt(envelope: Envelope, { adds }: Adopt): Promise<void> {
    const incoming = this.#of(envelope)
    if (incoming === undefined || !this.#mayAdd(envelope)) return
    const whole: Add[] = []
    for (const { sequence, added, ref } of adds) {
      const offered = this.#offers.take(envelope.uuid, ref)
      if (offered !== undefined) whole.push({ sequence, added, ...offered })
      else incoming.last = Math.max(incoming.last, sequence)
    }
    await this.onAdds(envelope, { kind: 'adds', adds: whole })
  }

  /** The other says what of my numbers it has. */
  onAck(envelope: Envelope, { vector }: Ack): void {
    if (vector.adder !== this.#context.self) return
    const from = { member: envelope.uuid, incarnation: envelope.incarnation }
    takeAck(this.#context.ledger.outgoing, from, vector)
    this.#levels.onAck()
  }

  /** A ping tells how far its sender's numbers go. */
  onPing(envelope: Envelope, ping: Ping): void {
    if (ping.sequence === 0) return
    const incoming = this.#of(envelope)
    if (incoming === undefined) return
    incoming.last = Math.max(incoming.last, ping.sequence)
    // Below its floor the adder waits for nobody: those facts come by comparing trees.
    if (ping.floor > 1 && incoming.numbers.upTo < ping.floor - 1) {
      addNumbers(incoming.numbers, incoming.numbers.upTo + 1, ping.floor - 1)
      addNumbers(incoming.seen, 1, ping.floor - 1)
    }
    const hasAny = incoming.numbers.upTo > 0 || incoming.numbers.ranges.length > 0
    if (hasAny && !this.#isTold(incoming)) this.#acknowledge(incoming)
  }

  /** The link to a member broke: whatever was said over it may not have come. */
  unlinked(peer: MemberId): void {
    this.#told.delete(peer)
  }

  /** Whether an adder was told just this a short while ago. */
  #isTold({ adder, incarnation, numbers }: Incoming): boolean {
    const told = this.#told.get(adder)
    if (told === undefined || this.#context.now() - told.at >= ACK_AGAIN_MS) return false
    const { vector } = told
    if (vector.incarnation !== incarnation || vector.upTo !== numbers.upTo) return false
    const ranges = numbers.ranges.slice(0, limits.ackRangesMax)
    const isSame = ([from, to]: Range, at: number) =>
      vector.ranges[at]?.[0] === from && vector.ranges[at][1] === to
    return vector.ranges.length === ranges.length && ranges.every(isSame)
  }

  /** Names the facts of my numbers to a member that has a gap. */
  onAskSequences(from: MemberId, ask: AskSequences): void {
    const entries: { sequence: number; ref: FactRef }[] = []
    const { outgoing } = this.#context.ledger
    if (ask.incarnation === outgoing.incarnation) {
      for (const [low, high] of ask.ranges) {
        const top = Math.min(high, outgoing.last)
        for (let n = Math.max(low, outgoing.floor); n <= top; n++) {
          if (entries.length >= limits.holdsMax) break
          const ref = outgoing.sent.get(n)
          if (ref !== undefined) entries.push({ sequence: n, ref })
        }
      }
    }
    this.#context.links.send(from, { kind: 'sequences', request: ask.request, entries })
  }

  /** Payloads that became durable complete the numbers that waited for them. */
  onPayloads(blobs: readonly Hash[]): void {
    const complete = new Set<Incoming>()
    for (const blob of blobs) {
      for (const { incoming, number } of this.#waiting.get(blob) ?? []) {
        // A number of an ended incarnation says nothing under the new one.
        if (this.#incoming.get(incoming.adder) !== incoming) continue
        addNumbers(incoming.numbers, number, number)
        complete.add(incoming)
      }
      this.#waiting.delete(blob)
    }
    for (const incoming of complete) this.#acknowledge(incoming)
  }

  /** Looks after gaps and forgets old numbers; called with every tick. */
  tick(): void {
    const now = this.#context.now()
    this.#forgetOld(now)
    for (const incoming of this.#incoming.values()) {
      if (incoming.seen.upTo >= incoming.last || !this.#mayAsk(incoming.adder)) {
        incoming.gapSince = null
        this.#context.problems.clear(`gap/${incoming.adder}`)
        continue
      }
      if (incoming.gapSince === null) {
        incoming.gapSince = now
        incoming.fillAt = now + GAP_EVERY_MS
      }
      if (now < incoming.fillAt || this.#filling.has(incoming.adder)) continue
      const isOld = now - incoming.gapSince > limits.gapMs
      if (isOld) this.#report(incoming)
      incoming.fillAt = now + (isOld ? GAP_OLD_EVERY_MS : GAP_EVERY_MS)
      this.#filling.add(incoming.adder)
      this.#context.background(
        this.#fill(incoming).finally(() => this.#filling.delete(incoming.adder)),
      )
    }
  }

  /**
   * What an adder holds that is Source no more is not agreed for us: it hands it in later. And who is
   * not reached can be asked for nothing; its adds are passed on by others. While all that is missing
   * is being taken from a Source, the same facts would come twice.
   */
  #mayAsk(adder: MemberId): boolean {
    const { agreement } = this.#context
    if (agreement.status === 'source-sync') return false
    const peer = agreement.peers.get(adder)
    return peer !== undefined && peer.sourceSince !== null && isReached(agreement, peer)
  }

  /** A fact added long ago is under the cut: whoever lacks it finds it by comparing trees. */
  #forgetOld(now: number): void {
    const { outgoing } = this.#context.ledger
    const moments = this.#moments
    if (now - (moments.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= MOMENT_MS) {
      moments.push({ at: now, last: outgoing.last })
    }
    while (moments.length > 0 && now - moments[0]!.at >= KEEP_NUMBERS_MS) {
      // A number that is not durable here yet has no waiter yet: a disk may be slow for long.
      const waiting = Math.min(this.#levels.lowestWaiting(), outgoing.own.upTo + 1)
      const floor = Math.min(moments.shift()!.last + 1, waiting)
      raiseFloor(outgoing, floor)
    }
  }

  #mayAdd(envelope: Envelope): boolean {
    if (envelope.status === 'source') return true
    this.#context.counters.addsFromNonSources += 1
    return false
  }

  /** What is held of the sender's incarnation; undefined for a late message of a former life. */
  #of(envelope: Envelope): Incoming | undefined {
    const { peers } = this.#context.agreement
    if (peers.get(envelope.uuid)?.incarnation !== envelope.incarnation) return undefined
    const known = this.#incoming.get(envelope.uuid)
    if (known?.incarnation === envelope.incarnation) return known
    const incoming = createIncoming(envelope.uuid, envelope.incarnation)
    this.#incoming.set(envelope.uuid, incoming)
    return incoming
  }

  async #number(incoming: Incoming, add: Add, reception: Reception): Promise<void> {
    incoming.last = Math.max(incoming.last, add.sequence)
    if (reception.kind !== 'later') addNumbers(incoming.seen, add.sequence, add.sequence)
    if (reception.kind === 'refused') {
      this.#context.blame(incoming.adder, `added a fact that is refused: ${reception.sentence}`)
      this.#context.counters.factsRefused += 1
      return
    }
    if (reception.kind === 'later') return
    const { blob } = add.fact
    const isHasty = this.#context.agreement.planted.has('ack-before-payload')
    if (blob === null || add.payload !== null || isHasty) {
      addNumbers(incoming.numbers, add.sequence, add.sequence)
      return
    }
    await this.#numberWithBlobs(incoming, [{ number: add.sequence, blob }])
  }

  /** Counts numbers whose payloads are here, and has the others wait for theirs. */
  async #numberWithBlobs(incoming: Incoming, numbers: readonly Numbered[]): Promise<void> {
    if (numbers.length === 0) return
    const here = await this.#context.store.hasPayloads(numbers.map(({ blob }) => blob))
    if (here.includes(true)) await this.#context.ledger.durable() // a read also sees what is not durable yet
    for (const [at, { number, blob }] of numbers.entries()) {
      if (here[at] === true) addNumbers(incoming.numbers, number, number)
      else this.#awaitBlob(incoming, number, blob)
    }
  }

  #awaitBlob(incoming: Incoming, number: number, blob: Hash): void {
    const waiting = this.#waiting.get(blob) ?? []
    if (!waiting.some(entry => entry.incoming === incoming && entry.number === number)) {
      waiting.push({ incoming, number })
    }
    this.#waiting.set(blob, waiting)
  }

  #acknowledge(incoming: Incoming): void {
    this.#context.links.sendLatest(incoming.adder, `ack/${incoming.adder}`, () => {
      const vector = vectorOf(incoming)
      this.#told.set(incoming.adder, { vector, at: this.#context.now() })
      return { kind: 'ack', vector }
    })
  }

  async #fill(incoming: Incoming): Promise<void> {
    const ranges = missingNumbers(incoming.seen, incoming.last, limits.ackRangesMax)
    const answer = await this.#context.links.ask(incoming.adder, {
      kind: 'askSequences',
      incarnation: incoming.incarnation,
      ranges,
    })
    if (answer?.kind !== 'sequences' || this.#incoming.get(incoming.adder) !== incoming) return
    await this.#take(incoming, answer)
    this.#acknowledge(incoming)
  }

  async #take(incoming: Incoming, { entries }: Sequences): Promise<void> {
    const open = entries.filter(entry => !hasNumber(incoming.seen, entry.sequence))
    const refs = open.map(entry => entry.ref)
    const held = await this.#context.store.facts(refs)
    const missing = refs.filter((_, at) => held[at]?.state.kind !== 'agreed')
    if (missing.length > 0) await fetchFacts(this.#context, incoming.adder, missing)
    const found = await this.#context.store.facts(refs)
    await this.#context.ledger.durable()
    const withBlobs: Numbered[] = []
    for (const [at, { sequence }] of open.entries()) {
      const { fact, state } = found[at] ?? {}
      if (fact === undefined || state?.kind !== 'agreed') continue
      addNumbers(incoming.seen, sequence, sequence)
      if (fact.blob === null) addNumbers(incoming.numbers, sequence, sequence)
      else withBlobs.push({ number: sequence, blob: fact.blob })
    }
    await this.#numberWithBlobs(incoming, withBlobs)
  }

  #report(incoming: Incoming): void {
    this.#context.problems.set(`gap/${incoming.adder}`, {
      reason: 'gap',
      member: incoming.adder,
      sentence: 'Some facts that this member added did not arrive within 10 s.',
      nextStep: 'Nothing: comparing trees brings them. If it lasts, check the link.',
    })
  }
}

function asAdd({ sequence, added, fact, payload }: AddedFact): Add {
  return { sequence, added, fact, payload }
}

function asAdoption({ sequence, added, fact }: AddedFact): Adopt['adds'][number] {
  return { sequence, added, ref: { id: fact.id, version: fact.version } }
}
