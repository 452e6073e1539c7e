/**
 * One agreement machine on a bench: no world, messages of others made by hand. For tests of single
 * rules, where a whole world would hide what is looked at.
 */
import { limits } from '../../src/base/limits.ts'
import { stampOf } from '../../src/base/stamp.ts'
import type { AgreementEvent, Effect } from '../../src/consensus/agreement/events.ts'
import { step } from '../../src/consensus/agreement/machine.ts'
import {
  type AgreementState,
  createAgreement,
  type Own,
  type Peer,
  type Quorum,
} from '../../src/consensus/agreement/state.ts'
import type { Envelope, Ping } from '../../src/consensus/messages.ts'
import { EMPTY_ROOT } from '../../src/merkle/tree.ts'

export interface BenchOptions {
  readonly others: readonly string[]
  readonly own?: Partial<Own>
  readonly quorum?: Quorum
}

/** The member `me` among others that say what the test says. */
export class Bench {
  readonly state: AgreementState
  now = 0
  #clock = 0

  constructor({ others, own, quorum }: BenchOptions) {
    this.state = createAgreement({
      self: 'me',
      now: 0,
      roster: ['me', ...others],
      quorum: quorum ?? 'visible',
      own: { cut: 0, hash: 'h0', held: null, empty: false, gap: false, ...own },
    })
  }

  peer(id: string): Peer {
    return this.state.peers.get(id)!
  }

  take(event: AgreementEvent): Effect[] {
    return step(this.state, event)
  }

  tick(ms = 0): Effect[] {
    this.now += ms
    return this.take({ kind: 'tick', now: this.now })
  }

  own(own: Partial<Own>): Effect[] {
    return this.take({ kind: 'own', now: this.now, own: { ...this.state.own, ...own } })
  }

  /** An envelope of another, newer than all before unless a clock is given. */
  envelope(uuid: string, said: Partial<Envelope> = {}): Envelope {
    this.#clock += 1
    return {
      uuid,
      incarnation: 'i1',
      status: 'counter-sync',
      hash: EMPTY_ROOT,
      cut: 0,
      clock: stampOf(this.#clock),
      held: null,
      empty: false,
      gap: false,
      ...said,
    }
  }

  message(envelope: Envelope): Effect[] {
    return this.take({ kind: 'message', now: this.now, envelope })
  }

  ping(envelope: Envelope, said: Partial<Ping> = {}): Effect[] {
    const ping: Ping = {
      kind: 'ping',
      answers: [],
      reached: [],
      marked: [],
      systemRoot: '',
      configuration: 0,
      wallMs: 0,
      sequence: 0,
      floor: 1,
      addresses: [],
      ...said,
    }
    return this.take({ kind: 'ping', now: this.now, envelope, ping })
  }

  answered(peer: string): Effect[] {
    return this.take({ kind: 'answered', now: this.now, peer, rttMs: 1 })
  }

  /** The other answers, and says that this member answers it. */
  reach(uuid: string, said: Partial<Envelope> = {}): Effect[] {
    const effects = this.answered(uuid)
    return [...effects, ...this.ping(this.envelope(uuid, said), { answers: ['me'] })]
  }

  /** Makes this member Source now, as the machine would, with these as Sources beside it. */
  makeSource(...others: readonly string[]): this {
    for (const id of others) this.ping(this.envelope(id, { status: 'source' }))
    const { state } = this
    state.status = 'source'
    state.source = { since: this.now, checkAt: this.now + limits.checkMs }
    state.round = null
    state.sync = null
    state.holding = false
    state.history = [{ cut: state.own.cut, hash: state.own.hash }]
    return this
  }

  /** As above, and its first period is over: these were all in sync at the first check. */
  makeLongSource(...others: readonly string[]): this {
    this.makeSource(...others)
    for (const id of others) this.peer(id).marked = true
    this.tick(limits.checkMs)
    return this
  }
}

/** The ways that statuses took, as `from -> to`. */
export function waysOf(effects: readonly Effect[]): string[] {
  return effects.flatMap(effect =>
    effect.kind === 'status' ? [`${effect.from} -> ${effect.to}`] : [],
  )
}
