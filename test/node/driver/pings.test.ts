/** Pings name members by reference: what is said of each comes through, whoever is named. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Ping } from '../../../src/consensus/messages.ts'
import { bodyOfPing, pingOfBody } from '../../../src/node/driver/pings.ts'

const members = ['a', 'b', 'c', '12D3KooW'.padEnd(52, 'x')]
const some = fc.subarray(members)

function pingOf(answers: string[], reached: string[], marked: string[]): Ping {
  const rest = { systemRoot: '', sequence: 1, floor: 1, addresses: [], configuration: 0, wallMs: 0 }
  return { kind: 'ping', answers, reached, marked, ...rest }
}

const sorted = ({ answers, reached, marked }: Ping) =>
  [answers, reached, marked].map(ids => [...ids].sort())

test('a roster reads the lists that were said', () => {
  fc.assert(
    fc.property(some, some, some, (answers, reached, marked) => {
      const ping = pingOf(answers, reached, marked)
      expect(sorted(pingOfBody(bodyOfPing(ping), members))).toEqual(sorted(ping))
    }),
  )
})

test('who is in no roster of the reader is passed over', () => {
  const ping = pingOf(['a', 'stranger'], ['stranger'], [])
  expect(sorted(pingOfBody(bodyOfPing(ping), members))).toEqual([['a'], [], []])
})
