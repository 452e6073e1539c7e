/**
 * Lists: items in byte order of ids, versions of an item, links and collisions (DESIGN 5). A list
 * shows the items of a split, never the split id, and never a system item.
 */
import { compareText } from '../../base/bytes.ts'
import type { ItemId, ItemSummary } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { stampMs } from '../../base/stamp.ts'
import { isVecheError, VecheError } from '../../base/veche-error.ts'
import { rootOf, stepCount } from '../../consensus/items/id.ts'
import { collisionsOf, historyOf, itemsOf, viewSummary } from '../../consensus/items/view.ts'
import type {
  CollisionsResult,
  HistoryParams,
  HistoryResult,
  ItemHeader,
  LinksParams,
  LinksResult,
  ListParams,
  ListResult,
} from '../../control/protocol.ts'
import type { Member } from '../driver/member.ts'
import { headerOf } from './header.ts'
import { checkId, itemIn, type Reading, type Shown, shownNode } from './reading.ts'

/** Every user id sorts at or after this: system ids begin with U+0001. */
const FIRST_USER_ID = '\u0002'

export class Listing {
  readonly #member: Member
  readonly #reading: Reading

  constructor(member: Member, reading: Reading) {
    this.#member = member
    this.#reading = reading
  }

  list(params: ListParams): Promise<ListResult> {
    return this.#durably(this.#member.mending.read(() => this.#page(params)))
  }

  history(params: HistoryParams): Promise<HistoryResult> {
    return this.#durably(this.#historyOf(params))
  }

  links(params: LinksParams): Promise<LinksResult> {
    return this.#durably(this.#linksOf(params))
  }

  collisions(): Promise<CollisionsResult> {
    return this.#durably(this.#collisions())
  }

