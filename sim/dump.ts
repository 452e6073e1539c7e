/**
 * Dumps for the history checker (docs/history-format.md): a member's facts and payload bytes read
 * through the `Store` port, whole, whatever the engine; or, from outside, only what the member
 * shows on its control socket. Payload bytes are read and hashed here, not believed. A payload that
 * the store itself finds damaged counts as not here.
 *
 * A dump of a store is of one instant only if nothing is committed meanwhile: read a store that is
 * closed to its member, or hold the world still.
 */
import { createHash } from 'node:crypto'
import { type HeldFact, isSystemId } from '../src/base/fact.ts'
import type { Hash } from '../src/base/hash.ts'
import { VecheError } from '../src/base/veche-error.ts'
import type { ListParams, ListResult } from '../src/control/protocol.ts'
import type { StatusResult } from '../src/control/protocol-network.ts'
import type { Store } from '../src/storage/store.ts'
import type { DumpFact, DumpLine, FoundPayload, ShownItem } from './checker/format.ts'

/** A dump that has no place in a history yet. */
export type Dump = Omit<DumpLine, 'seq' | 'atMs'>

/** What a store cannot tell of its member; null what was not asked at the same instant. */
export type About = Pick<
  DumpLine,
  'member' | 'moment' | 'status' | 'roster' | 'cut' | 'hash' | 'items' | 'damaged'
>

/** What is asked of a member over its control socket. */
export interface Shows {
  status(): Promise<StatusResult>
  list(params: ListParams): Promise<ListResult>
}

/** Reads every user fact of a store, and every payload that it has. */
export async function dumpStore(store: Store, about: About): Promise<Dump> {
  const facts: DumpFact[] = []
  const payloads = new Map<Hash, FoundPayload | null>()
  for await (const page of store.allItems()) {
    for (const { id } of page) {
      if (isSystemId(id)) continue
      for (const held of await store.factsOf(id)) {
        facts.push(factOf(held, await payloadOf(store, held.fact.blob, payloads)))
      }
    }
  }
  return { kind: 'dump', ...about, facts }
}

/** What a member shows of itself: no facts, so only hashes and items are compared. */
export async function dumpShown(member: Shows, moment: 'pause' | 'settled'): Promise<Dump> {
  const { uuid, status, members, cut, hash } = await member.status()
  const roster = members.map(entry => entry.uuid)
  const shown = await shownItems(params => member.list(params))
  return { kind: 'dump', member: uuid, moment, status, roster, cut, hash, facts: null, ...shown }
}

/** All items that a member lists, ended ones with them. */
export async function shownItems(
  list: (params: ListParams) => Promise<ListResult>,
): Promise<{ readonly items: readonly ShownItem[]; readonly damaged: readonly string[] }> {
  const items: ShownItem[] = []
  const damaged: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await list({ deleted: true, ...(after === undefined ? {} : { after }) })
    for (const { id, version, blob } of page.items) items.push({ id, version, blob })
    damaged.push(...(page.damaged ?? []))
    after = page.next
    if (after === undefined) return { items, damaged }
  }
}

function factOf({ fact, state }: HeldFact, payload: FoundPayload | null): DumpFact {
  const { id, version, parents, dataHash, blob, size, at, by, base } = fact
  const { type, tags, description, meta, dependsOn } = fact
  const added = state.kind === 'agreed' ? state.added : null
  const properties = { type, tags, description, meta, dependsOn }
  return { id, version, parents, dataHash, blob, size, ...properties, at, by, base, added, payload }
}

/** Hash and size of the bytes that are here, each payload read once. */
async function payloadOf(
  store: Store,
  blob: Hash | null,
  known: Map<Hash, FoundPayload | null>,
): Promise<FoundPayload | null> {
  if (blob === null) return null
  const found = known.get(blob)
  if (found !== undefined) return found
  const read = await readFound(store, blob)
  known.set(blob, read)
  return read
}

async function readFound(store: Store, blob: Hash): Promise<FoundPayload | null> {
  const size = await store.payloadSize(blob)
  if (size === undefined) return null
  const hash = createHash('sha256')
  try {
    for await (const piece of store.readPayload(blob, 0, size)) hash.update(piece)
  } catch (error) {
    if (error instanceof VecheError && (error.code === 'DAMAGED' || error.code === 'NOT_FOUND')) {
      return null
    }
    throw error
  }
  return { kind: 'hash', hash: hash.digest('hex'), size }
}
