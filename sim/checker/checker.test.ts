/**
 * The checker is tested before it judges anything: good histories are never blamed, and every
 * mutation of one is caught by the check that is there for it.
 */
import { describe, expect, it } from 'vitest'
import { sized } from '../size.ts'
import { checkHistory, verdictText } from './check.ts'
import { Draft } from './draft.ts'
import type { HistoryLine } from './format.ts'
import { Dice, goodHistory } from './model.ts'
import { heldMutations } from './mutations-held.ts'
import { networkMutations } from './mutations-network.ts'
import { toldMutations } from './mutations-told.ts'
import { readHistory } from './read.ts'

const GOOD = sized({ everyday: 80, ci: 320, deep: 3200 })
const mutations = [...heldMutations, ...toldMutations, ...networkMutations]
/** So many of each kind. */
const EACH = 8
/** Histories that a kind may look at before it finds something to harm. */
const TRIES_MAX = 400

/** Through the file form and back: what a recorder writes is what is judged. */
function judge(lines: readonly HistoryLine[]) {
  return checkHistory(readHistory(lines.map(line => JSON.stringify(line))))
}

describe('a good history', () => {
  it('is never blamed', () => {
    const looked = new Map<string, number>()
    for (let seed = 1; seed <= GOOD; seed++) {
      const verdict = judge(good(seed))
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

describe('a mutated history', () => {
  const caught = new Map<string, number>()

  it.each(mutations)('is caught: $name', ({ name, by, harm }) => {
    let count = 0
    for (let seed = 1; seed <= TRIES_MAX && count < EACH; seed++) {
      const draft = new Draft(good(seed), new Dice(`${name} ${seed}`))
      if (!harm(draft)) continue
      count += 1
      const verdict = judge(draft.lines)
      const said = verdict.answers.filter(({ answer }) => answer !== 'pass')
      const isCaught = said.some(({ check }) => by.includes(check))
      expect(isCaught, `${name}, seed ${seed}\n${verdictText(verdict)}`).toBe(true)
    }
    caught.set(name, count)
    expect(count).toBe(EACH)
  })

  it('200 times and more, by at least 15 kinds', () => {
    const total = [...caught.values()].reduce((sum, count) => sum + count, 0)
    const table = [...caught].map(([name, count]) => `${`${count}`.padStart(4)} ${name}`)
    console.info([...table, `${total} mutations of ${caught.size} kinds caught`].join('\n'))
    expect(caught.size).toBeGreaterThanOrEqual(15)
    expect(total).toBeGreaterThanOrEqual(200)
  })
})

const histories = new Map<number, readonly HistoryLine[]>()

function good(seed: number): readonly HistoryLine[] {
  const known = histories.get(seed) ?? goodHistory({ seed: `${seed}` })
  histories.set(seed, known)
  return known
}

describe('any history', () => {
  it('is judged without an error, whatever its lines say, and harm is seldom overlooked', () => {
    let passed = 0
    const garblings = sized({ everyday: 120, ci: 400, deep: 4000 })
    for (let seed = 1; seed <= garblings; seed++) {
      const dice = new Dice(`garbled ${seed}`)
      const lines = good((seed % 40) + 1).map(line => JSON.stringify(line))
      const times = dice.int(1, 6)
      for (let time = 0; time < times; time++) {
        const at = dice.int(0, lines.length - 1)
        lines[at] = garbled(lines[at]!, dice)
      }
      if (checkHistory(readHistory(lines)).ok) passed += 1
    }
    // Some garbling is no lie: another name of a client, another bound, a tenth of a millisecond.
    expect(passed).toBeLessThan(garblings / 4)
  })
})

/** Another digit, letter, sign or value somewhere in a line. */
function garbled(line: string, dice: Dice): string {
  const tokens = line.match(/"[^"]*"|[^"]+/g) ?? []
  const at = dice.int(0, tokens.length - 1)
  const other = dice.pick(['null', '0', '-1', '""', '[]', '{}', '"f"', ',', '1e999', '"a"'])
  const token = tokens[at]!
  const changed = dice.chance(0.5)
    ? other
    : token.replace(/[0-9a-f]/, digit => (digit === '7' ? '8' : '7'))
  return [...tokens.slice(0, at), changed, ...tokens.slice(at + 1)].join('')
}
