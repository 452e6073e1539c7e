/**
 * What an item lacks after damage: told by its old summary, by damaged records and by the facts that
 * stand on what is gone, and not by a damaged record alone, which may lie.
 */
import { describe, expect, it } from 'vitest'
import type { Fact, HeldFact } from '../../../src/base/fact.ts'
import { hashText } from '../../../src/base/hash.ts'
import { summarise } from '../../../src/consensus/items/digest.ts'
import { lackOf } from '../../../src/node/ledger/short.ts'

function held(name: string, ...parents: readonly string[]): HeldFact {
  const fact: Fact = {
    id: 'x',
    version: hashText(name),
    parents: parents.map(parent => hashText(parent)),
    dataHash: hashText(`data of ${name}`),
    blob: hashText(`bytes of ${name}`),
    size: 1,
    type: 'text/plain',
    tags: [],
    description: '',
    meta: null,
    dependsOn: [],
    at: '0000000000000001',
    by: 'a',
    base: null,
  }
  return { fact, state: { kind: 'agreed', added: '0000000000000001' } }
}

const [first, second, other] = [held('first'), held('second', 'first'), held('other')] as const
const NOW = 1000

function lack(before: readonly HeldFact[], facts: readonly HeldFact[], ...named: string[]) {
  const item = { before: summarise('x', before), isKnown: true, facts }
  return lackOf(
    item,
    named.map(name => hashText(name)),
    undefined,
    NOW,
  )
}

describe('what an item lacks', () => {
  it('is the one version that is missing of what its summary promised', () => {
    const lost = [hashText('first')]
    expect(lack([first, second], [second])).toEqual({ promised: 2, lost, since: NOW })
  })

  it('is what a damaged record names and a fact stands on, though the summary was made without it (seed 170587016226)', () => {
    // Another batch worked the summary out anew, from what could be read, before it was mended.
    const facts = [second, other]
    const lost = [hashText('first')]
    expect(lack(facts, facts, 'first')).toEqual({ promised: 2, lost, since: NOW })
  })

  it('is nothing where a damaged record names what nobody stands on: a key may have been flipped', () => {
    expect(lack([first, second], [first, second], 'never was')).toBeUndefined()
    expect(lack([second, other], [second, other])).toBeUndefined()
  })
})
