/**
 * From a user's wish to the facts that fulfil it (PROTOCOL 3 and 11): chained on all heads that
 * this member sees, with the `base` that a split id needs, or refused with a code and a sentence.
 * Pure: the stamp comes from outside, and the caller holds the item's line, so that two writes at
 * one member are planned one after the other.
 *
 * The same content put again on its own head makes a new version, with its own stamp: the former
 * one is its parent. A write names at most `limits.parentsMax` heads, live ones first.
 */

import { compareAscii } from '../../base/bytes.ts'
import {
  type BaseHeads,
  type Content,
  type Fact,
  type HeadSummary,
  type ItemId,
  type ItemSummary,
  isDelete,
  type MemberId,
} from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { invariant } from '../../base/invariant.ts'
import { limits } from '../../base/limits.ts'
import type { Stamp } from '../../base/stamp.ts'
import { isReal, type Node } from './chain.ts'
import { checkForm } from './check.ts'
import { parseId, stepCount } from './id.ts'
import { dataHashOf, deletedContent, versionOf } from './version.ts'
import {
  baseFor,
  type FamilyView,
  findItem,
  type ItemPlace,
  liveItemsBelow,
  viewSummary,
} from './view.ts'

/** What a user wants of an item. */
export interface WriteRequest {
  /** With normalised properties; `null` deletes. */
  readonly content: Content | null
  /** The version that must be the head; `null` if there must be no live item. */
  readonly ifVersion?: Hash | null
  /** On a split id: make this its merge, and end the items whose content it takes in. */
  readonly merge?: boolean
}

/** When and by which member a write is accepted. */
export interface WriteStamp {
  readonly at: Stamp
  readonly by: MemberId
}

/** The facts to make durable in one batch, the requested one first; or why there are none. */
export type Plan =
  | { readonly ok: true; readonly facts: readonly [Fact, ...Fact[]] }
  | { readonly ok: false; readonly refusal: Refusal }

export type Refusal = { readonly sentence: string } & (
  | { readonly code: 'SPLIT'; readonly ids: readonly ItemId[] }
  /** `head` is the version that stands there; `null` if there is no live item. */
  | { readonly code: 'VERSION_MISMATCH'; readonly head: Hash | null }
  | { readonly code: 'NOT_FOUND' }
  | { readonly code: 'BAD_REQUEST' }
)

/** What a resolution keeps: an item's id or a version of the collision, or a new content. */
export type Choice = { readonly keep: ItemId | Hash } | { readonly content: Content }

/** Plans a put or delete from the view of the family. */
export function planWrite(
  view: FamilyView,
  id: ItemId,
  request: WriteRequest,
  stamp: WriteStamp,
): Plan {
  const parsed = parseId(id)
  if (!parsed.ok) return refused({ code: 'BAD_REQUEST', sentence: parsed.sentence })
  const found = findItem(view, id)
  switch (found.kind) {
    case 'item': {
      const refusal = conditionRefusal(id, standingOf(found.item), request)
      return refusal ?? planOnItem(view, found.item, request.content ?? deletedContent, stamp)
    }
    case 'split': {
      const { ids } = found
      const isSplit = view.places.get(id)?.kind === 'split'
      if (ids.length > 0 && !(isSplit && request.merge === true)) return splitRefusal(id, ids)
      const isGone = !isSplit || (ids.length === 0 && request.content === null)
      if (isGone) return notFound(id)
      const refusal = conditionRefusal(id, nothingThere, request, request.merge === true)
      return refusal ?? planMerge(view, id, request.content ?? deletedContent, stamp)
    }
    case 'absent': {
      if (stepCount(id) > 0) return notFound(id)
      const refusal = conditionRefusal(id, nothingThere, request)
      return refusal ?? planFacts([{ id, parents: [], base: null, ...bodyOf(request), stamp }])
    }
  }
}

/**
 * Plans a put or delete on a whole root id from its summary alone, without its facts; `undefined`
 * when it takes the view of the family. Where it answers, it answers what `planWrite` would.
 */
export function planWriteFast(
  id: ItemId,
  summary: ItemSummary | undefined,
  request: WriteRequest,
  stamp: WriteStamp,
): Plan | undefined {
  const parsed = parseId(id)
  if (!parsed.ok) return refused({ code: 'BAD_REQUEST', sentence: parsed.sentence })
  const seen = viewSummary(id, summary)
  const heads = summary?.heads ?? []
  if (seen === undefined || heads.length > limits.parentsMax) return undefined
  const standing = seen.kind === 'absent' ? nothingThere : standingOfSummary(heads, seen.shown)
  const refusal = conditionRefusal(id, standing, request)
  const parents = heads.map(head => head.version)
  return refusal ?? planFacts([{ id, parents, base: null, ...bodyOf(request), stamp }])
}

/**
 * Plans the end of a collision: one merge on the split id over all its heads seen and, in the same
 * batch, a delete on each of its live items.
 */
