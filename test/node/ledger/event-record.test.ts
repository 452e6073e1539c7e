/**
 * Records of events: what a watcher gets is what was written, whatever happened, in a fifth of the bytes.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/base/bytes.ts'
import { hashText } from '../../../src/base/hash.ts'
import type { EventBody } from '../../../src/control/protocol-network.ts'
import { decodeEvents, encodeEvents } from '../../../src/node/ledger/event-record.ts'

const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const version = fc.nat(5).map(n => hashText(`${n}`))
const by = fc.constantFrom('12D3KooWalice', '12D3KooWbob')
const at = fc.nat({ max: 2 ** 45 })

const event: fc.Arbitrary<EventBody> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('added' as const, 'deleted' as const),
    id,
    version,
    at,
    by,
    size: fc.nat(),
  }),
  fc.record({ kind: fc.constantFrom('agreed' as const, 'resolved' as const), id, version }),
  fc.record({
    kind: fc.constant('collision' as const),
    id,
    versions: fc.array(version, { maxLength: 3 }),
    branches: fc.array(fc.record({ id, version, at, by, size: fc.nat() }), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('status' as const),
    status: fc.constant('source' as const),
    synchronized: fc.boolean(),
  }),
)

/** As a Source makes them: each version comes and is agreed. */
function written(n: number): EventBody[] {
  const of = { id: `item/${n}`, version: hashText(`${n}`) }
  return [
    { kind: 'added', ...of, at: 1_770_000_000_000 + n, by: '12D3KooWalice', size: 1024 },
    { kind: 'agreed', ...of },
  ]
}

describe('a record of events', () => {
  it('gives back what was written, in its order', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), events => {
        expect(decodeEvents(encodeEvents(events))).toEqual(events)
      }),
    )
  })

  it('gives back a version that is agreed twice in one batch, or before another one came', () => {
    const [first, second] = [written(1), written(2)] as [EventBody[], EventBody[]]
    for (const events of [
      [...first, first[1]!],
      [first[1]!, first[0]!],
      [first[0]!, second[1]!, first[1]!],
    ])
      expect(decodeEvents(encodeEvents(events))).toEqual(events)
  })

  it('takes at most 80 bytes for a write, where JSON takes four times as many', () => {
    const events = Array.from({ length: 100 }, (_, n) => written(n)).flat()
    const bytes = encodeEvents(events).length
    expect(bytes / 100).toBeLessThan(80)
    expect(JSON.stringify(events).length).toBeGreaterThan(4 * bytes)
  })

  it('is read from before, when it was JSON', () => {
    const events = [...written(1), ...written(2)]
    expect(decodeEvents(utf8(JSON.stringify(events)))).toEqual(events)
  })

  it('that is none ends the reading with an error', () => {
    for (const bytes of [
      utf8('[1'),
      utf8('x'),
      Uint8Array.of(),
      encodeEvents(written(1)).slice(0, 20),
    ])
      expect(() => decodeEvents(bytes)).toThrow('A record of events cannot be read.')
  })
})
