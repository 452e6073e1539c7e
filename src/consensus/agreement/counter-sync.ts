/**
 * Counter-sync (PROTOCOL 7): no Source is seen, so the participants, the non-empty members that
 * this one reaches, compare what they hold, by name, and each brings its agreed set into line with
 * what more than half of them hold. Who is in line first becomes Source.
 *
 * An answer is kept relative to this member's held set as it is *now*: facts gained meanwhile are
 * worked into every answer (onGained), so answers stay valid until the other's own held root
 * changes. Own new writes are outside of the held set, so they disturb nobody.
 */
import { type FactRef, type MemberId, refKey } from '../../base/fact.ts'
import { STAMP_ZERO, type Stamp, stampMin } from '../../base/stamp.ts'
import { becomeSource } from './duty.ts'
import { mayElect } from './elect.ts'
import type { AgreementEvent, Compared, Effect } from './events.ts'
import { participants, seesSource } from './reach.ts'
import { type AgreementState, type Answer, type Peer, type Round, takeTicket } from './state.ts'

const RETRY_MS = 500

/** Compares with who must be compared with, and brings the agreed set into line when all did. */
export function reviewRound(state: AgreementState, effects: Effect[]): void {
  const held = state.own.held
  if (held === null) return // the driver is still building the tree over all that is held
  const round = takeUpRound(state)
  if (round.isGaining) return // `held` is not what the answers are seen from; it is told at once
  const others = participants(state)
  forgetAbsent(round, others)
  if (!everyoneAnswered(state, round, { others, held }, effects)) return
  if (round.rearranging !== null || !mayElect(state)) return
  const asked = revision(state, others)
  if (round.inLineAt === asked && leavesItToWhole(state, others)) return
  const ticket = takeTicket(state)
  round.rearranging = { ticket, revision: asked }
  effects.push({ kind: 'rearrange', ticket, ...majorityPlan(round, others) })
}

function takeUpRound(state: AgreementState): Round {
  state.round ??= {
    answers: new Map(),
    asking: new Map(),
    gained: new Set(),
    isGaining: false,
    rearranging: null,
    inLineAt: null,
    retryAt: new Map(),
  }
  return state.round
}

/** A member with a gap does not become Source while a participant without one could. */
function leavesItToWhole(state: AgreementState, others: readonly Peer[]): boolean {
  return state.own.gap && others.some(peer => !peer.gap)
}

/** When somebody goes silent only its answer is dropped. */
function forgetAbsent(round: Round, others: readonly Peer[]): void {
  const present = new Set(others.map(peer => peer.id))
  for (const id of round.answers.keys()) if (!present.has(id)) round.answers.delete(id)
  for (const id of round.asking.keys()) if (!present.has(id)) round.asking.delete(id)
}

/** True when each participant has a valid answer; otherwise the missing comparisons are begun. */
function everyoneAnswered(
  state: AgreementState,
  round: Round,
  seen: { readonly others: readonly Peer[]; readonly held: string },
  effects: Effect[],
): boolean {
  let complete = true
  const begun = new Set<string>()
  for (const peer of seen.others) {
    if (peer.held === null) {
      complete = false
      continue
    }
    if (hasAnswered(state, round, peer)) continue
    const known = peer.held === seen.held ? emptyAnswer(peer.held) : answerOfTwin(round, peer)
    if (known !== undefined) {
      round.answers.set(peer.id, known)
      continue
    }
    complete = false
    // Members that hold the same count as one comparison: one of them is asked.
    if (begun.has(peer.held)) continue
    begun.add(peer.held)
    ask(state, round, peer, effects)
  }
  return complete
}

/** An answer stays valid while that member's held root stays the same. */
function hasAnswered(state: AgreementState, round: Round, peer: Peer): boolean {
  if (state.planted.has('wait-for-nobody') && round.asking.has(peer.id)) return true
  return round.answers.get(peer.id)?.theirHeld === peer.held
}

function ask(state: AgreementState, round: Round, peer: Peer, effects: Effect[]): void {
  if (round.asking.has(peer.id) || state.now < (round.retryAt.get(peer.id) ?? 0)) return
  const ticket = takeTicket(state)
  round.asking.set(peer.id, { ticket, gained: round.gained.size })
  effects.push({ kind: 'compare', ticket, peer: peer.id, scope: 'held', purpose: 'counter-sync' })
}

function emptyAnswer(theirHeld: string): Answer {
  return { theirHeld, lacks: new Map(), has: new Map() }
}

/** A planted error: whoever said nothing holds what I hold. */
function takeForTwin(state: AgreementState, round: Round, peer: MemberId): void {
  round.answers.set(peer, emptyAnswer(state.peers.get(peer)?.held ?? ''))
}

