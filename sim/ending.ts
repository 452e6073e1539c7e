/**
 * Checks at the end of a run, when every member is up and all is healed: nothing acknowledged is
 * lost (G1), all have become equal (G2), equal facts show equal items and the root that a naive
 * recomputation gives (G3), nothing refused or invented is there, and every payload is whole (G8).
 */
import { type Fact, isSystemId, refKey } from '../src/base/fact.ts'
import { stampOf } from '../src/base/stamp.ts'
import { rootedKeys } from './ancestry.ts'
import type { Holding } from './disk.ts'
import type { History } from './history.ts'
import { naiveRoot } from './naive.ts'
import type { Verdict } from './verdict.ts'
import type { UpMember, World } from './world.ts'

/** Whether every member is Source with one hash, and nothing waits anywhere. */
export function isSettled(world: World): boolean {
  const up = world.up()
  if (up.length < world.members.length) return false
  const first = rootAt(up[0]!)
  return up.every(
    entry =>
      entry.member.agreement.source !== null &&
      rootAt(entry) === first &&
      entry.member.ledger.sets.settled.waitingItems().next().done === true &&
      entry.member.store.counts().pending === 0 &&
      entry.member.store.counts().wanted === 0,
  )
}

/** Why a world is not settled, in a few words for each member. */
export function whyUnsettled(world: World): string {
  return world.members
    .map(({ id, member }) => {
      if (member === null) return `${id} is down`
      const { pending, wanted, facts } = member.store.counts()
      const { status } = member.agreement
      const root = member.ledger.sets.settled.root().slice(0, 8)
      return `${id}: ${status}, hash ${root}, ${facts} facts, ${pending} pending, ${wanted} wanted`
    })
    .join('; ')
}

function rootAt(entry: UpMember): string {
  return entry.member.ledger.sets.settled.root()
}

/** All that must hold at the end of a run. */
export async function checkEnding(world: World, history: History, verdict: Verdict): Promise<void> {
  checkAcknowledged(world, history, verdict)
  checkInventions(world, history, verdict)
  for (const entry of world.up()) checkRoot(entry, verdict)
  await checkItems(world, verdict)
  await checkPayloads(world, verdict)
}

function checkAcknowledged(world: World, history: History, verdict: Verdict): void {
  for (const { id: name, disk } of world.members) {
    const rooted = rootedKeys(disk.holdings)
    for (const { sequence, id, blob, outcome, member } of history.acknowledged()) {
      if (outcome.kind !== 'done') continue
      const ref = { id, version: outcome.version }
      const told = `write ${sequence} on ${id}, acknowledged by ${member} (${outcome.level ?? '-'})`
      if (!disk.isDurable(ref, blob)) verdict.fail('G1', `${told}, is not on ${name} at the end`)
      else if (!rooted.has(refKey(ref))) verdict.fail('G1', `${told}, is not rooted on ${name}`)
    }
  }
}

/** A refused write is nowhere, and what is somewhere was written by somebody. */
function checkInventions(world: World, history: History, verdict: Verdict): void {
  const refused = new Set<string>()
  for (const { blob, outcome } of history.operations) {
    if (outcome.kind === 'refused' && blob !== null) refused.add(blob)
  }
  for (const { id, disk } of world.members) {
    for (const { fact } of disk.holdings.values()) {
      if (isSystemId(fact.id) || fact.blob === null) continue
      const name = `${fact.version.slice(0, 12)} of ${fact.id} on ${id}`
      if (refused.has(fact.blob)) verdict.fail('G1', `${name} holds what was refused`)
      if (history.writtenTo(fact.blob) === undefined)
        verdict.fail('G8', `${name} was never written`)
    }
  }
}

/** G3: the storage hash is that of the agreed facts up to the cut, recomputed naively. */
export function checkRoot(entry: UpMember, verdict: Verdict): void {
  const { settled } = entry.member.ledger.sets
  const naive = naiveRoot(agreedAt(entry.disk.holdings, settled.cut))
  if (naive === settled.root()) return
  verdict.fail('G3', `the hash of ${entry.id} is not that of its agreed facts at ${settled.cut}`)
}

function agreedAt(holdings: ReadonlyMap<string, Holding>, cut: number): Fact[] {
  const limit = stampOf(cut)
  const facts: Fact[] = []
  for (const { fact, state } of holdings.values()) {
    if (state.kind !== 'agreed' || state.added > limit || isSystemId(fact.id)) continue
    facts.push(fact)
  }
  return facts
}

/** G3: members that hold the same facts show the same items. */
export async function checkItems(world: World, verdict: Verdict): Promise<void> {
  const seen = new Map<string, { readonly name: string; readonly items: string }>()
  for (const entry of world.up()) {
    const facts = [...entry.disk.holdings].map(([key, { fact }]) => `${key} ${fact.at} ${fact.by}`)
    const key = facts.sort(byText).join('\n')
    const items = await listed(entry)
    const known = seen.get(key)
    if (known === undefined) seen.set(key, { name: entry.id, items })
    else if (known.items !== items) {
      const sentence = `${known.name} and ${entry.id} hold the same and show ${known.items} and ${items}`
      verdict.fail('G3', sentence)
    }
  }
}

async function listed({ service }: UpMember): Promise<string> {
  const lines: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await service.list({
      limit: 1000,
      deleted: true,
      ...(after === undefined ? {} : { after }),
    })
    for (const { id, version, blob } of page.items)
      lines.push(`${id} ${version} ${blob ?? 'deleted'}`)
    after = page.next
    if (after === undefined) return lines.join('\n')
  }
}

async function checkPayloads(world: World, verdict: Verdict): Promise<void> {
  for (const { id, disk, member } of world.up()) {
    const blobs = new Map<string, string>()
    for (const { fact } of disk.holdings.values()) {
      if (fact.blob !== null) blobs.set(fact.blob, refKey(fact))
    }
    for (const [blob, key] of blobs) {
      const state = await member.store.verifyPayload(blob)
      if (state === 'ok') continue
      verdict.fail('G8', `the payload of ${key.slice(64)} on ${id} is ${state}`)
    }
  }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}
