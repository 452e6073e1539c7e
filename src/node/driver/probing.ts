/**
 * "Are you there?": every member probes every roster member once a second on the direct stream;
 * any direct answer counts as an answer, the answer to a probe also tells the round trip.
 *
 * Who is probed answers, and asks back in the same frame when its own probe is due soon: two members
 * that have nothing else to say need three frames a second, not four. The first of them goes along
 * with a ping, so that the other one wakes up once for both.
 */
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Probe, Probed } from '../../consensus/messages.ts'
import type { Context } from './context.ts'

/** A probe that is due within this time goes along with a ping or an answer. */
const SOON_MS = limits.pingMs / 2

export class Probing {
  readonly #context: Context
  readonly #sent = new Map<MemberId, { readonly number: number; readonly at: number }>()
  #number = 0

  constructor(context: Context) {
    this.#context = context
  }

  /** Probes all members that were not probed for a second. */
  tick(): void {
    for (const peer of this.#context.agreement.peers.keys()) {
      if (this.#isDue(peer, 0)) this.probe(peer)
    }
  }

  /** Probes, along with a ping, all whose probe is due soon. */
  along(): void {
    for (const peer of this.#context.agreement.peers.keys()) {
      if (this.#isDue(peer, SOON_MS)) this.probe(peer)
    }
  }

  /** Probes one member: at once when its link opens. */
  probe(peer: MemberId): void {
    this.#number += 1
    this.#sent.set(peer, { number: this.#number, at: this.#context.now() })
    this.#context.links.send(peer, { kind: 'probe', number: this.#number })
  }

  onProbe(from: MemberId, { number }: Probe): void {
    this.#context.links.send(from, { kind: 'probed', number })
    if (this.#isDue(from, SOON_MS)) this.probe(from)
  }

  onProbed(from: MemberId, { number }: Probed): void {
    const now = this.#context.now()
    const sent = this.#sent.get(from)
    const rttMs = sent?.number === number ? now - sent.at : null
    this.#context.dispatch({ kind: 'answered', now, peer: from, rttMs })
  }

  #isDue(peer: MemberId, soonMs: number): boolean {
    const at = this.#sent.get(peer)?.at ?? Number.NEGATIVE_INFINITY
    return this.#context.now() - at >= limits.pingMs - soonMs
  }
}