export function planResolve(view: FamilyView, id: ItemId, choice: Choice, stamp: WriteStamp): Plan {
  const place = view.places.get(id)
  if (place?.kind !== 'split') {
    const known = place !== undefined || findItem(view, id).kind !== 'absent'
    return known
      ? refused({ code: 'BAD_REQUEST', sentence: `${id} is not in collision.` })
      : notFound(id)
  }
  if ('content' in choice) return planMerge(view, id, choice.content, stamp)
  const item = liveItemsBelow(view, id).find(
    ({ id: itemId, shown }) => itemId === choice.keep || shown.version === choice.keep,
  )
  const kept = item?.shown ?? place.heads.find(head => head.version === choice.keep)
  if (kept === undefined || isDelete(kept.fact)) {
    const sentence = `${choice.keep} is no item or version of the collision of ${id}.`
    return refused({ code: 'NOT_FOUND', sentence })
  }
  return planMerge(view, id, kept.fact, stamp)
}

function planOnItem(view: FamilyView, item: ItemPlace, content: Content, stamp: WriteStamp): Plan {
  return planFacts([draftOn(view, item.id, item.heads, content, stamp)])
}

/**
 * A merge of more heads than one fact can name joins the first of them; the items are ended by the
 * merge that joins the rest.
 */
function planMerge(view: FamilyView, id: ItemId, content: Content, stamp: WriteStamp): Plan {
  const place = view.places.get(id)
  if (place?.kind !== 'split') return notFound(id)
  const merge = draftOn(view, id, place.heads, content, stamp)
  if (place.heads.length > limits.parentsMax) return planFacts([merge])
  const ends = liveItemsBelow(view, id)
    .filter(item => parseId(item.id).ok) // on an id that is too long to be written nobody wrote
    .map(item => draftOn(view, item.id, item.heads, deletedContent, stamp))
  return planFacts([merge, ...ends])
}

/** A fact before it has its hashes. */
interface Draft {
  readonly id: ItemId
  readonly parents: readonly Hash[]
  readonly base: readonly BaseHeads[] | null
  readonly content: Content
  readonly stamp: WriteStamp
}

function draftOn(
  view: FamilyView,
  id: ItemId,
  heads: readonly Node[],
  content: Content,
  stamp: WriteStamp,
): Draft {
  const named = [...heads]
    .sort((a, b) => Number(isDelete(a.fact)) - Number(isDelete(b.fact)))
    .slice(0, limits.parentsMax)
  const parents = named.map(head => head.version).sort(compareAscii)
  const base = named.every(isReal) ? null : baseFor(view, id)
  return { id, parents, base, content, stamp }
}

function planFacts(drafts: readonly [Draft, ...Draft[]]): Plan {
  const facts: Fact[] = []
  for (const { id, parents, base, content, stamp } of drafts) {
    const { blob, size, type, tags, description, meta, dependsOn } = content
    const dataHash = dataHashOf(content)
    const version = versionOf(id, parents, dataHash)
    const properties = { type, tags, description, meta, dependsOn }
    const fact = { id, version, parents, dataHash, blob, size, ...properties, ...stamp, base }
    const checked = checkForm(fact)
    if (!checked.ok) return refused({ code: 'BAD_REQUEST', sentence: checked.sentence })
    facts.push(fact)
  }
  const [first, ...rest] = facts
  invariant(first !== undefined, 'a plan has at least the fact that was asked for')
  return { ok: true, facts: [first, ...rest] }
}

/** What stands at an id before the write. */
interface Standing {
  readonly shown: Hash | null
  /** All heads with the content that is shown: any of them fulfils a condition. */
  readonly same: readonly Hash[]
  readonly deleted: boolean
}

const nothingThere: Standing = { shown: null, same: [], deleted: true }

function standingOf(item: ItemPlace): Standing {
  const { dataHash } = item.shown.fact
  const same = item.heads.filter(head => head.fact.dataHash === dataHash).map(head => head.version)
  return { shown: item.shown.version, same, deleted: item.deleted }
}

function standingOfSummary(heads: readonly HeadSummary[], shown: HeadSummary): Standing {
  const same = heads.filter(head => head.dataHash === shown.dataHash).map(head => head.version)
  return { shown: shown.version, same, deleted: shown.deleted }
}

/** Whether the request's condition fails, or it deletes what is not there. */
function conditionRefusal(
  id: ItemId,
  standing: Standing,
  request: WriteRequest,
  mayDeleteNothing = false,
): Plan | undefined {
  const { content, ifVersion } = request
  if (ifVersion !== undefined) {
    const head = standing.deleted ? null : standing.shown
    const isMet = ifVersion === null ? head === null : standing.same.includes(ifVersion)
    if (!isMet) {
      const now = head === null ? 'there is no such item now' : `its version is ${head} now`
      const sentence = `${id} was not written: ${now}. Read it again and decide anew.`
      return refused({ code: 'VERSION_MISMATCH', head, sentence })
    }
  }
  return content === null && standing.deleted && !mayDeleteNothing ? notFound(id) : undefined
}

function bodyOf(request: WriteRequest): { content: Content } {
  return { content: request.content ?? deletedContent }
}

function splitRefusal(id: ItemId, ids: readonly ItemId[]): Plan {
  const list = ids.slice(0, 8).join(', ') + (ids.length > 8 ? ', …' : '')
  const sentence = `${id} has split into ${list}. Use one of these, or merge them with resolve.`
  return refused({ code: 'SPLIT', ids, sentence })
}

function notFound(id: ItemId): Plan {
  return refused({ code: 'NOT_FOUND', sentence: `There is no item ${id} here.` })
}

function refused(refusal: Refusal): Plan {
  return { ok: false, refusal }
}
