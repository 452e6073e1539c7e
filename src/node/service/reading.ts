/**
 * Reading items: what an id shows, now, at a version or at a time, with its payload (DESIGN 5). The
 * summary tells for a whole item; a split item takes the view of its family. A payload is held
 * against its hash before it is given out.
 */
import type { Bytes } from '../../base/bytes.ts'
import {
  type Fact,
  type FactRef,
  type HeldFact,
  type ItemId,
  isDelete,
  isSystemId,
  refKey,
} from '../../base/fact.ts'
import { type Hash, hashStream } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { stampOf } from '../../base/stamp.ts'
import { isVecheError, VecheError } from '../../base/veche-error.ts'
import type { Node } from '../../consensus/items/chain.ts'
import { parseId, rootOf } from '../../consensus/items/id.ts'
import type { CustomPolicy, Policy } from '../../consensus/items/policy.ts'
import {
  type FamilyView,
  findItem,
  type ItemPlace,
  viewFamily,
  viewSummary,
} from '../../consensus/items/view.ts'
import type { ItemStream } from '../../control/member-service.ts'
import type { HeadParams } from '../../control/protocol.ts'
import type { Member } from '../driver/member.ts'
import { familyIds } from '../ledger/batch.ts'
import { headerOf } from './header.ts'

/** A version that an id shows: the fact whose content it is, under the id that was asked for. */
export interface Shown {
  readonly id: ItemId
  readonly version: Hash
  readonly position: number
  readonly fact: Fact
  readonly held: HeldFact
}

/** A fact as it is held. */
export type HeldOf = (ref: FactRef) => HeldFact | undefined

export class Reading {
  readonly #member: Member

  constructor(member: Member) {
    this.#member = member
  }

  /**
   * What an id shows; throws NOT_FOUND, SPLIT or BAD_REQUEST. Nothing is shown before it is
   * durable: after a crash it would be shown no more.
   */
  async shown(params: HeadParams): Promise<Shown> {
    checkId(params.id)
    const hadGap = this.#member.gap // it may close after what was lost was looked for
    try {
      return await this.#look(params)
    } catch (error) {
      const hasGap = hadGap || this.#member.gap
      throw hasGap && isAbsence(error) ? perhapsLost(params.id) : error
    } finally {
      await this.#member.ledger.durableOf(params.id)
    }
  }

