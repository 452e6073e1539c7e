/**
 * Comparing with one member: first the trees, from the root down, then, for each item whose leaf
 * differs, its facts (PROTOCOL 7–9). For source-sync and healing the facts that the other has are
 * taken on the way; in counter-sync they are only named, since whether they are needed depends on
 * all participants. One comparison is over one state of both trees, or it says that it was not.
 */
import type { Fact, FactRef, FactState, HeldFact, MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { stampOf } from '../../base/stamp.ts'
import type { Effect } from '../../consensus/agreement/events.ts'
import { type ItemSet, itemSet, lackedBy, versionsToName } from '../../consensus/items/cover.ts'
import type { AskItems, NamedFact, Scope, ShownItem } from '../../consensus/messages.ts'
import { WALK_KEY_BYTES } from '../../merkle/prints.ts'
import type { MerkleTree } from '../../merkle/tree.ts'
import type { Difference } from '../../merkle/walk-take.ts'
import { continueWalk, resumeWalk, startWalk, type WalkStep } from '../../merkle/walker.ts'
import { takeShown } from './fetching.ts'
import { heldFacts } from './held-facts.ts'
import type { Member } from './member.ts'

type Compare = Extract<Effect, { kind: 'compare' }>

/** A walk goes on in so many parts: beyond, what was found is repaired first. */
const PARTS_MAX = 64
/**
 * And up to so many differences, where some can be repaired without the others: what a
 * million of them need at once the process may never give back (docs/performance.md).
 */
const DIFFERENCES_MAX = 50_000
/** Items asked about in one message. */
const ITEMS_ASKED = 256
/** So many such messages at once: one is answered while what the last one brought is taken. */
const ASKED_AHEAD = 2
/** What so many of them brought is on its way to the disk, while the next is worked out. */
const TAKEN_AHEAD = 2

interface Walked {
  readonly differences: readonly Difference[]
  readonly theirRoot: Hash
}

interface Found {
  readonly theyLack: { readonly ref: FactRef; readonly state: FactState }[]
  readonly theyHave: { readonly ref: FactRef; readonly state: FactState }[]
}

interface Mine {
  readonly difference: Difference
  readonly id: string | undefined
  readonly set: ItemSet
}

/** An item that is asked about: what is named as held already, and what was shown of it. */
interface OpenItem {
  readonly mine: Mine
  readonly have: AskItems['items'][number]['have']
  readonly skip: number
  readonly listed: Set<Hash>
}

/** A question that is on its way, and what it asks about. */
interface Asked {
  readonly items: readonly OpenItem[]
  readonly answer: ReturnType<Member['links']['ask']>
}

/** What is still to be looked into. */
interface Queue {
  readonly differences: readonly Difference[]
  /** So many differences were begun with. */
  begun: number
  readonly open: OpenItem[]
}

export class Comparing {
  readonly #member: Member
  readonly #printsMisled = new Set<MemberId>()

  constructor(member: Member) {
    this.#member = member
  }

  /** Compares, and tells the machine what was found. */
  async run(effect: Compare): Promise<void> {
    const { counters } = this.#member
    counters.comparisons += 1
    // As of now: it only grows, so nothing that may still be on its way lies before it.
    const theirCut = this.#member.agreement.peers.get(effect.peer)?.cut ?? 0
    const walked = await this.#walk(effect)
    const found: Found = { theyLack: [], theyHave: [] }
    const done = walked !== undefined && (await this.#items(effect, walked, found))
    await this.#member.ledger.durable()
    const now = this.#member.now()
    this.#member.dispatch({
      kind: 'compared',
      now,
      ticket: effect.ticket,
      peer: effect.peer,
      done,
      theirRoot: walked?.theirRoot ?? '',
      theirCut,
      ...found,
    })
  }

  /** Walks the trees; undefined when the other does not answer or a tree changed under a count. */
  async #walk({ peer, scope, purpose }: Compare): Promise<Walked | undefined> {
    const tree = this.#treeOf(scope)
    if (tree === null) return undefined
    const key = this.#member.ports.entropy.bytes(WALK_KEY_BYTES)
    const differences: Difference[] = []
    let theirRoot = ''
    let step: WalkStep = startWalk(tree, { key, full: this.#printsMisled.has(peer) })
    for (let parts = 1; ; parts++) {
      while (step.kind === 'ask') {
        const walk = step.request
        const answer = await this.#member.links.ask(peer, { kind: 'askWalk', scope, walk })
        if (answer?.kind !== 'walked' || answer.walk === null) return undefined
        theirRoot = answer.walk.root
        step = continueWalk(tree, step.walk, answer.walk)
      }
      if (step.kind === 'refused') {
        this.#member.blame(peer, `gave a wrong answer in a comparison: ${step.sentence}`)
        return undefined
      }
      for (const difference of step.differences) differences.push(difference)
      if (step.kind !== 'done' || step.isComplete || parts === PARTS_MAX) break
      if (purpose !== 'counter-sync' && differences.length >= DIFFERENCES_MAX) break
      step = resumeWalk(tree, step.walk)
    }
    const isWhole = step.kind === 'done' && step.isComplete
    if (scope === 'held' && (!isWhole || this.#treeOf(scope) !== tree)) return undefined
    this.#judgePrints(peer, isWhole && differences.length === 0 && theirRoot !== tree.root())
    if (purpose === 'heal' && differences.length > limits.healFactsMax) return undefined
    return { differences, theirRoot }
  }

  /** Roots that differ while no cut print does: the next walk with this member compares in full. */
  #judgePrints(peer: MemberId, misled: boolean): void {
    if (misled) this.#printsMisled.add(peer)
    else this.#printsMisled.delete(peer)
  }

  #treeOf(scope: Scope): MerkleTree | null {
    const { sets } = this.#member.ledger
    return scope === 'settled' ? sets.settled.tree : sets.held
  }

  /**
   * Looks into the differing items, some hundred at a time: while what was shown of some is taken,
   * the other member reads the next.
   */
  async #items(effect: Compare, walked: Walked, found: Found): Promise<boolean> {
    const queue: Queue = { differences: walked.differences, begun: 0, open: [] }
    const ahead: Asked[] = []
    const taking: Promise<unknown>[] = []
    const askAhead = async () => {
      while (ahead.length < ASKED_AHEAD) {
        const next = await this.#askNext(effect, queue, found)
        if (next === null) return
        ahead.push(next)
      }
    }
    await askAhead()
    for (let asked = ahead.shift(); asked !== undefined; asked = ahead.shift()) {
      const answer = await asked.answer
      if (answer?.kind !== 'items' || answer.items.length === 0) return false
      const again: OpenItem[] = []
      for (const [at, shown] of answer.items.entries()) {
        const item = asked.items[at]
        if (item === undefined || shown.idHash !== item.mine.difference.idHash) return false
        const rest = await this.#look(effect, item, shown, found)
        if (rest !== undefined) again.push(rest)
      }
      queue.open.unshift(...again, ...asked.items.slice(answer.items.length))
      await askAhead()
      if (effect.purpose === 'counter-sync') continue
      await this.#laterTurn() // what was asked leaves before the work on what came
      if (taking.length === TAKEN_AHEAD) await taking.shift()
      const facts = answer.items.flatMap(shown => shown.facts)
      const taken = takeShown(this.#member, effect.peer, facts)
      this.#member.background(taken)
      taking.push(taken)
    }
    await Promise.all(taking)
    return true
  }

  #laterTurn(): Promise<void> {
    return new Promise(resolve => void this.#member.ports.clock.after(0, resolve))
  }

  /** Asks about the next items that are open; null when none is. */
  async #askNext(
    { peer, scope, purpose }: Compare,
    queue: Queue,
    found: Found,
  ): Promise<Asked | null> {
    while (queue.open.length === 0 && queue.begun < queue.differences.length) {
      const group = queue.differences.slice(queue.begun, queue.begun + ITEMS_ASKED)
      queue.begun += group.length
      for (const mine of await this.#mine(scope, group)) {
        if (mine.difference.theirs !== null) {
          queue.open.push({ mine, have: versionsToName(mine.set), skip: 0, listed: new Set() })
        } else for (const held of mine.set.facts.values()) found.theyLack.push(named(held))
      }
    }
    const items = queue.open.splice(0, ITEMS_ASKED)
    if (items.length === 0) return null
    const question = {
      kind: 'askItems',
      scope,
      want: purpose === 'counter-sync' ? 'names' : 'facts',
      items: items.map(({ mine, have, skip }) => ({ idHash: mine.difference.idHash, have, skip })),
    } satisfies Omit<AskItems, 'request'>
    return { items, answer: this.#member.links.ask(peer, question) }
  }

  /** Notes what the other showed of an item; answers what is to be asked of it next. */
  async #look(
    { peer, purpose }: Compare,
    item: OpenItem,
    shown: ShownItem,
    found: Found,
  ): Promise<OpenItem | undefined> {
    const { mine, have, skip, listed } = item
    if (isOtherwise(mine.set, shown) && have.length > 0) {
      return { mine, have: [], skip: 0, listed: new Set() }
    }
    for (const { fact } of shown.facts) listed.add(fact.version)
    const isNamed = purpose === 'counter-sync'
    if (isNamed) await this.#takeNames(peer, mine, shown, found, listed)
    const count = isNamed ? shown.names.length : shown.facts.length
    if (shown.more && count > 0) return { ...item, skip: skip + count }
    lacked(mine, shown, listed, found)
    return undefined
  }

  /** Own facts of items, in the scope of the comparison. */
  async #mine(scope: Scope, differences: readonly Difference[]): Promise<Mine[]> {
    const { store, ledger } = this.#member
    const { cut } = ledger.sets.settled
    const ids = await store.idsOf(differences.map(({ idHash }) => idHash))
    const mine: Mine[] = []
    let facts: HeldFact[][] = []
    for (const [at, difference] of differences.entries()) {
      const id = ids[at]
      if (facts.length === 0) facts = await heldFacts(store, ids.slice(at))
      const inScope = facts
        .shift()!
        .filter(({ state }) =>
          scope === 'held' ? ledger.sets.isHeld(state) : agreedAt(cut, state),
        )
      mine.push({ difference, id, set: itemSet(inScope) })
    }
    return mine
  }

  /** Takes the names that the other showed of an item. */
  async #takeNames(
    peer: MemberId,
    mine: Mine,
    shown: ShownItem,
    found: Found,
    listed: Set<Hash>,
  ): Promise<void> {
    const id = shown.id ?? mine.id
    for (const name of shown.names) {
      listed.add(name.version)
      const held = mine.set.facts.get(name.version)
      if (held !== undefined) await this.#restamp(peer, held, name)
      else if (id !== undefined) {
        found.theyHave.push({ ref: { id, version: name.version }, state: name.state })
      }
    }
  }

  /** A fact as a member holds it; it may have gone, or not be told now: the next comparison finds it. */
  async #factOf(peer: MemberId, { id, version }: Fact): Promise<Fact | undefined> {
    const refs = [{ id, version }]
    const answer = await this.#member.links.ask(peer, { kind: 'askFacts', refs })
    if (answer?.kind !== 'facts') return undefined
    return answer.facts.find(({ fact }) => fact.id === id && fact.version === version)?.fact
  }

  /** One version with two stamps: in counter-sync both take the smaller. */
  async #restamp(peer: MemberId, held: HeldFact, { at, by }: NamedFact): Promise<void> {
    const isSmaller = at < held.fact.at || (at === held.fact.at && by < held.fact.by)
    if (!isSmaller) return
    // The base goes with the stamp (ledger/receive.ts), and a name does not tell it.
    const isNamed = held.fact.base === null
    const fact = isNamed ? { ...held.fact, at, by } : await this.#factOf(peer, held.fact)
    if (fact === undefined) return
    await this.#member.ledger.receive([{ fact, payload: null, added: null }], {
      from: peer,
      stampRule: 'smaller',
    })
  }
}

/** Whether a fact is agreed and settled at a cut. */
export function agreedAt(cut: number, state: FactState): boolean {
  return state.kind === 'agreed' && state.added <= stampOf(cut)
}

/** A version that both hold whole, with different digests: something below it differs. */
function isOtherwise(set: ItemSet, shown: ShownItem): boolean {
  return shown.covered.some(({ version, digest }) => set.digests.get(version) !== digest)
}

function lacked(mine: Mine, shown: ShownItem, listed: ReadonlySet<Hash>, found: Found): void {
  const covered = shown.covered.map(entry => entry.version)
  for (const held of lackedBy(mine.set, { covered, listed })) found.theyLack.push(named(held))
}

function named({ fact, state }: HeldFact): { readonly ref: FactRef; readonly state: FactState } {
  return { ref: { id: fact.id, version: fact.version }, state }
}
