/**
 * One member of the model: the agreement machine of the product around abstract sets. It does what
 * the driver does, in its simplest form: ticks, probes and pings, carries the machine's effects out
 * with a delay, adds what users write, fills gaps by sequence and drains the pending queue.
 */
import {
  boundsOf,
  cutAt,
  hearClock,
  type NetworkClock,
  nextStamp,
  startClock,
} from '../../src/base/clock.ts'
import type { Stamp } from '../../src/base/stamp.ts'
import type { AgreementEvent, Effect } from '../../src/consensus/agreement/events.ts'
import { step } from '../../src/consensus/agreement/machine.ts'
import {
  type AgreementState,
  createAgreement,
  type Own,
  type PlantedBug,
  type Quorum,
} from '../../src/consensus/agreement/state.ts'
import type { Envelope, Ping } from '../../src/consensus/messages.ts'
import { ModelAdds } from './agreement-adds.ts'
import { compareSets } from './agreement-compare.ts'
import { drain } from './agreement-drain.ts'
import { isSameOwn, pingOf } from './agreement-ping.ts'
import { rearrangeSets } from './agreement-rearrange.ts'
import { ModelSets } from './agreement-sets.ts'
import type { World } from './agreement-world.ts'

const TICK_MS = 100
const PROBE_MS = 1000

export class ModelMember {
  readonly id: string
  readonly world: World
  sets: ModelSets
  /** The machine's wall clock is ahead of the world's by so much. */
  skewMs = 0
  /** How long its comparisons take besides the ways there and back. */
  walkMs: number | null = null
  gap = false
  planted: ReadonlySet<PlantedBug> = new Set()
  state!: AgreementState
  readonly adds: ModelAdds
  #clock!: NetworkClock
  #lastStamp: Stamp | null = null
  #alive = false
  /** Counts openings: what was begun in a former life is dropped. */
  #life = 0
  #pausedUntil = 0
  #probedAt = Number.NEGATIVE_INFINITY
  isDraining = false
  /** When this member last said something to all, and the longest silence between. */
  #saidAt = Number.NEGATIVE_INFINITY
  longestSilenceMs = 0
  comparisonsAnswered = 0

  constructor(world: World, id: string) {
    this.world = world
    this.id = id
    this.sets = new ModelSets(world.names)
    this.adds = new ModelAdds(this)
  }

  get isAlive(): boolean {
    return this.#alive
  }

  /** Which opening this is. */
  get life(): number {
    return this.#life
  }

  get isStandingStill(): boolean {
    return this.#pausedUntil > this.now
  }

  get isSource(): boolean {
    return this.#alive && this.state.source !== null
  }

  get now(): number {
    return this.world.agenda.now
  }