  /** What was shown must survive a crash, what was not found or has split, too. */
  async #durably<T>(shown: Promise<T>): Promise<T> {
    try {
      return await shown
    } finally {
      await this.#member.ledger.durable()
    }
  }

  async #page(params: ListParams): Promise<ListResult> {
    const limit = Math.min(params.limit ?? limits.pageMax, limits.pageMax)
    const items: ItemHeader[] = []
    const damaged: ItemId[] = []
    const told = () => (damaged.length === 0 ? {} : { damaged })
    let last: ItemId | undefined
    let bytes = 0
    for await (const header of this.#headers(params)) {
      const isFull = items.length + damaged.length >= limit || bytes >= limits.pageBytesMax
      if (isFull) return last === undefined ? { items } : { items, next: last, ...told() }
      last = header.id
      if (this.#member.mending.isShort(header.id)) damaged.push(header.id)
      else items.push(header)
      bytes += 600 + header.id.length + header.description.length
    }
    return { items, ...told() }
  }

  async #historyOf({ id, after, limit }: HistoryParams): Promise<HistoryResult> {
    checkId(id)
    const { view, held } = await this.#reading.view(id)
    const item = itemIn(view, id)
    const nodes = historyOf(item)
    const start = after === undefined ? 0 : nodes.findIndex(node => node.version === after) + 1
    if (after !== undefined && start === 0) {
      throw new VecheError('BAD_REQUEST', `${id} has no version ${after}.`, { parameter: 'after' })
    }
    const page = nodes.slice(start, start + Math.min(limit ?? limits.pageMax, limits.pageMax))
    const facts = page.map(node => {
      const { deleted, ...header } = headerOf(shownNode(item, node, held))
      return { ...header, parents: node.parents, deleted: deleted === true }
    })
    const last = page.at(-1)
    const isMore = start + page.length < nodes.length
    return isMore && last !== undefined ? { facts, next: last.version } : { facts }
  }

  async #linksOf({ id }: LinksParams): Promise<LinksResult> {
    const shown = await this.#reading.shown({ id })
    const dependsOn = []
    for (const to of shown.fact.dependsOn) {
      dependsOn.push({ id: to, missing: !(await this.exists(to)) })
    }
    return { dependsOn, dependedOnBy: await this.dependedOnBy(id) }
  }

  /** Items whose head depends on an id. */
  async dependedOnBy(id: ItemId): Promise<ItemId[]> {
    const candidates = await this.#member.store.dependedOnBy(id, limits.pageMax)
    const found: ItemId[] = []
    for (const from of candidates) {
      const shown = await this.#headOrNothing(from).catch(nothingIfUnreadable)
      if (shown?.fact.dependsOn.includes(id) === true) found.push(from)
    }
    return found.sort(compareText)
  }

  /** Whether an id shows a live item, or has split into some. */
  async exists(id: ItemId): Promise<boolean> {
    try {
      return (await this.#headOrNothing(id)) !== undefined
    } catch (error) {
      if (isUnreadable(error)) return true
      throw error
    }
  }

  async #collisions(): Promise<CollisionsResult> {
    const collisions = []
    for await (const root of this.#splitRoots()) {
      const { view } = await this.#reading.view(root)
      for (const { id, branches } of collisionsOf(view)) {
        collisions.push({
          id,
          branches: branches.map(({ id: item, version, fact }) => ({
            id: item,
            version,
            at: stampMs(fact.at),
            by: fact.by,
            size: fact.size,
          })),
        })
      }
    }
    return { collisions }
  }

  async #headOrNothing(id: ItemId): Promise<Shown | undefined> {
    try {
      return await this.#reading.shown({ id })
    } catch (error) {
      if (error instanceof VecheError && ['NOT_FOUND', 'BAD_REQUEST'].includes(error.code)) {
        return undefined
      }
      if (error instanceof VecheError && error.code === 'SPLIT') return undefined
      throw error
    }
  }

  /** Ids whose heads make a collision. */
  async *#splitRoots(): AsyncGenerator<ItemId> {
    for await (const summary of this.#summaries(FIRST_USER_ID, undefined)) {
      if (stepCount(summary.id) > 0) continue
      if (viewSummary(summary.id, summary) === undefined) yield summary.id
    }
  }

  async *#summaries(from: ItemId, until: ItemId | undefined): AsyncGenerator<ItemSummary> {
    for (let next = from; ; ) {
      const range = until === undefined ? { from: next } : { from: next, until }
      const page = await this.#member.store.scanItems(range, limits.pageMax)
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < limits.pageMax) return
      next = `${last.id}\u0000`
    }
  }

  /**
   * Headers of items in byte order. The items of a split have no record of their own and sort
   * behind ids that only begin like theirs (`report`, `report/a`, `report~3`), so they wait in
   * `later` until their turn comes.
   */
  async *#headers(params: ListParams): AsyncGenerator<ItemHeader> {
    const prefix = params.prefix ?? ''
    const isWanted = ({ id, deleted }: ItemHeader) =>
      id.startsWith(prefix) &&
      (params.after === undefined || compareText(id, params.after) > 0) &&
      (deleted !== true || params.deleted === true)
    const from = [prefix, params.after ?? '', FIRST_USER_ID].reduce(laterOf)
    let later = await this.#splitsBefore(from, params.at)
    let family: ItemId | undefined
    for await (const summary of this.#summaries(from, undefined)) {
      for (const header of later)
        if (compareText(header.id, summary.id) < 0 && isWanted(header)) yield header
      later = later.filter(header => compareText(header.id, summary.id) >= 0)
      if (!summary.id.startsWith(prefix)) break
      const root = rootOf(summary.id)
      const isWhole = params.at === undefined && stepCount(summary.id) === 0
      if (isWhole && viewSummary(summary.id, summary) !== undefined) {
        const header = await this.#wholeHeader(summary)
        if (header !== undefined && isWanted(header)) yield header
      } else if (root !== family && !later.some(header => rootOf(header.id) === root)) {
        family = root
        const isShown = params.at === undefined && (await this.#isWhole(root))
        const headers = await this.#familyHeaders(root, params.at)
        later.push(...headers.filter(({ id }) => !(isShown && id === root)))
        later.sort((a, b) => compareText(a.id, b.id))
        const now = later.filter(header => compareText(header.id, summary.id) <= 0)
        for (const header of now) if (isWanted(header)) yield header
        later = later.filter(header => compareText(header.id, summary.id) > 0)
      }
    }
    for (const header of later) if (isWanted(header)) yield header
  }

  /** Items of splits whose root id sorts before `from` and that themselves may sort behind it. */
  async #splitsBefore(from: ItemId, at: number | undefined): Promise<ItemHeader[]> {
    const roots = Array.from({ length: from.length }, (_, length) => from.slice(0, length)).filter(
      id => id.length > 0,
    )
    const summaries = await this.#member.store.items(roots)
    const headers: ItemHeader[] = []
    for (const [place, summary] of summaries.entries()) {
      if (summary === undefined || viewSummary(roots[place]!, summary) !== undefined) continue
      headers.push(...(await this.#familyHeaders(roots[place]!, at)))
    }
    return headers
      .filter(header => compareText(header.id, from) >= 0)
      .sort((a, b) => compareText(a.id, b.id))
  }

  /** Whether an item was listed by its own record: one that was split, and is one again. */
  async #isWhole(root: ItemId): Promise<boolean> {
    const [summary] = await this.#member.store.items([root])
    return summary !== undefined && viewSummary(root, summary) !== undefined
  }

  async #wholeHeader(summary: ItemSummary): Promise<ItemHeader | undefined> {
    const { id } = summary
    const seen = viewSummary(id, summary)
    if (seen === undefined || seen.kind === 'absent') return undefined
    const { version, position } = seen.shown
    const [held] = await this.#member.store.facts([{ id, version }])
    return held === undefined
      ? undefined
      : headerOf({ id, version, position, fact: held.fact, held })
  }

  async #familyHeaders(root: ItemId, at: number | undefined): Promise<ItemHeader[]> {
    const { view, held } = await this.#reading.view(root, at)
    return itemsOf(view).map(item => headerOf(shownNode(item, item.shown, held)))
  }
}

function laterOf(a: ItemId, b: ItemId): ItemId {
  return compareText(a, b) >= 0 ? a : b
}

/** Damaged here, or perhaps lost: not known to be missing, and not to be shown. */
function isUnreadable(error: unknown): boolean {
  return isVecheError(error, 'DAMAGED') || isVecheError(error, 'UNAVAILABLE')
}

function nothingIfUnreadable(error: unknown): undefined {
  if (!isUnreadable(error)) throw error
  return undefined
}
