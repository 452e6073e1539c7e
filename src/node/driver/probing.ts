/**
 * "Are you there?": every member probes every roster member once a second on the direct stream;
 * any direct answer counts as an answer, the answer to a probe also tells the round trip.
 */
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Probe, Probed } from '../../consensus/messages.ts'
import type { Context } from './context.ts'

export class Probing {
  readonly #context: Context
  readonly #sent = new Map<MemberId, { readonly number: number; readonly at: number }>()
  #number = 0
  #probedAt = Number.NEGATIVE_INFINITY

  constructor(context: Context) {
    this.#context = context
  }

  /** Probes all members when a second has passed. */
  tick(): void {
    const now = this.#context.now()
    if (now - this.#probedAt < limits.pingMs) return
    this.#probedAt = now
    for (const peer of this.#context.agreement.peers.keys()) this.probe(peer)
  }

  /** Probes one member: at once when its link opens. */
  probe(peer: MemberId): void {
    this.#number += 1
    this.#sent.set(peer, { number: this.#number, at: this.#context.now() })
    this.#context.links.send(peer, { kind: 'probe', number: this.#number })
  }

  onProbe(from: MemberId, { number }: Probe): void {
    this.#context.links.send(from, { kind: 'probed', number })
  }

  onProbed(from: MemberId, { number }: Probed): void {
    const now = this.#context.now()
    const sent = this.#sent.get(from)
    const rttMs = sent?.number === number ? now - sent.at : null
    this.#context.dispatch({ kind: 'answered', now, peer: from, rttMs })
  }
}
