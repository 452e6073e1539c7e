/**
 * `status`, `members` and `why`: what this member knows of itself and of the others, and what is
 * not in sync, with the reason, the next step and the next try (DESIGN 5).
 */
import type { ItemId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { shares } from '../../consensus/agreement/history.ts'
import { answersMe, isHeard, isReached } from '../../consensus/agreement/reach.ts'
import type { Peer } from '../../consensus/agreement/state.ts'
import type {
  MemberStatus,
  MemberStatusName,
  Problem,
  StatusParams,
  StatusResult,
  WhyParams,
  WhyResult,
} from '../../control/protocol-network.ts'
import type { Member } from '../driver/member.ts'
import type { Reading } from './reading.ts'

/** Facts of the pending queue that `why` names one by one. */
const PENDING_NAMED = 20

export class Standing {
  readonly #member: Member
  readonly #reading: Reading
  readonly #version: string

  constructor(member: Member, reading: Reading, version: string) {
    this.#member = member
    this.#reading = reading
    this.#version = version
  }

  async status(params: StatusParams): Promise<StatusResult> {
    const { agreement, ledger, roster, self, store } = this.#member
    const counts = store.counts()
    const { lastCheck, own } = agreement
    const live = params.liveHash === true ? { liveHash: ledger.sets.liveTree().root() } : {}
    return {
      uuid: self,
      name: roster.nameOf(self),
      network: roster.network,
      status: this.#ownStatus(),
      synchronized: this.#isSynchronized(),
      hash: own.hash,
      cut: own.cut,
      ...live,
      items: ledger.live.count,
      facts: counts.facts - ledger.systemFacts,
      pending: counts.pending,
      unsettled: ledger.sets.settled.unsettled,
      lastCheck: {
        marked: lastCheck?.marked ?? 0,
        of: lastCheck?.of ?? 0,
        at: lastCheck === null ? null : this.#networkTime(lastCheck.at),
      },
      members: this.members(),
      problems: this.#problems(),
      version: this.#version,
    }
  }

  members(): MemberStatus[] {
    const { agreement, roster, self } = this.#member
    return roster.members().map(({ peer, name }) => {
      const addresses =
        peer === self ? this.#member.ports.network.addresses() : roster.addressesOf(peer)
      const address = addresses[0] ?? null
      const known = agreement.peers.get(peer)
      if (peer === self) return this.#self(name, address)
      return { uuid: peer, name, address, ...this.#described(known) }
    })
  }

  async why(params: WhyParams): Promise<WhyResult> {
    const reasons =
      params.id === undefined
        ? [...this.#problems(), ...(await this.#pending()), ...this.#payloads()]
        : await this.#ofItem(params.id)
    return { inSync: reasons.length === 0, reasons }
  }

  #ownStatus(): MemberStatusName {
    return this.#member.roster.isRemoved ? 'removed' : this.#member.agreement.status
  }

  #isSynchronized(): boolean {
    const { agreement } = this.#member
    if (agreement.source !== null) return true
    return [...agreement.peers.values()].some(p => p.sourceSince !== null && isHeard(agreement, p))
  }

  #self(name: string, address: string | null): MemberStatus {
    const { own } = this.#member.agreement
    return {
      uuid: this.#member.self,
      name,
      status: this.#ownStatus(),
      hash: own.hash,
      cut: own.cut,
      lastHeardMs: 0,
      rttMs: 0,
      inSync: true,
      reached: true,
      address,
    }
  }

  #described(peer: Peer | undefined): Omit<MemberStatus, 'uuid' | 'name' | 'address'> {
    const { agreement } = this.#member
    if (peer === undefined || peer.incarnation === '') {
      const unknown = { status: null, hash: null, cut: null, lastHeardMs: null, rttMs: null }
      return { ...unknown, inSync: false, reached: false }
    }
    const isSame = peer.cut === agreement.own.cut && peer.hash === agreement.own.hash
    return {
      status: peer.status,
      hash: peer.hash,
      cut: peer.cut,
      lastHeardMs: Math.max(0, Math.round(this.#member.now() - peer.heardAt)),
      rttMs: peer.rttMs === null ? null : Math.round(peer.rttMs * 100) / 100,
      inSync:
        isHeard(agreement, peer) &&
        (isSame || peer.marked || shares(agreement.history, peer.history)),
      reached: isReached(agreement, peer),
    }
  }

  #networkTime(monotonicMs: number): number {
    return Math.round(this.#member.time.nowMs() - (this.#member.now() - monotonicMs))
  }

  #problems(): Problem[] {
    return [...this.#member.problems.list(), ...this.#unreached()]
  }

  #unreached(): Problem[] {
    const { agreement, roster } = this.#member
    const problems: Problem[] = []
    for (const { peer, name } of roster.members()) {
      const known = agreement.peers.get(peer)
      if (known === undefined || isReached(agreement, known)) continue
      const called = name === '' ? peer : name
      problems.push({
        reason: 'unreachable',
        member: peer,
        nextTryMs: 500,
        ...this.#why(known, called),
      })
    }
    return problems
  }

  #why(peer: Peer, called: string): { readonly sentence: string; readonly nextStep: string } {
    const { agreement, roster } = this.#member
    const where = roster.addressesOf(peer.id)[0] ?? 'no known address'
    if (answersMe(agreement, peer)) {
      const sentence = `${called} answers, but does not say that it reaches this member.`
      return {
        sentence,
        nextStep: `Wait a few seconds; if it lasts, check \`veche status\` on ${called}.`,
      }
    }
    if (isHeard(agreement, peer)) {
      const sentence = `${called} is heard through others, but does not answer this member directly.`
      return { sentence, nextStep: `Check the way from here to ${where}.` }
    }
    const silence = Number.isFinite(peer.heardAt)
      ? `has not been heard for ${Math.round((this.#member.now() - peer.heardAt) / 1000)} s`
      : 'was never heard since this daemon started'
    const sentence = `${called} ${silence} (${where}).`
    return {
      sentence,
      nextStep: `Start it, or check the network; \`veche remove ${called}\` if it is gone.`,
    }
  }

  async #pending(): Promise<Problem[]> {
    const { agreement, store } = this.#member
    const { pending } = store.counts()
    if (pending === 0) return []
    const isSource = agreement.source !== null
    const entries = await store.pending(-1, PENDING_NAMED)
    return entries.map(({ ref }) => ({
      reason: 'pending',
      id: ref.id,
      version: ref.version,
      sentence: isSource
        ? `${ref.id} is being added to the network (${pending} facts wait).`
        : `${ref.id} is held here only until this member is Source (${pending} facts wait).`,
      nextStep: isSource
        ? 'Nothing: it goes out by itself.'
        : 'See the members that are not reached.',
      nextTryMs: 1000,
    }))
  }

  #payloads(): Problem[] {
    return this.#member.payloads
      .missing()
      .slice(0, limits.pageMax)
      .map(({ blob, size }) => ({
        reason: 'payload-missing',
        sentence: `A payload of ${size} bytes (${blob.slice(0, 12)}…) is not here yet.`,
        nextStep: 'Nothing: it is fetched from a member that has it, as soon as one is reached.',
        nextTryMs: this.#member.payloads.nextTryMs(blob),
      }))
  }

  async #ofItem(id: ItemId): Promise<Problem[]> {
    const shown = await this.#reading.shown({ id })
    const { fact, held, version } = shown
    const problems: Problem[] = []
    if (held.state.kind === 'pending') {
      problems.push({
        reason: 'pending',
        id,
        version,
        sentence: `The newest version of ${id} is durable here, but not agreed.`,
        nextStep: 'It is added when this member is Source; see `veche why`.',
        nextTryMs: 1000,
      })
    }
    if (fact.blob !== null && this.#member.payloads.isWanted(fact.blob)) {
      problems.push({
        reason: 'payload-missing',
        id,
        version,
        sentence: `The payload of ${id} (${fact.size} bytes) is not here yet.`,
        nextStep: 'It is fetched from a member that has it.',
        nextTryMs: this.#member.payloads.nextTryMs(fact.blob),
      })
    }
    return [...problems, ...this.#unreached()]
  }
}