  async #look(params: HeadParams): Promise<Shown> {
    const { id } = params
    if (params.version !== undefined || params.at !== undefined) return await this.#past(params)
    const { mending, store } = this.#member
    const [summary] = await mending.read(() => store.items([id]))
    mending.mustBeWhole(id)
    const seen = viewSummary(id, summary)
    if (seen === undefined) return await this.#ofFamily(id)
    if (seen.kind === 'absent') throw notFound(id)
    if (seen.deleted) throw deleted(id, seen.shown.version)
    const { version, position } = seen.shown
    const [held] = await this.#member.store.facts([{ id, version }])
    if (held === undefined) {
      const sentence = damagedFact(id, version).message
      mending.found({ what: 'item', id, sentence }) // also one that is gone without a trace
      throw damagedFact(id, version)
    }
    return { id, version, position, fact: held.fact, held }
  }

  /** The view of an id's family, now or by the facts that were stamped up to a time. */
  async view(id: ItemId, at?: number): Promise<{ view: FamilyView; held: HeldOf }> {
    const root = rootOf(id)
    const { ledger, mending, store } = this.#member
    const facts = await mending.read(async () => {
      const found: HeldFact[] = [...(await store.factsOf(root))]
      for (const member of await familyIds(store, root))
        found.push(...(await store.factsOf(member)))
      return found
    })
    const limit = at === undefined ? undefined : stampOf(at, 0xffff)
    const known = facts
      .map(entry => entry.fact)
      .filter(fact => limit === undefined || fact.at <= limit)
    const policy = this.#policyOf(root, known)
    // What stood once is not what is looked at again.
    const view =
      at === undefined ? ledger.families.view(root, known, policy) : viewFamily(root, known, policy)
    return { view, held: heldOf(facts) }
  }

  /** The planted bug: what arrived first keeps the name. */
  #policyOf(root: ItemId, facts: readonly Fact[]): Policy {
    if (!this.#member.planted.has('split-by-arrival')) return this.#member.policyOf(root)
    const decide: CustomPolicy = (_, heads) => {
      const first = facts.find(({ version }) => heads.some(head => head.version === version))
      return first === undefined ? 'split' : { keep: first.version }
    }
    return { kind: 'custom', decide }
  }

  /** A small payload, whole and verified. */
  async payload(shown: Shown, bytesMax: number): Promise<Bytes> {
    const { blob, size } = shown.fact
    if (size > bytesMax) {
      const sentence = `The payload of ${shown.id} has ${size} bytes: use \`download\`.`
      throw new VecheError('TOO_LARGE', sentence, { size, limit: bytesMax })
    }
    if (blob === null) throw deleted(shown.id, shown.version)
    if (size <= limits.inlinePayloadBytesMax) {
      const [bytes] = await this.#member.store.smallPayloads([blob])
      if (bytes !== undefined) return bytes
      const [isThere] = await this.#member.store.hasPayloads([blob])
      if (isThere === true) throw await this.#damaged(shown, { blob, size })
    }
    const { stream } = await this.stream(shown)
    const whole = new Uint8Array(size)
    let at = 0
    for await (const piece of stream) {
      whole.set(piece, at)
      at += piece.length
    }
    return whole
  }

  /**
   * A payload of any size. The last piece is given only when the whole matched its hash, so a
   * reader never has all of a wrong one.
   */
  async stream(shown: Shown): Promise<ItemStream> {
    const { blob, size } = shown.fact
    if (blob === null) throw deleted(shown.id, shown.version)
    await this.#bring(shown, blob)
    const source = this.#member.store.readPayload(blob, 0, size)
    const damaged = () => this.#damaged(shown, { blob, size })
    return { header: headerOf(shown), stream: verified(source, { blob, size }, damaged) }
  }

  /** A payload that is not here yet is fetched from a member that has it. */
  async #bring({ id, fact }: Shown, blob: Hash): Promise<void> {
    const { payloads, store } = this.#member
    if ((await store.hasPayloads([blob]))[0] === true) return
    payloads.want(blob, fact.size)
    const { promise, resolve } = Promise.withResolvers<void>()
    const quiet = { bytes: payloads.receivedBytes }
    const watch = () => {
      if (payloads.receivedBytes === quiet.bytes) return resolve()
      quiet.bytes = payloads.receivedBytes
      timer = this.#member.ports.clock.after(limits.putWaitMs, watch)
    }
    let timer = this.#member.ports.clock.after(limits.putWaitMs, watch)
    await Promise.race([payloads.hurry(blob), promise])
    timer.cancel()
    if ((await store.hasPayloads([blob]))[0] === true) return
    const holders = this.#member.reached()
    const sentence =
      holders.length === 0
        ? `The payload of ${id} is not here, and no other member is reached.`
        : `The payload of ${id} is not here, and no reached member gave it.`
    throw new VecheError('UNAVAILABLE', sentence, { holders: [fact.by], reached: holders })
  }

  /** Sets a damaged payload aside and wants it anew, durably: a restart does not forget it. */
  async #damaged(
    { id }: Shown,
    wanted: { readonly blob: Hash; readonly size: number },
  ): Promise<VecheError> {
    const { blob, size } = wanted
    await this.#member.mending.setAside(blob, size)
    const sentence = `The payload of ${id} does not match its hash; it is fetched again.`
    return new VecheError('DAMAGED', sentence, { blob })
  }

  async #ofFamily(id: ItemId): Promise<Shown> {
    const { view, held } = await this.view(id)
    this.#member.mending.mustBeWhole(id) // also by what this look itself has found
    const item = itemIn(view, id)
    if (item.deleted) throw deleted(id, item.shown.version)
    return shownNode(item, item.shown, held)
  }

  /** A version by its hash, or the one that stood at a time by the facts known now. */
  async #past({ id, version, at }: HeadParams): Promise<Shown> {
    const { view, held } = await this.view(id)
    if (version !== undefined) {
      for (const place of view.places.values()) {
        if (place.kind === 'moved' || place.id !== id) continue
        const node = place.chain.nodes.get(version)
        if (node !== undefined) {
          if (isDelete(node.fact)) throw deleted(id, version)
          return shownOf(id, node, place.chain.positions.get(version)!, held)
        }
      }
      throw new VecheError('NOT_FOUND', `${id} has no version ${version} here.`, { id, version })
    }
    const then = await this.view(id, at)
    this.#member.mending.mustBeWhole(id)
    const item = itemIn(then.view, id)
    if (item.deleted) throw deleted(id, item.shown.version)
    return shownNode(item, item.shown, held)
  }
}

