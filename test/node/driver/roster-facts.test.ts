/** Rosters read from system facts, and the record of a vote as it lies on disk for ever. */
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/base/bytes.ts'
import type { Change } from '../../../src/consensus/roster/configuration.ts'
import type { Vote } from '../../../src/consensus/roster/state.ts'
import { decisionFact, removalProof, standingOf } from '../../../src/node/driver/roster-facts.ts'
import {
  decodeVote,
  encodeVote,
  readVote,
  voteWrite,
} from '../../../src/node/driver/roster-record.ts'
import { systemFact, systemId } from '../../../src/node/driver/system.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import fixture from '../../formats/v1/roster-votes.json' with { type: 'json' }

const stamp = { at: '0000000000010000', by: 'a' }
const later = { at: '0000000000020000', by: 'a' }
const seat = (peer: string, membership = 1) => ({ peer, membership })
const joined = (peer: string, number = 1, at = later) =>
  systemFact(systemId.member(peer, number), { name: peer, addresses: [] }, at)
const decided = (number: number, change: Change, accepted: string) =>
  decisionFact(
    { number, change, ballot: { counter: 1, peer: 'a' }, accepted: [...accepted] },
    later,
  )

const chain = [
  decided(1, { kind: 'begin', members: [seat('a')] }, 'a'),
  joined('a', 1, stamp),
  joined('b'),
  decided(2, { kind: 'add', seat: seat('b') }, 'ab'),
  joined('c'),
  decided(3, { kind: 'add', seat: seat('c') }, 'abc'),
  decided(4, { kind: 'remove', seat: seat('b') }, 'ac'),
]

function told(facts: Parameters<typeof standingOf>[0]): string {
  const { known, memberships } = standingOf(facts)
  const out = memberships
    .filter(({ removed }) => removed)
    .map(({ peer, number }) => `${peer}${number}`)
  return `${known.number} ${known.quorum} ${known.members.map(({ peer }) => peer).join('')} -${out}`
}

describe('a roster of system facts', () => {
  it('follows the chain as far as each link shows its majorities', () => {
    expect(told(chain)).toBe('4 roster ac -b1')
    expect(told(chain.toReversed())).toBe('4 roster ac -b1')
    expect(told(chain.slice(0, 6))).toBe('3 roster abc -')
    const weak = decided(4, { kind: 'remove', seat: seat('b') }, 'a')
    expect(told([...chain.slice(0, 6), weak])).toBe('3 roster abc -')
    expect(told(chain.filter(({ id }) => id !== systemId.configuration(2)))).toBe('1 roster a -')
  })

  it('counts nobody who joined and was not decided on', () => {
    expect(told([...chain, joined('d')])).toBe('4 roster ac -b1')
    expect(told([...chain, joined('b', 2)])).toBe('4 roster ac -b1')
    expect(
      standingOf([...chain, joined('d')]).memberships.find(({ peer }) => peer === 'd')?.removed,
    ).toBe(false)
  })

  it('names who was removed while others decided to count it (seed 700367)', () => {
    const removed = systemFact(systemId.removed('d', 1), {}, later)
    const facts = [...chain, joined('d'), removed]
    expect(standingOf(facts).leaving).toEqual([])
    const seated = [...facts, decided(5, { kind: 'add', seat: seat('d') }, 'acd')]
    expect(told(seated)).toBe('5 roster acd -b1')
    expect(standingOf(seated).leaving).toEqual([seat('d')])
    const out = [...seated, decided(6, { kind: 'remove', seat: seat('d') }, 'ac')]
    expect(told(out)).toBe('6 roster ac -b1,d1')
    expect(standingOf(out).leaving).toEqual([])
  })

  it('of a network that was made before there was a chain begins with those it was made with', () => {
    const old = [systemFact(systemId.quorum, { quorum: 'roster' }, stamp), joined('a', 1, stamp)]
    expect(told([...old, joined('b')])).toBe('0 roster a -')
    const grown = [...old, joined('b'), decided(1, { kind: 'add', seat: seat('b') }, 'ab')]
    expect(told(grown)).toBe('1 roster ab -')
    const gone = decided(2, { kind: 'remove', seat: seat('b') }, 'ab')
    expect(told(removalProof([...grown, gone], 'b'))).toBe('2 roster a -b1')
  })

  it('proves a removal by no more than what led there', () => {
    const proof = removalProof([...chain, decided(5, { kind: 'visible' }, 'ac')], 'b')
    expect(told(proof)).toBe('4 roster ac -b1')
    expect(removalProof(chain, 'd')).toEqual([])
  })
})

describe('the record of a vote', () => {
  it('of format 1 reads as it did, and is still written the same, byte for byte', () => {
    for (const { hex, vote } of fixture as { hex: string; vote: Vote }[]) {
      expect(decodeVote(fromHex(hex)!)).toEqual(vote)
      expect(toHex(encodeVote(vote))).toBe(hex)
    }
    expect(fixture.length).toBe(5)
  })

  it('comes back from a store, and is not sure where it cannot be read', async () => {
    const store = new MemoryStore()
    expect(await readVote(store)).toBeNull()
    const vote: Vote = {
      number: 2,
      promised: { counter: 3, peer: 'b' },
      accepted: null,
      isSure: true,
    }
    await store.commit([voteWrite(vote)])
    expect(await readVote(store)).toEqual(vote)
    await store.commit([{ kind: 'meta', key: 'roster/vote', value: new Uint8Array([1, 2, 3]) }])
    expect(await readVote(store)).toMatchObject({ isSure: false })
  })
})
