/**
 * Answers to what other members ask. Everything told is read from what is durable here; nothing is
 * changed. Long answers are cut near the size of a batch and say so, and the asker asks on.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { Fact, HeldFact, ItemId, MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { coveredBy, itemSet } from '../../consensus/items/cover.ts'
import type {
  AskChunk,
  AskFacts,
  AskHolds,
  AskItems,
  AskWalk,
  Scope,
  ShownFact,
  ShownItem,
} from '../../consensus/messages.ts'
import type { MerkleTree } from '../../merkle/tree.ts'
import { answerWalk } from '../../merkle/walk.ts'
import { ChunkReader } from './chunk-reader.ts'
import { agreedAt } from './comparing.ts'
import type { Context } from './context.ts'
import { heldFacts } from './held-facts.ts'
import { factBytes } from './size.ts'

/** About what an item, and a name in it, take in an answer. */
const ITEM_BYTES = 64
const NAME_BYTES = 200

/** How full an answer is. */
interface Filled {
  bytes: number
}

export class Answering {
  readonly #context: Context
  readonly #chunks: ChunkReader
  /** The last answer about items that is due to each asker. */
  readonly #itemsTurns = new Map<MemberId, Promise<void>>()

  constructor(context: Context) {
    this.#context = context
    this.#chunks = new ChunkReader(context.store, () => context.now())
  }

  async onAskFacts(from: MemberId, ask: AskFacts): Promise<void> {
    const held = await this.#context.store.facts(ask.refs)
    const { part, answered } = partOf(held, { bytes: 0 })
    const shown = await this.#show(part)
    await this.#context.ledger.durable() // after reading: a read also sees what is not durable yet
    this.#context.links.send(from, { kind: 'facts', request: ask.request, facts: shown, answered })
  }

  /** Fact and payload, durable: what a level is counted from. */
  async onAskHolds(from: MemberId, ask: AskHolds): Promise<void> {
    const facts = await this.#context.store.facts(ask.refs)
    const blobs = facts.map(held => held?.fact.blob ?? null)
    const here = await this.#context.store.hasPayloads(blobs.filter(blob => blob !== null))
    let next = 0
    const held = facts.map((fact, at) => {
      const payload = blobs[at] === null ? true : here[next++] === true
      return fact !== undefined && payload
    })
    await this.#context.ledger.durable() // after reading: a read also sees what is not durable yet
    this.#context.links.send(from, { kind: 'holds', request: ask.request, held })
  }

