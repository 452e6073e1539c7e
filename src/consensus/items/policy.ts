/**
 * What becomes of a collision (PROTOCOL 3). A policy belongs to the network or to an id prefix, so
 * every member applies the same one to the same facts; each is a pure function of them.
 *
 * - `split`, the default: every branch becomes an item of its own.
 * - `latest`: the live head with the largest (at, by) is the item; the others stay in its history,
 *   and the next write names them all as parents.
 * - `custom`, in the embedding API: a function of (base, heads) that keeps one head, or splits.
 */
import { compareAscii } from '../../base/bytes.ts'
import type { Fact } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { invariant } from '../../base/invariant.ts'
import { type Branch, type Chain, commonPast, type Node } from './chain.ts'

/** One side of a collision as a custom policy sees it. */
export interface PolicySide {
  readonly version: Hash
  readonly fact: Fact
}

/**
 * A function of the newest versions that all heads descend from, and of one head for each branch,
 * both sorted by version. It must read nothing else; what it keeps must be one of the heads.
 */
export type CustomPolicy = (
  base: readonly PolicySide[],
  heads: readonly PolicySide[],
) => 'split' | { readonly keep: Hash }

export type Policy =
  | { readonly kind: 'split' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'custom'; readonly decide: CustomPolicy }

/** The default. */
export const splitPolicy: Policy = { kind: 'split' }

/** The head to keep among two or more branches, or `undefined` when they split. */
export function keptHead(
  policy: Policy,
  chain: Chain,
  branches: readonly Branch[],
): Node | undefined {
  const heads = branches.map(branch => branch.heads[0]!)
  if (policy.kind === 'split') return undefined
  if (policy.kind === 'latest') {
    return branches.flatMap(branch => branch.heads).reduce((a, b) => (isLater(b, a) ? b : a))
  }
  const decision = policy.decide(commonBase(chain, branches).map(sideOf), heads.map(sideOf))
  if (decision === 'split') return undefined
  const kept = heads.find(head => head.version === decision.keep)
  invariant(kept !== undefined, 'a custom policy keeps one of the heads that it was given')
  return kept
}

function isLater(a: Node, b: Node): boolean {
  const order =
    compareAscii(a.fact.at, b.fact.at) ||
    compareAscii(a.fact.by, b.fact.by) ||
    compareAscii(a.version, b.version)
  return order > 0
}

function sideOf({ version, fact }: Node): PolicySide {
  return { version, fact }
}

/** The newest versions that every branch descends from, sorted. */
function commonBase(chain: Chain, branches: readonly Branch[]): Node[] {
  const common = commonPast(chain, branches)
  const inner = new Set<Hash>()
  for (const version of common) {
    for (const parent of chain.nodes.get(version)!.parents) inner.add(parent)
  }
  return [...common]
    .filter(version => !inner.has(version))
    .sort(compareAscii)
    .map(version => chain.nodes.get(version)!)
}