  start(roster: readonly string[], quorum: Quorum): void {
    this.#alive = true
    this.#life += 1
    this.isDraining = false

    this.#probedAt = Number.NEGATIVE_INFINITY
    this.#saidAt = this.now
    this.adds.open(`${this.id}/${this.#life}`)
    this.#clock = startClock({
      monotonicMs: this.now,
      wallMs: this.#wallMs(),
      persisted: this.#lastStamp,
    })
    this.sets.unhold()
    this.sets.advance(cutAt(this.#clock, this.now))
    this.state = createAgreement({
      self: this.id,
      now: this.now,
      roster,
      quorum,
      own: this.#own(),
      planted: this.planted,
    })
    this.later(this.world.chance.between(0, TICK_MS - 1), () => this.#tick())
  }

  /** Ends without a word; facts stay, all else is forgotten. */
  crash(): void {
    this.#lastStamp = this.#clock.last
    this.#alive = false
    this.#life += 1
  }

  /** Its disk is gone, with the clock that was kept on it. */
  wipe(): void {
    this.sets = new ModelSets(this.world.names)
    this.#lastStamp = null
    this.adds.forget()
  }

  /** Its process stands still: nothing that was to happen does, until then. */
  pause(ms: number): void {
    this.#pausedUntil = this.now + ms
  }

  setRoster(members: readonly string[], quorum: Quorum): void {
    this.take({ kind: 'roster', now: this.now, members, quorum })
  }

  /** What happens to this member later, unless it is opened anew before. */
  later(ms: number, run: () => void): void {
    const life = this.#life
    const when = () => {
      if (life !== this.#life) return
      if (this.#pausedUntil > this.now) this.world.agenda.after(this.#pausedUntil - this.now, when)
      else run()
    }
    this.world.agenda.after(ms, when)
  }

  /** One direct message to another member; it carries the envelope. */
  tell(to: ModelMember, receive: () => void): void {
    const envelope = this.envelope()
    this.world.network.send(this.id, to.id, () =>
      to.later(0, () => {
        to.hear(envelope)
        to.take({ kind: 'message', now: to.now, envelope })
        receive()
      }),
    )
  }

  hear(envelope: Envelope): void {
    hearClock(this.#clock, {
      stamp: envelope.clock,
      monotonicMs: this.now,
      bounds: boundsOf(this.#wallMs(), []),
    })
  }

  /** Feeds the machine and does what it asks for. */
  take(event: AgreementEvent): void {
    if (!this.#alive) return
    const round = this.state.round
    const effects = step(this.state, event)
    this.world.watch(this, effects, round)
    for (const effect of effects) this.#carryOut(effect)
  }

  /** Tells the machine of the own sets when they changed. */
  tellOwn(): void {
    const own = this.#own()
    const known = this.state.own
    if (!isSameOwn(own, known)) this.take({ kind: 'own', now: this.now, own })
  }

  /** Facts become agreed here; the machine hears what was not held before. */
  agreeAll(facts: readonly { readonly name: string; readonly added: Stamp }[]): number {
    const gained = facts.filter(({ name }) => !this.sets.isHeld(name)).map(({ name }) => name)
    let moved = 0
    for (const { name, added } of facts) if (this.sets.agree(name, added)) moved += 1
    this.tellGained(gained)
    if (this.world.durableMs === 0) this.tellOwn()
    else this.later(this.world.durableMs, () => this.tellOwn())
    return moved
  }

  tellGained(names: readonly string[]): void {
    if (names.length === 0 || this.sets.heldHash === null) return
    const refs = names.map(name => this.world.names.ref(name))
    this.take({ kind: 'gained', now: this.now, refs })
  }

  /** A user's write. */
  put(name: string): void {
    if (this.isSource) this.add([name])
    else this.sets.writePending(name)
  }

  /** Adds facts to the network as a Source: agreed here, and sent to all that are reached. */
  add(names: readonly string[]): void {
    this.agreeAll(this.adds.send(names, () => nextStamp(this.#clock, this.now)))
  }

  envelope(): Envelope {
    const { own, status } = this.state
    return {
      uuid: this.id,
      incarnation: this.adds.outgoing.incarnation,
      status,
      hash: own.hash,
      cut: own.cut,
      clock: nextStamp(this.#clock, this.now),
      held: own.held,
      empty: own.empty,
      gap: own.gap,
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'announce':
        return this.#announce()
      case 'status':
        return
      case 'hold':
        return this.#hold(effect.on)
      case 'compare':
        return compareSets(this, effect)
      case 'rearrange':
        return rearrangeSets(this, effect)
      case 'gapClosed':
        this.gap = false
        return this.later(0, () => this.tellOwn())
    }
  }

  #announce(): void {
    const envelope = this.envelope()
    const ping = pingOf(this.state, this.adds.outgoing)
    this.longestSilenceMs = Math.max(this.longestSilenceMs, this.now - this.#saidAt)
    this.#saidAt = this.now
    this.world.network.publish(this.id, this.world.ids, to => {
      const receiver = this.world.get(to)
      receiver.later(0, () => receiver.#hearPing(this, envelope, ping))
    })
  }

  #hearPing(from: ModelMember, envelope: Envelope, ping: Ping): void {
    if (!this.state.peers.has(from.id)) return
    this.hear(envelope)
    this.take({ kind: 'ping', now: this.now, envelope, ping })
    this.adds.fillGap(from, envelope.incarnation, ping.sequence)
  }

  #hold(on: boolean): void {
    if (!on) {
      this.sets.unhold()
      return this.later(0, () => this.tellOwn())
    }
    this.later(this.world.holdMs, () => {
      if (!this.state.holding || this.sets.heldHash !== null) return
      this.sets.hold()
      this.tellOwn()
    })
  }

  #tick(): void {
    this.sets.advance(cutAt(this.#clock, this.now))
    this.tellOwn()
    this.take({ kind: 'tick', now: this.now })
    if (this.now - this.#probedAt >= PROBE_MS) this.#probe()
    drain(this)
    this.later(TICK_MS, () => this.#tick())
  }

  #probe(): void {
    this.#probedAt = this.now
    const askedAt = this.now
    for (const peer of this.state.peers.keys()) {
      const other = this.world.get(peer)
      this.tell(other, () =>
        other.tell(this, () =>
          this.take({
            kind: 'answered',
            now: this.now,
            peer: other.id,
            rttMs: this.now - askedAt,
          }),
        ),
      )
    }
  }

  #own(): Own {
    return {
      cut: this.sets.cut,
      hash: this.sets.settledHash,
      held: this.sets.heldHash,
      empty: this.sets.isEmpty,
      gap: this.gap,
    }
  }

  #wallMs(): number {
    return this.world.wallMs() + this.skewMs
  }
}