  /** An empty member answers no counter-sync (PROTOCOL 7.5); one without that tree says so. */
  onAskWalk(from: MemberId, ask: AskWalk): void {
    if (this.#isMute(ask.scope)) return
    const tree = this.#treeOf(ask.scope)
    if (tree === null) {
      this.#context.links.send(from, { kind: 'walked', request: ask.request, walk: null })
      return
    }
    this.#context.counters.comparisonsAnswered += 1
    const walk = answerWalk(tree, ask.walk)
    this.#context.links.send(from, {
      kind: 'walked',
      request: ask.request,
      walk: walk.kind === 'answer' ? walk.answer : null,
    })
  }

  /** One after the other: the asker takes what one brings while the next is read. */
  async onAskItems(from: MemberId, ask: AskItems): Promise<void> {
    const before = this.#itemsTurns.get(from)
    const turn = (before ?? Promise.resolve()).then(() => this.#answerItems(from, ask))
    this.#itemsTurns.set(from, turn)
    await turn
    if (this.#itemsTurns.get(from) === turn) this.#itemsTurns.delete(from)
  }

  async #answerItems(from: MemberId, ask: AskItems): Promise<void> {
    if (this.#isMute(ask.scope)) return
    const { request } = ask
    if (this.#treeOf(ask.scope) === null) {
      this.#context.links.send(from, { kind: 'items', request, items: [], refused: true })
      return
    }
    const ids = await this.#context.store.idsOf(ask.items.map(item => item.idHash))
    const items: ShownItem[] = []
    const filled: Filled = { bytes: 0 }
    while (items.length < ids.length && filled.bytes < limits.batchBytes) {
      items.push(...(await this.#showItems(ask, ids, items.length, filled)))
    }
    await this.#context.ledger.durable() // after reading: a read also sees what is not durable yet
    this.#context.links.send(from, { kind: 'items', request, items, refused: false })
  }

  async onAskChunk(from: MemberId, ask: AskChunk): Promise<void> {
    const bytes = await this.#chunkFor(from, ask)
    this.#context.links.send(from, { kind: 'chunk', request: ask.request, bytes }, 'bulk')
  }

  async #chunkFor(by: MemberId, { blob, offset, length }: AskChunk): Promise<Bytes | null> {
    const size = await this.#context.store.payloadSize(blob)
    if (size === undefined || offset > size) return null
    if (offset === size && size > 0) this.#context.doubted(blob)
    const asked = Math.min(length, limits.pieceBytes)
    return await this.#chunks.piece({ by, blob, size, offset, length: asked })
  }

  #isMute(scope: Scope): boolean {
    return scope === 'held' && this.#context.ledger.empty
  }

  #treeOf(scope: Scope): MerkleTree | null {
    const { sets } = this.#context.ledger
    return scope === 'settled' ? sets.settled.tree : sets.held
  }

  /** What there is to show of the next items, until the answer is full; of at least one. */
  async #showItems(
    ask: AskItems,
    ids: readonly (ItemId | undefined)[],
    from: number,
    filled: Filled,
  ): Promise<ShownItem[]> {
    const items: ShownItem[] = []
    const parts: HeldFact[][] = []
    for (const [next, all] of (await heldFacts(this.#context.store, ids.slice(from))).entries()) {
      if (filled.bytes >= limits.batchBytes) break
      const { item, part } = this.#itemOf(ask, from + next, ids[from + next], all, filled)
      items.push(item)
      parts.push(part)
    }
    const shown = await this.#show(parts.flat())
    let at = 0
    return items.map((item, nth) => {
      const facts = shown.slice(at, at + parts[nth]!.length)
      at += facts.length
      return { ...item, facts }
    })
  }

  /** An item without its facts yet, and those of them that have room. */
  #itemOf(
    ask: AskItems,
    at: number,
    id: ItemId | undefined,
    all: readonly HeldFact[],
    filled: Filled,
  ): { item: ShownItem; part: HeldFact[] } {
    const { idHash, have, skip } = ask.items[at]!
    const nothing = { idHash, id: null, covered: [], names: [], facts: [], more: false }
    filled.bytes += ITEM_BYTES
    const inScope = all.filter(held => this.#isIn(ask.scope, held))
    if (id === undefined || inScope.length === 0) return { item: nothing, part: [] }
    const { covered, rest } = coveredBy(itemSet(inScope), have)
    const open = rest.slice(skip)
    if (ask.want === 'names') {
      const page = open.slice(0, limits.holdsMax)
      const names = page.map(({ fact: { version, at, by }, state }) => ({ version, state, at, by }))
      filled.bytes += NAME_BYTES * names.length
      const more = page.length < open.length
      return { item: { ...nothing, id, covered, names, more }, part: [] }
    }
    const { part, answered } = partOf(open, filled)
    return { item: { ...nothing, id, covered, more: answered < open.length }, part }
  }

  #isIn(scope: Scope, { state }: HeldFact): boolean {
    const { sets } = this.#context.ledger
    return scope === 'held' ? sets.isHeld(state) : agreedAt(sets.settled.cut, state)
  }

  /** Facts with their small payloads, read in one round. */
  async #show(part: readonly HeldFact[]): Promise<ShownFact[]> {
    const payloads = await this.#smallPayloads(part)
    return part.map(({ fact, state }, at) => ({ fact, state, payload: payloads[at] ?? null }))
  }

  async #smallPayloads(held: readonly HeldFact[]): Promise<(Bytes | undefined)[]> {
    const small = held.map(({ fact }) => (isSmall(fact) ? fact.blob : null))
    const wanted = small.filter(blob => blob !== null)
    const found = wanted.length === 0 ? [] : await this.#context.store.smallPayloads(wanted)
    let next = 0
    return small.map(blob => (blob === null ? undefined : found[next++]))
  }
}

/** A payload that goes with its fact. */
function isSmall({ size }: Fact): boolean {
  return size <= limits.inlinePayloadBytesMax
}

/** Facts until the answer is full, at least one; `answered` counts names that are not held, too. */
function partOf(
  held: readonly (HeldFact | undefined)[],
  filled: Filled,
): { part: HeldFact[]; answered: number } {
  const part: HeldFact[] = []
  let answered = 0
  for (const entry of held) {
    const isFull = filled.bytes >= limits.batchBytes || part.length >= limits.holdsMax
    if (isFull && answered > 0) break
    answered += 1
    if (entry === undefined) continue
    part.push(entry)
    filled.bytes += factBytes(entry.fact, null) + (isSmall(entry.fact) ? entry.fact.size : 0)
  }
  return { part, answered }
}