function answerOfTwin(round: Round, peer: Peer): Answer | undefined {
  for (const answer of round.answers.values()) {
    if (answer.theirHeld === peer.held) {
      return { theirHeld: answer.theirHeld, lacks: new Map(answer.lacks), has: new Map(answer.has) }
    }
  }
  return undefined
}

/** A comparison of the round came back. */
export function onCompared(state: AgreementState, event: Compared): void {
  const round = state.round
  const asked = round?.asking.get(event.peer)
  if (round === null || asked?.ticket !== event.ticket) return
  round.asking.delete(event.peer)
  // Made over a held set that has grown since: it cannot be seen from the one of now.
  if (asked.gained !== round.gained.size) return
  if (!event.done) {
    round.retryAt.set(event.peer, state.now + RETRY_MS)
    if (state.planted.has('silence-is-agreement')) takeForTwin(state, round, event.peer)
    return
  }
  round.answers.set(event.peer, {
    theirHeld: event.theirRoot,
    lacks: new Map(event.theyLack.map(entry => [refKey(entry.ref), entry.ref])),
    has: new Map(event.theyHave.map(entry => [refKey(entry.ref), entry])),
  })
}

/** Facts that became held: who has them has them in common with me now, who has not lacks them. */
export function onGained(state: AgreementState, refs: readonly FactRef[]): void {
  const { round } = state
  if (round === null) return
  round.isGaining = true
  for (const ref of refs) {
    const key = refKey(ref)
    if (round.gained.has(key)) continue
    round.gained.add(key)
    for (const answer of round.answers.values()) {
      if (!answer.has.delete(key)) answer.lacks.set(key, ref)
    }
  }
}

/**
 * What more than half of the participants hold, as changes: what at least half lack is set aside,
 * what more than half have and I lack is fetched, pending facts of the majority become agreed.
 */
function majorityPlan(round: Round, others: readonly Peer[]) {
  const members = others.length + 1
  const lacking = new Map<string, { readonly ref: FactRef; count: number }>()
  const having = new Map<
    string,
    { readonly ref: FactRef; readonly holders: string[]; added: Stamp | null }
  >()
  for (const peer of others) {
    const answer = round.answers.get(peer.id)
    for (const [key, ref] of answer?.lacks ?? []) {
      const entry = lacking.get(key)
      if (entry === undefined) lacking.set(key, { ref, count: 1 })
      else entry.count += 1
    }
    for (const [key, { ref, state }] of answer?.has ?? []) {
      const entry = having.get(key) ?? { ref, holders: [], added: null }
      entry.holders.push(peer.id)
      if (state.kind === 'agreed') {
        entry.added = entry.added === null ? state.added : stampMin(entry.added, state.added)
      }
      having.set(key, entry)
    }
  }
  const minority = [...lacking].filter(([, entry]) => entry.count * 2 >= members)
  const fetch = new Map<string, { readonly ref: FactRef; readonly added: Stamp }[]>()
  for (const entry of having.values()) {
    if (entry.holders.length * 2 <= members) continue
    const from = entry.holders[0]!
    const list = fetch.get(from) ?? []
    list.push({ ref: entry.ref, added: entry.added ?? STAMP_ZERO })
    fetch.set(from, list)
  }
  return {
    setAside: minority.map(([, entry]) => entry.ref),
    fetch: [...fetch].map(([peer, facts]) => ({ peer, facts })),
    keepPending: new Set(minority.map(([key]) => key)),
    addedBy: new Map<string, Stamp>(),
  }
}

/** What a confirmation must still find: the same participants with the same held roots. */
function revision(state: AgreementState, others: readonly Peer[]): string {
  return JSON.stringify([state.own.held, others.map(peer => [peer.id, peer.held])])
}

/**
 * The agreed set was brought into line. If nothing had to move, and participants, answers and the
 * absence of a Source are still what they were, this member is confirmed: it becomes Source.
 */
export function onRearranged(
  state: AgreementState,
  event: Extract<AgreementEvent, { kind: 'rearranged' }>,
  effects: Effect[],
): void {
  const round = state.round
  if (round?.rearranging?.ticket !== event.ticket) return
  const asked = round.rearranging
  round.rearranging = null
  if (!event.complete && !state.planted.has('elect-half-fetched')) {
    // Somebody could not give what it had: all are asked afresh, but not in a tight circle.
    for (const id of round.answers.keys()) round.retryAt.set(id, state.now + RETRY_MS)
    round.answers.clear()
    return
  }
  if (event.moved === 0) round.inLineAt = asked.revision
  if (round.isGaining) return
  if (event.moved > 0 || state.source !== null || seesSource(state)) return
  const others = participants(state)
  if (asked.revision !== revision(state, others) || !mayElect(state)) return
  if (!others.every(peer => hasAnswered(state, round, peer))) return
  if (leavesItToWhole(state, others)) return
  becomeSource(state, `holds exactly what more than half of ${others.length + 1} hold`, effects)
}
