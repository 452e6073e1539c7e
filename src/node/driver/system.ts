/**
 * System facts: the roster and the settings of a network, as facts with an empty payload whose
 * metadata says it all. Their ids start with U+0001, which no user's id can contain.
 */
import { type Fact, type Json, type MemberId, SYSTEM_PREFIX } from '../../base/fact.ts'
import { hashBytes } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { dataHashOf, versionOf } from '../../consensus/items/version.ts'
import type { WriteStamp } from '../../consensus/items/write.ts'
import type { Store } from '../../storage/store.ts'

export const systemId = {
  network: `${SYSTEM_PREFIX}network`,
  quorum: `${SYSTEM_PREFIX}quorum`,
  member: (peer: MemberId, number: number) => `${SYSTEM_PREFIX}member/${peer}/${number}`,
  removed: (peer: MemberId, number: number) => `${SYSTEM_PREFIX}removed/${peer}/${number}`,
  configuration: (number: number) => `${SYSTEM_PREFIX}configuration/${number}`,
} as const

/** One membership of a peer; it ends by a removal and never comes back, a new one gets a number. */
export interface Membership {
  readonly peer: MemberId
  readonly number: number
  readonly name: string
  readonly addresses: readonly string[]
  readonly removed: boolean
}

/** A first version of a system item. */
export function systemFact(
  id: string,
  meta: Readonly<Record<string, unknown>>,
  stamp: WriteStamp,
): Fact {
  const empty = new Uint8Array(0)
  const content = {
    blob: hashBytes(empty),
    size: 0,
    type: 'application/json',
    tags: [],
    description: '',
    meta: meta as Json,
    dependsOn: [],
  }
  const dataHash = dataHashOf(content)
  return {
    id,
    version: versionOf(id, [], dataHash),
    parents: [],
    dataHash,
    ...content,
    ...stamp,
    base: null,
  }
}

/** All system facts of a store. */
export async function systemFacts(store: Store): Promise<Fact[]> {
  const facts: Fact[] = []
  for (let from = SYSTEM_PREFIX; ; ) {
    const page = await store.scanItems({ from, until: '\u0002' }, limits.pageMax)
    for (const summary of page) {
      for (const held of await store.factsOf(summary.id)) facts.push(held.fact)
    }
    const last = page.at(-1)
    if (last === undefined) return facts
    from = `${last.id}\u0000`
  }
}

/** The memberships that system facts tell of, in order of their numbers. */
export function membershipsOf(facts: readonly Fact[]): Membership[] {
  const removed = new Set(
    facts
      .filter(fact => fact.id.startsWith(`${SYSTEM_PREFIX}removed/`))
      .map(fact => fact.id.slice(9)),
  )
  const memberships: Membership[] = []
  for (const fact of facts) {
    if (!fact.id.startsWith(`${SYSTEM_PREFIX}member/`)) continue
    const [peer, number] = fact.id.slice(8).split('/')
    if (peer === undefined || number === undefined) continue
    // Two members that did not know of each other may both have let a peer in.
    if (memberships.some(entry => entry.peer === peer && entry.number === Number(number))) continue
    const meta = fact.meta as { readonly name?: unknown; readonly addresses?: unknown } | null
    memberships.push({
      peer,
      number: Number(number),
      name: typeof meta?.name === 'string' ? meta.name : '',
      addresses: Array.isArray(meta?.addresses) ? meta.addresses.map(String) : [],
      removed: removed.has(`${peer}/${number}`),
    })
  }
  return memberships.sort((a, b) => a.number - b.number)
}
