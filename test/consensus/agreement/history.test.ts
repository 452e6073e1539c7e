/**
 * Histories of announced hashes and their matching: the table of the specification's paragraph,
 * and properties over any histories. Entries are written `cut:hash`, oldest first.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { type Entry, match, record, shares } from '../../../src/consensus/agreement/history.ts'

function entriesOf(text: string): Entry[] {
  return text
    .split(' ')
    .filter(word => word !== '')
    .map(word => {
      const [cut, hash] = word.split(':')
      return { cut: Number(cut), hash: hash ?? '' }
    })
}

function textOf(history: readonly Entry[]): string {
  return history.map(({ cut, hash }) => `${cut}:${hash}`).join(' ')
}

describe('matching', () => {
  // mine, theirs, whether they match, theirs afterwards
  const table: readonly (readonly [string, string, boolean, string, string])[] = [
    ['1:a', '1:a', true, '', 'one common hash is enough'],
    ['1:a 2:b', '3:c', false, '3:c', 'no common hash: nothing is cut'],
    ['1:a 2:b', '1:a 2:b 3:c', true, '3:c', 'the newest common hash counts; what is newer stays'],
    ['2:b 1:a', '1:a 2:b 3:c', true, '3:c', 'their order decides what is newest, not mine'],
    ['1:a', '1:a 2:x 3:y', true, '2:x 3:y', 'an old match leaves all that came after it'],
    ['1:a 2:b', '1:a 2:x', true, '2:x', 'sets that were equal once and differ now did match'],
    ['1:a', '2:a', false, '2:a', 'equal hashes at other cuts are no match'],
    ['1:a', '1:b', false, '1:b', 'equal cuts with other hashes are no match'],
    ['', '1:a', false, '1:a', 'nothing of mine matches nothing'],
    ['1:a', '', false, '', 'nothing of theirs matches nothing'],
  ]
  for (const [mine, theirs, isMatch, left, why] of table) {
    it(`S003-28: ${why} (${mine || 'none'} with ${theirs || 'none'})`, () => {
      const own = entriesOf(mine)
      const other = entriesOf(theirs)
      expect(shares(own, other)).toBe(isMatch)
      expect(match(own, other)).toBe(isMatch)
      expect(textOf(other)).toBe(left)
      expect(textOf(own)).toBe(mine)
    })
  }

  it('S003-28: after a match there is no other until a new common hash comes', () => {
    const mine = entriesOf('1:a 2:b')
    const theirs = entriesOf('1:a 2:b')
    expect(match(mine, theirs)).toBe(true)
    expect(match(mine, theirs)).toBe(false)
    record(theirs, { cut: 3, hash: 'c' })
    expect(match(mine, theirs)).toBe(false)
    record(mine, { cut: 3, hash: 'c' })
    expect(match(mine, theirs)).toBe(true)
    expect(theirs).toEqual([])
  })

  it('S003-28: one announced again after it was cut by a match can match again', () => {
    const mine = entriesOf('1:a')
    const theirs = entriesOf('1:a')
    expect(match(mine, theirs)).toBe(true)
    record(theirs, { cut: 1, hash: 'a' })
    expect(match(mine, theirs)).toBe(true)
  })
})

describe('recording', () => {
  it('S003-27: newer hashes push the oldest out, and the bound stands', () => {
    const history: Entry[] = []
    for (let cut = 1; cut <= limits.historyEntriesMax + 1; cut++) {
      record(history, { cut, hash: 'h' })
      expect(history.length).toBe(Math.min(cut, limits.historyEntriesMax))
    }
    expect(history[0]).toEqual({ cut: 2, hash: 'h' })
    expect(history.at(-1)).toEqual({ cut: limits.historyEntriesMax + 1, hash: 'h' })
  })

  it('S003-27: an entry announced again moves to the end and takes no second place', () => {
    const history = entriesOf('1:a 2:b 3:c')
    record(history, { cut: 1, hash: 'a' })
    expect(textOf(history)).toBe('2:b 3:c 1:a')
  })
})

describe('over any histories', () => {
  const entry = fc.record({
    cut: fc.integer({ min: 0, max: 3 }),
    hash: fc.constantFrom('a', 'b', 'c'),
  })
  const history = fc.array(entry, { maxLength: 12 }).map(entries => {
    const kept: Entry[] = []
    for (const one of entries) record(kept, one)
    return kept
  })

  it('a match cuts exactly up to the newest common entry', () => {
    fc.assert(
      fc.property(history, history, (mine, theirs) => {
        const isCommon = (one: Entry) => mine.some(o => o.cut === one.cut && o.hash === one.hash)
        const newest = theirs.findLastIndex(isCommon)
        const left = theirs.slice(newest + 1)
        expect(match(mine, theirs)).toBe(newest >= 0)
        expect(theirs).toEqual(left)
        expect(match(mine, theirs)).toBe(false)
      }),
    )
  })
})
