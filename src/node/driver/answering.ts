/**
 * Answers to what other members ask. Everything told is read from what is durable here; nothing is
 * changed. Long answers are cut near the size of a batch and say so, and the asker asks on.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { HeldFact, MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { VecheError } from '../../base/veche-error.ts'
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
import { agreedAt } from './comparing.ts'
import type { Context } from './context.ts'
import { factBytes } from './size.ts'

export class Answering {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  async onAskFacts(from: MemberId, ask: AskFacts): Promise<void> {
    const held = await this.#context.store.facts(ask.refs)
    const { shown, answered } = await this.#showUpTo(held)
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

  async onAskItems(from: MemberId, ask: AskItems): Promise<void> {
    if (this.#isMute(ask.scope)) return
    const { request } = ask
    if (this.#treeOf(ask.scope) === null) {
      this.#context.links.send(from, { kind: 'items', request, items: [], refused: true })
      return
    }
    const ids = await this.#context.store.idsOf(ask.items.map(item => item.idHash))
    const items: ShownItem[] = []
    let bytes = 0
    for (const [at, asked] of ask.items.entries()) {
      const { item, size } = await this.#showItem(ask, asked, ids[at])
      items.push(item)
      bytes += size
      if (bytes >= limits.batchBytes) break
    }
    await this.#context.ledger.durable() // after reading: a read also sees what is not durable yet
    this.#context.links.send(from, { kind: 'items', request, items, refused: false })
  }

  async onAskChunk(from: MemberId, ask: AskChunk): Promise<void> {
    const length = Math.min(ask.length, limits.pieceBytes)
    const bytes = await this.#readChunk(ask.blob, ask.offset, length)
    this.#context.links.send(from, { kind: 'chunk', request: ask.request, bytes }, 'bulk')
  }

  #isMute(scope: Scope): boolean {
    return scope === 'held' && this.#context.ledger.empty
  }

  #treeOf(scope: Scope): MerkleTree | null {
    const { sets } = this.#context.ledger
    return scope === 'settled' ? sets.settled.tree : sets.held
  }

  async #showItem(
    ask: AskItems,
    asked: AskItems['items'][number],
    id: string | undefined,
  ): Promise<{ item: ShownItem; size: number }> {
    const { idHash, have, skip } = asked
    const nothing = { idHash, id: null, covered: [], names: [], facts: [], more: false }
    if (id === undefined) return { item: nothing, size: 64 }
    const all = await this.#context.store.factsOf(id)
    const inScope = all.filter(held => this.#isIn(ask.scope, held))
    if (inScope.length === 0) return { item: nothing, size: 64 }
    const { covered, rest } = coveredBy(itemSet(inScope), have)
    const open = rest.slice(skip)
    if (ask.want === 'names') {
      const page = open.slice(0, limits.holdsMax)
      const names = page.map(({ fact: { version, at, by }, state }) => ({ version, state, at, by }))
      const more = page.length < open.length
      return { item: { ...nothing, id, covered, names, more }, size: 200 * names.length }
    }
    const { shown, answered, bytes } = await this.#showUpTo(open)
    const more = answered < open.length
    return { item: { ...nothing, id, covered, facts: shown, more }, size: bytes }
  }

  #isIn(scope: Scope, { state }: HeldFact): boolean {
    const { sets } = this.#context.ledger
    return scope === 'held' ? sets.isHeld(state) : agreedAt(sets.settled.cut, state)
  }

  /** Facts with their small payloads, until a batch is full; at least one. */
  async #showUpTo(
    held: readonly (HeldFact | undefined)[],
  ): Promise<{ shown: ShownFact[]; answered: number; bytes: number }> {
    const shown: ShownFact[] = []
    let answered = 0
    let bytes = 0
    while (answered < held.length && bytes < limits.batchBytes && shown.length < limits.holdsMax) {
      const slice = held.slice(answered, answered + 64)
      const payloads = await this.#smallPayloads(slice)
      for (const [at, entry] of slice.entries()) {
        if (bytes >= limits.batchBytes) break
        answered += 1
        if (entry === undefined) continue
        const payload = payloads[at] ?? null
        shown.push({ fact: entry.fact, state: entry.state, payload })
        bytes += factBytes(entry.fact, payload)
      }
    }
    return { shown, answered, bytes }
  }

  async #smallPayloads(held: readonly (HeldFact | undefined)[]): Promise<(Bytes | undefined)[]> {
    const small = held.map(entry =>
      entry !== undefined && entry.fact.size <= limits.inlinePayloadBytesMax
        ? entry.fact.blob
        : null,
    )
    const wanted = small.filter(blob => blob !== null)
    const found = wanted.length === 0 ? [] : await this.#context.store.smallPayloads(wanted)
    let next = 0
    return small.map(blob => (blob === null ? undefined : found[next++]))
  }

  async #readChunk(blob: Hash, offset: number, length: number): Promise<Bytes | null> {
    const size = await this.#context.store.payloadSize(blob)
    if (size === undefined || offset > size) return null
    if (offset === size && size > 0) this.#context.doubted(blob)
    const bytes = new Uint8Array(Math.min(length, size - offset))
    let at = 0
    try {
      for await (const piece of this.#context.store.readPayload(blob, offset, bytes.length)) {
        bytes.set(piece, at)
        at += piece.length
      }
    } catch (error) {
      if (!(error instanceof VecheError)) throw error
      return null // damaged or set aside under the reading: for the asker it is not here
    }
    return at === bytes.length ? bytes : null
  }
}
