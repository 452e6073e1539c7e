/**
 * One whole member on a memory store and a network of nobody, for tests of single parts: time stands
 * still until the test moves it, and whatever is sent is kept.
 */
import type { Bytes } from '../../src/base/bytes.ts'
import type { Content, Fact, MemberId } from '../../src/base/fact.ts'
import { hashBytes } from '../../src/base/hash.ts'
import { type Stamp, stampOf } from '../../src/base/stamp.ts'
import { dataHashOf, versionOf } from '../../src/consensus/items/version.ts'
import { Member } from '../../src/node/driver/member.ts'
import { systemFact, systemId } from '../../src/node/driver/system.ts'
import { writeIdentity } from '../../src/node/identity.ts'
import type { Clock, Lane, Network } from '../../src/node/ports.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'

export const me: MemberId = '12D3KooWself'
export const other: MemberId = '12D3KooWother'

export interface Sent {
  readonly peer: MemberId
  readonly lane: Lane
  readonly frame: Bytes
}

export interface OneMember {
  readonly member: Member
  readonly store: MemoryStore
  readonly sent: Sent[]
  readonly fatal: Error[]
}

/** A member of a network of two; the other never answers, unless the test speaks for it. */
export async function openOne(): Promise<OneMember> {
  const store = new MemoryStore()
  const stamp = { at: stampOf(1_000_000), by: me }
  const facts = [me, other].map(peer =>
    systemFact(systemId.member(peer, 1), { peer, number: 1, name: peer, addresses: [] }, stamp),
  )
  await writeIdentity(
    store,
    {
      privateKey: new Uint8Array(1),
      networkKey: new Uint8Array(32),
      name: 'one',
      listen: [],
      announce: [],
    },
    facts,
  )
  const sent: Sent[] = []
  const fatal: Error[] = []
  const member = await Member.open({
    ports: {
      clock: stillClock,
      turn: () => Promise.resolve(),
      entropy: { bytes: count => new Uint8Array(count).fill(7) },
      log: () => undefined,
      network: networkInto(sent),
    },
    store,
    onFatal: error => fatal.push(error),
  })
  return { member, store, sent, fatal }
}

const stillClock: Clock = {
  monotonicMs: () => 10_000,
  wallMs: () => 2_000_000,
  after: () => ({ cancel: () => undefined }),
}

function networkInto(sent: Sent[]): Network {
  return {
    self: me,
    addresses: () => [],
    start: async () => undefined,
    stop: async () => undefined,
    setContacts: () => undefined,
    publish: () => undefined,
    send: async (peer, lane, frame) => {
      sent.push({ peer, lane, frame })
    },
    isConnected: () => true,
    reconnect: () => undefined,
    knock: async () => new Uint8Array(0),
  }
}

/** A first version of an item by the other member, with its payload. */
export function factOf(id: string, payload: Bytes, at: Stamp = stampOf(1_500_000)): Fact {
  const content: Content = {
    blob: hashBytes(payload),
    size: payload.length,
    type: 'application/octet-stream',
    tags: [],
    description: '',
    meta: null,
    dependsOn: [],
  }
  const dataHash = dataHashOf(content)
  const version = versionOf(id, [], dataHash)
  return { id, version, parents: [], dataHash, ...content, at, by: other, base: null }
}
