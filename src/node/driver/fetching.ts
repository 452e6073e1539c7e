/**
 * Fetching facts by name. A fact fetched so is filed as the answerer has it: agreed with its
 * `added`, or pending (PROTOCOL 2).
 */
import { type FactRef, type MemberId, refKey } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Stamp } from '../../base/stamp.ts'
import type { ShownFact } from '../../consensus/messages.ts'
import type { Context } from './context.ts'

export interface FetchResult {
  /** Facts that are held now and were not. */
  readonly stored: number
  /** The member answered for every name, and had every fact. */
  readonly complete: boolean
}

/**
 * Asks one member for facts and takes them. With `addedBy` they become agreed with that stamp,
 * whatever the answerer holds them as (counter-sync: more than half hold them).
 */
export async function fetchFacts(
  context: Context,
  peer: MemberId,
  refs: readonly FactRef[],
  addedBy?: ReadonlyMap<string, Stamp>,
): Promise<FetchResult> {
  let stored = 0
  let found = 0
  for (let at = 0; at < refs.length; ) {
    const slice = refs.slice(at, at + limits.holdsMax)
    const answer = await context.links.ask(peer, { kind: 'askFacts', refs: slice })
    if (answer?.kind !== 'facts' || answer.answered === 0) return { stored, complete: false }
    const asked = new Set(slice.map(refKey))
    const facts = answer.facts.filter(shown => asked.has(refKey(shown.fact)))
    const taken = await takeShown(context, peer, facts, addedBy)
    stored += taken.stored
    found += taken.held
    at += answer.answered
  }
  return { stored, complete: found >= refs.length }
}

/** Takes facts that a member showed; answers how many were new, and how many are held now. */
export async function takeShown(
  context: Context,
  peer: MemberId,
  facts: readonly ShownFact[],
  addedBy?: ReadonlyMap<string, Stamp>,
): Promise<{ readonly stored: number; readonly held: number }> {
  if (facts.length === 0) return { stored: 0, held: 0 }
  const received = facts.map(({ fact, payload, state }) => ({
    fact,
    payload,
    added: addedBy?.get(refKey(fact)) ?? (state.kind === 'agreed' ? state.added : null),
  }))
  const shownBySource = context.agreement.peers.get(peer)?.sourceSince != null
  const receptions = await context.ledger.receive(received, {
    from: peer,
    stampRule: context.agreement.source === null && shownBySource ? 'take' : 'smaller',
  })
  let stored = 0
  let held = 0
  for (const reception of receptions) {
    if (reception.kind === 'stored') stored += 1
    if (reception.kind !== 'later' && reception.kind !== 'refused') held += 1
    if (reception.kind !== 'refused') continue
    context.counters.factsRefused += 1
    context.blame(peer, `showed a fact that is refused: ${reception.sentence}`)
  }
  return { stored, held }
}

/** Parents that no reached member had are asked for again after this. */
const RETRY_MS = 1000

/** Parents that were named and are not held: asked for from whoever is reached, many at a time. */
export class MissingParents {
  readonly #context: Context
  readonly #wanted = new Map<string, FactRef>()
  #fetching = false
  #tryAt = 0

  constructor(context: Context) {
    this.#context = context
  }

  get count(): number {
    return this.#wanted.size
  }

  note(refs: readonly FactRef[]): void {
    for (const ref of refs) this.#wanted.set(refKey(ref), ref)
  }

  /** Facts that arrived need not be asked for. */
  arrived(refs: readonly FactRef[]): void {
    if (this.#wanted.size === 0) return
    for (const ref of refs) this.#wanted.delete(refKey(ref))
  }

  /** Facts that never were, or that nobody needs any more. */
  forget(refs: readonly FactRef[]): void {
    for (const ref of refs) this.#wanted.delete(refKey(ref))
  }

  /** Tries the reached members one after the other; called with every tick. */
  tick(): void {
    if (this.#fetching || this.#wanted.size === 0 || this.#context.now() < this.#tryAt) return
    this.#fetching = true
    this.#context.background(
      this.#fetch().finally(() => {
        this.#fetching = false
      }),
    )
  }

  async #fetch(): Promise<void> {
    const refs = [...this.#wanted.values()].slice(0, limits.holdsMax)
    const held = await this.#context.store.facts(refs)
    this.arrived(refs.filter((_, at) => held[at] !== undefined))
    let stored = 0
    for (const peer of this.#context.reached()) {
      const open = refs.filter(ref => this.#wanted.has(refKey(ref)))
      if (open.length === 0) break
      stored += (await fetchFacts(this.#context, peer, open)).stored
    }
    // What nobody has now goes to the end, so that it keeps nothing else waiting.
    for (const ref of refs) {
      if (this.#wanted.delete(refKey(ref))) this.#wanted.set(refKey(ref), ref)
    }
    if (stored === 0) this.#tryAt = this.#context.now() + RETRY_MS
  }
}