/** Refuses what is no id. */
export function checkId(id: ItemId): void {
  const parsed = parseId(id)
  if (!parsed.ok || isSystemId(id)) {
    const sentence = parsed.ok ? 'That id is reserved.' : parsed.sentence
    throw new VecheError('BAD_REQUEST', sentence, { parameter: 'id' })
  }
}

/** The item that an id names in a view; throws NOT_FOUND or SPLIT. */
export function itemIn(view: FamilyView, id: ItemId): ItemPlace {
  const found = findItem(view, id)
  if (found.kind === 'item') return found.item
  if (found.kind === 'absent') throw notFound(id)
  const ids = found.ids
  if (ids.length === 0) throw notFound(id)
  const sentence = `${id} has split into ${ids.slice(0, 8).join(', ')}. Read one of these.`
  throw new VecheError('SPLIT', sentence, { ids })
}

/** A node of an item as it is shown. */
export function shownNode(item: ItemPlace, node: Node, held: HeldOf): Shown {
  return shownOf(item.id, node, item.chain.positions.get(node.version) ?? item.position, held)
}

function shownOf(id: ItemId, node: Node, position: number, held: HeldOf): Shown {
  const of = held(node.fact)
  if (of === undefined) throw damagedFact(node.fact.id, node.fact.version)
  return { id, version: node.version, position, fact: node.fact, held: of }
}

/** Hashed and given on at once: the reader's socket never runs dry behind a large one. */
const STEP_BYTES = 128 * 1024

async function* verified(
  source: AsyncIterable<Bytes>,
  expect: { readonly blob: Hash; readonly size: number },
  damaged: () => Promise<VecheError>,
): AsyncGenerator<Bytes> {
  const hash = hashStream()
  let last: Bytes | null = null
  let bytes = 0
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += STEP_BYTES) {
      const step = piece.subarray(at, at + STEP_BYTES)
      hash.update(step)
      bytes += step.length
      if (last !== null) yield last
      last = step
    }
  }
  if (bytes !== expect.size || hash.digest() !== expect.blob) throw await damaged()
  if (last !== null) yield last
}

/** Facts by name, put in order when the first one is asked for: who is told of a split asks none. */
function heldOf(facts: readonly HeldFact[]): HeldOf {
  let byKey: ReadonlyMap<string, HeldFact> | null = null
  return ref => {
    byKey ??= new Map(facts.map(entry => [refKey(entry.fact), entry]))
    return byKey.get(refKey(ref))
  }
}

function notFound(id: ItemId): VecheError {
  return new VecheError('NOT_FOUND', `There is no item ${id} here.`, { id })
}

/** Nothing is known of an item here; a delete that is known says so. */
function isAbsence(error: unknown): boolean {
  return isVecheError(error, 'NOT_FOUND') && error.data.deleted !== true
}

/** A member with a gap cannot tell what never was from what it lost. */
function perhapsLost(id: ItemId): VecheError {
  const sentence =
    `There is no item ${id} here now, but this store lost something and is being refilled: ` +
    'ask again when `veche status` shows no gap.'
  return new VecheError('UNAVAILABLE', sentence, { id })
}

function deleted(id: ItemId, version: Hash): VecheError {
  const sentence = `${id} was deleted. \`history\` still shows its versions.`
  return new VecheError('NOT_FOUND', sentence, { id, deleted: true, version })
}

function damagedFact(id: ItemId, version: Hash): VecheError {
  return new VecheError('DAMAGED', `The record of ${id} is damaged here.`, { id, version })
}
