/**
 * One version of a split item, written at two members on bases of their own: which base is kept
 * must not depend on which came first, or members with equal facts show different items.
 */
import { expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import type { Fact } from '../../../src/base/fact.ts'
import { hashBytes, ZERO_HASH } from '../../../src/base/hash.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import { versionOf } from '../../../src/consensus/items/version.ts'
import { BEGIN_MS, Lone } from '../../support/lone-member.ts'

const content = { type: 'text/plain', tags: [], description: '', meta: null, dependsOn: [] }

/** A delete of a half of `i`, which split by these heads. */
function ended(by: string, counter: number, heads: readonly string[]): Fact {
  const id = 'i~a'
  const parents = [hashBytes(utf8('derived'))]
  const nothing = { ...content, type: '', blob: null, size: 0, dataHash: ZERO_HASH }
  const version = versionOf(id, parents, ZERO_HASH)
  const stamp = { at: stampOf(BEGIN_MS, counter), by }
  return { id, version, parents, ...nothing, ...stamp, base: [{ id: 'i', heads }] }
}

it('the base of a version goes with its stamp, whichever of two comes first', async () => {
  const heads = ['one', 'two', 'three'].map(text => hashBytes(utf8(text))).sort()
  const early = ended('b', 1, heads.slice(0, 2))
  const late = ended('c', 2, heads.slice(1))
  expect(early.version).toBe(late.version)
  for (const order of [
    [early, late],
    [late, early],
  ]) {
    const lone = await Lone.open({ others: ['b', 'c'] })
    for (const fact of order) {
      await lone.member.ledger.receive([{ fact, payload: null, added: null }], {
        from: fact.by,
        stampRule: 'smaller',
      })
    }
    const [held] = await lone.store.factsOf('i~a')
    expect(held?.fact).toMatchObject({ at: early.at, by: 'b', base: early.base })
  }
})
