/** What was used last: never another value than the last one set, and between half and all that it may keep. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Recent } from '../../../src/node/ledger/recent.ts'

it('keeps the last half of what it may for sure, never more than all, and nothing that was deleted', () => {
  const change = fc.record({ key: fc.nat(30), deletes: fc.integer({ min: 0, max: 9 }) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), changes => {
      const recent = new Recent<number, number>(10)
      const all = new Map<number, number>()
      for (const [at, { key, deletes }] of changes.entries()) {
        all.delete(key) // as a Map has it, what is set comes last
        if (deletes === 0) recent.delete(key)
        else {
          recent.set(key, at)
          all.set(key, at)
        }
        const kept = [...all].filter(([known]) => recent.has(known))
        expect(kept.length).toBeLessThanOrEqual(10)
        for (const [known, value] of kept) expect(recent.get(known)).toBe(value)
        for (const [known] of [...all].slice(-5)) expect(recent.has(known)).toBe(true)
        expect(recent.has(key)).toBe(deletes !== 0)
      }
    }),
  )
})
