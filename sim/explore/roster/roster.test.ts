/**
 * Rival changes of a roster in the everyday size, and that the explorer can fail: errors planted in
 * the machine are found. CI goes deeper (`npm run explore -- --roster`).
 */
import { describe, expect, it } from 'vitest'
import { exploreRoster } from './explore.ts'
import { planted, quick } from './settings.ts'

describe('two rival changes of a roster, in every order of what is said, lost and said again', () => {
  for (const [setting, bounds] of quick) {
    it(`decide one value a number, leave one majority, and come to an end: ${setting.name}`, () => {
      const explored = exploreRoster(setting, bounds)
      expect(explored.violation).toBeNull()
      expect(explored.decided).toBeGreaterThan(setting.begin.number)
      expect(explored.recoveries).toBeGreaterThan(100)
    })
  }
})

describe('the alarm rings when', () => {
  for (const setting of planted) {
    it(setting.name, () => {
      const { violation } = exploreRoster(setting, { statesMax: 200_000, recoverEvery: 0 })
      expect(violation?.sentence).toMatch(/is decided twice|may have a Source/)
      expect(violation?.path.length).toBeLessThan(20)
    })
  }
})
