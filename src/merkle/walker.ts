/**
 * The asking side of a walk (walk.ts). It keeps what is still to be asked, deepest nodes first so
 * that the list stays short, and collects the differences. Nothing in it waits or sends: each step
 * gives the next request or the end.
 *
 * A walk is over two sets that stand still. If either root changes between two messages it ends as
 * `changed`, with what was found until then; whoever repairs that first and starts anew comes
 * nearer each time. What an answer says is believed only about the peer's own set; one that does
 * not fit what was asked ends the walk as `refused`.
 */
import type { Bytes } from '../base/bytes.ts'
import type { Hash } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { FAN } from './blocks.ts'
import { LEAF_ENTRIES_MAX, type Prefix } from './entry.ts'
import { Prints } from './prints.ts'
import type { MerkleTree } from './tree.ts'
import type { WalkAnswer, WalkAsk, WalkRequest } from './walk.ts'
import { faultOfReply, type Todo } from './walk-check.ts'
import { type Difference, type Taking, takeReply } from './walk-take.ts'

/** The peer's storage hash and entries, as its answers said. */
export interface PeerTree {
  readonly root: Hash
  readonly count: number
}

/** A walk under way; only these functions look inside, and each step uses it up. */
export interface Walk extends Taking {
  readonly key: Bytes
  readonly full: boolean
  /** The asker's own root, which must not change. */
  readonly root: Hash
  /** Asked in the last request, in its order. */
  asked: readonly Todo[]
  peer: PeerTree | null
  rounds: number
}

export type WalkStep =
  | { readonly kind: 'ask'; readonly walk: Walk; readonly request: WalkRequest }
  /**
   * When `isComplete` is false there are more than limits.walkDifferencesMax: either repair these
   * and start anew, or take them and go on with `resumeWalk`.
   */
  | {
      readonly kind: 'done'
      readonly differences: readonly Difference[]
      readonly isComplete: boolean
      readonly peer: PeerTree
      readonly walk: Walk
    }
  /** A root changed meanwhile; the differences found so far were true of the sets before. */
  | {
      readonly kind: 'changed'
      readonly whose: 'mine' | 'theirs'
      readonly differences: readonly Difference[]
    }
  | { readonly kind: 'refused'; readonly sentence: string }

/** Up to so many entries on average, nearly all nodes of a row are leaves. */
const MOSTLY_LEAVES = 48

/** Begins a walk with a key of WALK_KEY_BYTES fresh random bytes. */
export function startWalk(
  tree: MerkleTree,
  session: { readonly key: Bytes; readonly full: boolean },
): WalkStep {
  const walk: Walk = {
    key: session.key,
    full: session.full,
    root: tree.root(),
    asked: [],
    todo: firstTodo(tree.count),
    differences: [],
    width: new Prints(session).width,
    peer: null,
    rounds: 0,
  }
  return ask(tree, walk)
}

/** Goes on with an answer. */
export function continueWalk(tree: MerkleTree, walk: Walk, answer: WalkAnswer): WalkStep {
  const { root, count, replies } = answer
  const { differences, peer, asked } = walk
  if (tree.root() !== walk.root) return { kind: 'changed', whose: 'mine', differences }
  if (peer !== null && (peer.root !== root || peer.count !== count)) {
    return { kind: 'changed', whose: 'theirs', differences }
  }
  walk.peer = { root, count }
  if (root === walk.root) {
    walk.todo.length = 0 // nothing differs, whatever the first request still left to ask
    return done(walk, walk.peer)
  }
  if (replies.length === 0 || replies.length > asked.length) {
    return refused('an answer does not have one reply for each ask that it answers')
  }
  const prints = new Prints(walk)
  walk.todo.push(...asked.slice(replies.length).reverse())
  for (const [place, reply] of replies.entries()) {
    const todo = asked[place]!
    const wrong = faultOfReply(todo, reply, walk.width)
    if (wrong !== undefined) return refused(wrong)
    takeReply(tree, walk, { todo, reply, prints })
  }
  return next(tree, walk, walk.peer)
}

/**
 * Goes on with a walk that ended incomplete: the next end has only what comes after. Who goes on
 * bounds how often, since a peer can always show more.
 */
export function resumeWalk(tree: MerkleTree, walk: Walk): WalkStep {
  walk.differences = []
  walk.rounds = 0
  return ask(tree, walk)
}

function next(tree: MerkleTree, walk: Walk, peer: PeerTree): WalkStep {
  const isFull = walk.differences.length >= limits.walkDifferencesMax
  if (isFull || walk.todo.length === 0) return done(walk, peer)
  if (walk.todo.length > limits.walkAheadMax || walk.rounds >= limits.walkRoundsMax) {
    return refused('the peer makes a comparison that does not come to an end')
  }
  return ask(tree, walk)
}

function done(walk: Walk, peer: PeerTree): WalkStep {
  const { differences, todo } = walk
  return { kind: 'done', differences, isComplete: todo.length === 0, peer, walk }
}

/** The next request: the last of what is to be asked, as much as one message holds. */
function ask(tree: MerkleTree, walk: Walk): WalkStep {
  const prints = new Prints(walk)
  const asked: Todo[] = []
  const asks: WalkAsk[] = []
  let bytes = 0
  while (
    asks.length < limits.walkAsksMax &&
    bytes < limits.walkBytes &&
    prints.made < limits.walkPrintsMax
  ) {
    const todo = walk.todo.pop()
    if (todo === undefined) break
    const made = askFor(tree, todo, prints)
    bytes += 8 + made.prefix.length + (made.kind === 'all' ? 32 : made.prints.length)
    asked.push(todo)
    asks.push(made)
  }
  walk.asked = asked
  walk.rounds += 1
  return { kind: 'ask', walk, request: { key: walk.key, full: walk.full, asks } }
}

function askFor(tree: MerkleTree, todo: Todo, prints: Prints): WalkAsk {
  const { kind, prefix } = todo
  switch (kind) {
    case 'children':
      return { kind, prefix, prints: prints.ofNodes(tree.childHashes(prefix)) }
    case 'list':
      return { kind, prefix, prints: prints.ofEntries(tree.entryBytes(prefix)) }
    case 'all':
      return { kind, prefix, after: todo.after }
  }
}

/**
 * Where a walk begins follows from the size of the tree: with the whole in one list, at the root,
 * or one row below it, so that the leaves are reached in a request, where they cost least.
 */
function firstTodo(count: number): Todo[] {
  if (count === 0) return [{ kind: 'all', prefix: '', after: null }]
  if (count <= LEAF_ENTRIES_MAX) return [{ kind: 'list', prefix: '' }]
  let levels = 1
  for (let leaves = FAN; count / leaves > MOSTLY_LEAVES; leaves *= FAN) levels++
  const prefixes: Prefix[] = levels % 2 === 0 || levels === 1 ? [''] : [...'0123456789abcdef']
  return prefixes.map(prefix => ({ kind: 'children', prefix }))
}

function refused(sentence: string): WalkStep {
  return { kind: 'refused', sentence }
}
