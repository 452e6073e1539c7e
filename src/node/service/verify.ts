/**
 * `verify`: every record, every fact with its hashes and its chain, every payload, and the root
 * recomputed from the facts, naming what is wrong (DESIGN 5). It reads all and changes nothing but
 * to set damaged payloads aside, so that they are fetched again.
 */
import { type HeldFact, type ItemSummary, isSystemId } from '../../base/fact.ts'
import { hashText } from '../../base/hash.ts'
import { stampOf } from '../../base/stamp.ts'
import { checkFact } from '../../consensus/items/check.ts'
import { leafWhere } from '../../consensus/items/digest.ts'
import type { VerifyOptions } from '../../control/member-service.ts'
import type { VerifyDamage, VerifyResult } from '../../control/protocol-network.ts'
import { MerkleTree } from '../../merkle/tree.ts'
import type { Member } from '../driver/member.ts'
import type { Listing } from './listing.ts'

interface Found {
  items: number
  facts: number
  payloads: number
  readonly damages: VerifyDamage[]
  readonly danglingLinks: { id: string; missing: string }[]
  readonly tree: MerkleTree
  readonly blobs: Map<string, { id: string; version: string }>
}

/** Verifies the whole store of a member. */
export async function verifyMember(
  member: Member,
  listing: Listing,
  options: VerifyOptions,
): Promise<VerifyResult> {
  const found: Found = {
    items: 0,
    facts: 0,
    payloads: 0,
    damages: [],
    danglingLinks: [],
    tree: new MerkleTree(),
    blobs: new Map(),
  }
  await verifyRecords(member, found, options)
  await verifyItems(member, listing, found, options)
  await verifyPayloads(member, found, options)
  if (found.damages.length === 0) member.mending.soundAgain()
  const hash = found.tree.root()
  const { items, facts, payloads, danglingLinks } = found
  const damages = oncePerPayload(found)
  return { ok: damages.length === 0, items, facts, payloads, hash, damages, danglingLinks }
}

async function verifyRecords(member: Member, found: Found, options: VerifyOptions): Promise<void> {
  let done = 0
  for await (const { checked, damages } of member.store.verify()) {
    options.signal.throwIfAborted()
    done += checked
    found.damages.push(...damages)
    member.mending.take(damages)
    options.progress({ phase: 'records', done, of: null })
  }
}

async function verifyItems(
  member: Member,
  listing: Listing,
  found: Found,
  options: VerifyOptions,
): Promise<void> {
  const of = member.store.counts().items
  for await (const page of member.store.allItems()) {
    for (const summary of page) {
      options.signal.throwIfAborted()
      const facts = await member.store.factsOf(summary.id)
      for (const held of facts) verifyFact(held, found)
      if (isSystemId(summary.id)) continue
      found.items += 1
      found.facts += facts.length
      verifyChain(summary, facts, found)
      await verifyLeaf(member, summary.id, facts, found)
      await verifyLinks(listing, summary, facts, found)
    }
    options.progress({ phase: 'facts', done: found.items, of })
  }
}

/** The leaf recomputed from the facts must be the one in the tree; checked again in order. */
async function verifyLeaf(
  member: Member,
  id: string,
  facts: readonly HeldFact[],
  found: Found,
): Promise<void> {
  const idHash = hashText(id)
  const { settled } = member.ledger.sets
  const leafOfNow = (held: readonly HeldFact[]) => {
    const limit = stampOf(settled.cut)
    return leafWhere(held, ({ state }) => state.kind === 'agreed' && state.added <= limit)
  }
  let leaf = leafOfNow(facts)
  if (leaf !== (settled.tree.get(idHash) ?? null)) {
    // A write may have come between the reading and the look at the tree.
    const isWrong = await member.ledger.inOrder(async () => {
      leaf = leafOfNow(await member.store.factsOf(id))
      return leaf !== (settled.tree.get(idHash) ?? null)
    })
    if (isWrong) {
      const sentence = `The leaf of ${id} recomputed from its facts differs from the tree's.`
      found.damages.push({ what: 'root', id, sentence })
    }
  }
  if (leaf !== null) found.tree.set(idHash, leaf)
}

function verifyFact({ fact }: HeldFact, found: Found): void {
  const { id, version, blob } = fact
  const checked = checkFact(fact)
  if (!checked.ok) found.damages.push({ what: 'fact', id, version, sentence: checked.sentence })
  if (blob !== null) found.blobs.set(blob, { id, version })
}

function verifyChain(summary: ItemSummary, facts: readonly HeldFact[], found: Found): void {
  const { id } = summary
  if (summary.unrooted > 0) {
    const sentence = `${summary.unrooted} facts of ${id} have an ancestor that is not here.`
    found.damages.push({ what: 'chain', id, sentence })
  }
  if (facts.length === summary.facts) return
  const sentence = `${summary.facts - facts.length} of ${summary.facts} facts of ${id} are gone.`
  found.damages.push({ what: 'chain', id, sentence })
}

async function verifyLinks(
  listing: Listing,
  summary: ItemSummary,
  facts: readonly HeldFact[],
  found: Found,
): Promise<void> {
  const heads = new Set(summary.heads.map(head => head.version))
  for (const { fact } of facts) {
    if (!heads.has(fact.version)) continue
    for (const to of fact.dependsOn) {
      if (!(await listing.exists(to))) found.danglingLinks.push({ id: summary.id, missing: to })
    }
  }
}

async function verifyPayloads(member: Member, found: Found, options: VerifyOptions): Promise<void> {
  const of = found.blobs.size
  for (const [blob, { id, version }] of found.blobs) {
    options.signal.throwIfAborted()
    found.payloads += 1
    if (found.payloads % 64 === 0) options.progress({ phase: 'payloads', done: found.payloads, of })
    const verdict = await member.store.verifyPayload(blob)
    if (verdict === 'ok' || (verdict === 'absent' && member.payloads.isWanted(blob))) continue
    const size = (await member.store.facts([{ id, version }]))[0]?.fact.size ?? 0
    await member.mending.setAside(blob, size)
    const what = verdict === 'damaged' ? 'is damaged or gone' : 'is gone'
    const sentence = `The payload of ${id} ${what}; it is fetched from the others.`
    found.damages.push({ what: 'payload', id, version, blob, sentence })
  }
}

/** The store names a damaged payload by its hash alone; here it gets its item, and is told once. */
function oncePerPayload({ damages, blobs }: Found): VerifyDamage[] {
  const told = new Set(damages.filter(({ id }) => id !== undefined).map(({ blob }) => blob))
  return damages.flatMap(damage => {
    const { id, blob } = damage
    if (id !== undefined || blob === undefined) return [damage]
    if (told.has(blob)) return []
    return [{ ...damage, ...blobs.get(blob) }]
  })
}
