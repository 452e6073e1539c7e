/** The order of the ledger: what only reads comes after everything that was taken before it. */
import { expect, it } from 'vitest'
import { STAMP_ZERO } from '../../../src/base/stamp.ts'
import { openLedger } from '../../support/lone-ledger.ts'
import { foreignFact } from '../../support/lone-member.ts'

it('what runs in order sees changes taken in the same moment, and none taken later', async () => {
  const { ledger, store } = await openLedger()
  const take = (id: string) =>
    ledger.receive([{ ...foreignFact(id), added: STAMP_ZERO }], { from: 'b', stampRule: 'smaller' })
  const seen = async () => (await store.items(['a', 'b', 'c'])).map(item => item !== undefined)
  const [, first, , second] = await Promise.all([
    take('a'),
    ledger.inOrder(seen),
    take('b'),
    ledger.inOrder(seen),
    take('c'),
  ])
  expect(first).toEqual([true, false, false])
  expect(second).toEqual([true, true, false])
})
