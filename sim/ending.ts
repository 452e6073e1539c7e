/**
 * Checks at the end of a run, when every member is up and all is healed: nothing acknowledged is
 * lost (G1), all have become equal (G2), equal facts show equal items and the root that a naive
 * recomputation gives (G3), nothing refused or invented is there, and every payload is whole (G8).
 */
import { type Fact, isSystemId, refKey } from '../src/base/fact.ts'
import { stampOf } from '../src/base/stamp.ts'
import { rootOf } from '../src/consensus/items/id.ts'
import { rootedKeys } from './ancestry.ts'
import type { Disk } from './disk.ts'
import { shownItems } from './dump.ts'
import type { History } from './history.ts'
import { Holes } from './holes.ts'
import { naiveRoot } from './naive.ts'
import { rosterOf } from './roster-facts.ts'
import { takingPart } from './settled.ts'
import type { Verdict } from './verdict.ts'
import type { UpMember, World } from './world.ts'

/** All that must hold at the end of a run. */
export async function checkEnding(world: World, history: History, verdict: Verdict): Promise<void> {
  checkAcknowledged(world, history, verdict)
  checkInventions(world, history, verdict)
  checkRosters(world, verdict)
  for (const entry of takingPart(world)) checkRoot(entry, verdict)
  await checkItems(world, verdict)
  await checkPayloads(world, verdict)
}

/**
 * G1: each is somewhere, and on more than half when that was told. G2: what is somewhere is everywhere.
 */
function checkAcknowledged(world: World, history: History, verdict: Verdict): void {
  world.atlas.judge()
  const holes = new Holes(world)
  const here = takingPart(world).map(({ id: name, disk }) => {
    return { name, disk, rooted: rootedKeys(disk.holdings) }
  })
  for (const { sequence, id, blob, outcome, member } of history.acknowledged()) {
    // What its own users were told a liar may keep from the others.
    if (outcome.kind !== 'done' || member === world.liar) continue
    const ref = { id, version: outcome.version }
    // Its last copy was destroyed on purpose, or lies with who was removed.
    if (world.atlas.excuseOf(ref) !== undefined) continue
    const told = `write ${sequence} on ${id}, acknowledged by ${member} (${outcome.level ?? '-'})`
    const holders = here.filter(({ disk }) => disk.isDurable(ref, blob))
    const needed = outcome.level === 'majority' ? Math.floor(here.length / 2) + 1 : 1
    const guarantee = holders.length < needed ? 'G1' : 'G2'
    for (const holder of here) {
      const { name, rooted } = holder
      if (!holders.includes(holder))
        verdict.fail(guarantee, `${told}, is not on ${name} at the end`)
      else if (!rooted.has(refKey(ref)) && !holes.lacksAncestor(refKey(ref)))
        verdict.fail('G1', `${told}, is not rooted on ${name}`)
    }
  }
}

/**
 * G2: one roster, and it is the one that the system facts on the disks say. What only members hold
 * who count themselves out nobody else can know.
 */
function checkRosters(world: World, verdict: Verdict): void {
  const here = takingPart(world)
  if (world.quorum === 'roster') return checkDecided(here, verdict)
  const ids = here.flatMap(({ disk }) => [...disk.holdings.values()].map(({ fact }) => fact.id))
  const { members } = rosterOf(ids)
  const said = [...members].sort().join('+')
  for (const { id, member } of here) {
    const knows = [...member.agreement.roster].sort().join('+')
    if (knows === said) continue
    verdict.fail('G2', `${id} has the roster ${knows}, and the facts on the disks say ${said}`)
  }
  for (const { id, standing, disk, member } of world.members) {
    if (standing !== 'member' || here.some(other => other.id === id) || id === world.liar) continue
    if (!members.has(id)) continue // let in by who was removed, and known to nobody
    if (member?.roster.isRemoved === false) continue // in another network, see takingPart
    const own = rosterOf([...disk.holdings.values()].map(({ fact }) => fact.id))
    verdict.fail('G2', `${id} takes no part in the end; it knows ${[...own.members].join('+')}`)
  }
}

/** G2 with quorum `roster`: all know one decision as the newest, and count by it. */
function checkDecided(here: readonly UpMember[], verdict: Verdict): void {
  const told = here.map(({ id, member }) => {
    const { number, members } = member.roster.voting.known
    const decided = members.map(({ peer }) => peer).sort()
    const counted = [...member.agreement.roster].sort()
    if (decided.join('+') !== counted.join('+'))
      verdict.fail('G2', `${id} counts ${counted.join('+')}, and ${decided.join('+')} is decided`)
    return `${number}: ${decided.join('+')}`
  })
  if (new Set(told).size > 1) verdict.fail('G2', `several rosters: ${told.join('; ')}`)
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
      if (history.writtenTo(fact.blob) === undefined && !world.invented.has(fact.blob))
        verdict.fail('G8', `${name} was never written`)
    }
  }
}

/** G3: the storage hash is that of the agreed facts up to the cut, recomputed naively. */
export function checkRoot(entry: UpMember, verdict: Verdict): void {
  const { settled } = entry.member.ledger.sets
  const naive = naiveRoot(agreedAt(entry.disk, settled.cut))
  if (naive === settled.root()) return
  verdict.fail('G3', `the hash of ${entry.id} is not that of its agreed facts at ${settled.cut}`)
}

function agreedAt({ holdings, destroyed }: Disk, cut: number): Fact[] {
  const limit = stampOf(cut)
  const facts: Fact[] = []
  for (const [key, { fact, state, durableAtMs }] of holdings) {
    if (durableAtMs === null && destroyed.has(key)) continue // it rotted, and nobody has it
    if (state.kind !== 'agreed' || state.added > limit || isSystemId(fact.id)) continue
    facts.push(fact)
  }
  return facts
}

/** G3: members that hold the same facts show the same items. */
export async function checkItems(world: World, verdict: Verdict): Promise<void> {
  const seen = new Map<string, { readonly name: string; readonly items: string }>()
  // By their roots: what is left of a split item may have other ids.
  const damaged = new Set<string>()
  for (const { service } of takingPart(world)) {
    const shown = await shownItems(params => service.list(params))
    for (const id of shown.damaged) damaged.add(rootOf(id))
  }
  for (const entry of takingPart(world)) {
    const facts = [...entry.disk.holdings].map(([key, { fact }]) => `${key} ${fact.at} ${fact.by}`)
    const key = facts.sort(byText).join('\n')
    const { items: all } = await shownItems(params => entry.service.list(params))
    const whole = all.filter(({ id }) => !damaged.has(rootOf(id)))
    const items = whole.map(({ id, version, blob }) => `${id} ${version} ${blob}`).join('\n')
    const known = seen.get(key)
    if (known === undefined) seen.set(key, { name: entry.id, items })
    else if (known.items !== items) {
      const sentence = `${known.name} and ${entry.id} hold the same and show ${known.items} and ${items}`
      verdict.fail('G3', sentence)
    }
  }
}

async function checkPayloads(world: World, verdict: Verdict): Promise<void> {
  const holes = new Holes(world)
  for (const { id, disk, member } of takingPart(world)) {
    const blobs = new Map<string, string>()
    for (const { fact } of disk.holdings.values()) {
      if (fact.blob !== null) blobs.set(fact.blob, refKey(fact))
    }
    for (const [blob, key] of blobs) {
      const state = await member.store.verifyPayload(blob)
      if (state === 'ok' || (state === 'absent' && holes.lacksPayload(blob))) continue
      verdict.fail('G8', `the payload of ${key.slice(64)} on ${id} is ${state}`)
    }
  }
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}
