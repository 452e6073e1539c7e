/**
 * The compliance suite of a store: every sentence of src/storage/store.ts that an engine must keep.
 * Both engines pass it, or the simulator, which knows only the one in memory, would lie.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { concatBytes, toHex, utf8 } from '../../src/base/bytes.ts'
import type { HeldFact } from '../../src/base/fact.ts'
import { type Glance, glanceOf } from '../../src/base/glance.ts'
import { hashBytes, hashText } from '../../src/base/hash.ts'
import { limits } from '../../src/base/limits.ts'
import type { Store, Write } from '../../src/storage/store.ts'
import {
  agreedAt,
  chain,
  deletion,
  itemBatch,
  nextFact,
  payloadOf,
  pendingAt,
  someBytes,
  summaryOf,
} from '../support/facts.ts'

/** An engine under test. */
export interface Engine {
  readonly name: string
  /** A new, empty store. */
  open(): Promise<Store>
  /** Closes a store in order and opens it again. */
  reopen(store: Store): Promise<Store>
  /** Takes everything away. */
  end(): Promise<void>
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece.slice())
  return concatBytes(all)
}

/** A glance with its bytes as texts: some are views of larger ones. */
function plainGlance(glance: Glance) {
  const { idBytes, newest } = glance
  return { ...glance, idBytes: Buffer.from(idBytes).toString(), newest: toHex(newest) }
}

async function allIds(store: Store): Promise<string[]> {
  const ids: string[] = []
  for await (const page of store.allItems()) ids.push(...page.map(summary => summary.id))
  return ids
}

/** Everything that verify finds wrong. */
export async function verifyAll(store: Store) {
  const damages: unknown[] = []
  let checked = 0
  for await (const step of store.verify()) {
    checked += step.checked
    damages.push(...step.damages)
  }
  return { checked, damages }
}

/** Declares the suite for one engine. */
export function storeCompliance(engine: Engine): void {
  describe(`the ${engine.name} keeps the contract of a store`, () => {
    let store: Store

    beforeEach(async () => {
      store = await engine.open()
    })
    afterEach(async () => {
      await engine.end()
    })

    const reopen = async () => {
      store = await engine.reopen(store)
    }

    it('a new store is empty, clean and without a gap', async () => {
      expect(store.report).toEqual({
        clean: true,
        factsMissing: 0,
        pendingMissing: 0,
        gap: false,
        damages: [],
        lastCut: null,
      })
      expect(store.counts()).toEqual({ items: 0, facts: 0, pending: 0, wanted: 0 })
      expect(store.lastPendingOrder()).toBe(-1)
      expect(store.eventRange()).toEqual({ first: 0, last: 0 })
      expect(store.isFull()).toBe(false)
      expect(await allIds(store)).toEqual([])
      expect(await store.pending(-1, 10)).toEqual([])
      expect(await store.wanted(null, 10)).toEqual([])
      expect(await store.meta('nothing')).toBeUndefined()
    })

    it('what was committed is read the same before it is durable, after, and after a restart', async () => {
      const facts = chain('docs/report', 3)
      const durable = store.commit(itemBatch(facts, at => agreedAt(at)))
      const check = async () => {
        const held = facts.map((fact, at): HeldFact => ({ fact, state: agreedAt(at) }))
        const [summary, none] = await store.items(['docs/report', 'docs'])
        expect(summary).toEqual(summaryOf('docs/report', held))
        expect(none).toBeUndefined()
        expect(await store.facts([facts[1]!, { ...facts[1]!, id: 'other' }])).toEqual([
          held[1],
          undefined,
        ])
        const found = await store.factsOf('docs/report')
        expect(new Set(found)).toEqual(new Set(held))
        expect(await store.factsOf('docs')).toEqual([])
        expect(await store.idsOf([hashText('docs/report'), hashText('docs')])).toEqual([
          'docs/report',
          undefined,
        ])
        expect(store.counts()).toMatchObject({ items: 1, facts: 3 })
      }
      await check()
      await durable
      await check()
      await reopen()
      await check()
      expect(store.report).toMatchObject({ clean: true, gap: false, damages: [] })
    })

    it('many batches in flight are durable in order, and reads see all of them', async () => {
      const ended: number[] = []
      const all = Array.from({ length: 200 }, (_, at) => {
        const batch = itemBatch(chain(`item ${at}`, 1), () => pendingAt(at))
        return store.commit(batch).then(() => ended.push(at))
      })
      expect(await allIds(store)).toHaveLength(200)
      expect((await store.pending(-1, 500)).map(entry => entry.order)).toEqual(
        all.map((_, at) => at),
      )
      await Promise.all(all)
      expect(ended).toEqual(all.map((_, at) => at))
    })

    it('a later batch wins over an earlier one that is still in flight', async () => {
      const [fact] = chain('a', 1)
      const first = store.commit(itemBatch([fact!], () => pendingAt(0)))
      const ref = { id: 'a', version: fact!.version }
      const second = store.commit([
        { kind: 'fact', held: { fact: fact!, state: agreedAt(7) }, isNew: false },
        { kind: 'unpending', order: 0, ref },
      ])
      const check = async () => {
        expect((await store.facts([ref]))[0]?.state).toEqual(agreedAt(7))
        expect(await store.pending(-1, 10)).toEqual([])
        expect(store.counts()).toMatchObject({ facts: 1, pending: 0 })
        expect(store.lastPendingOrder()).toBe(0)
      }
      await check()
      await Promise.all([first, second])
      await check()
      await reopen()
      await check()
    })

    it('a changed state is no new fact, and a deletion is a fact like any other', async () => {
      const [fact] = chain('a', 1)
      await store.commit(itemBatch([fact!], () => agreedAt(1)))
      const held: HeldFact[] = [
        { fact: fact!, state: agreedAt(2) },
        { fact: deletion(fact!), state: agreedAt(3) },
      ]
      await store.commit([
        { kind: 'fact', held: held[0]!, isNew: false },
        { kind: 'fact', held: held[1]!, isNew: true },
        { kind: 'item', summary: summaryOf('a', held) },
      ])
      await reopen()
      expect(store.counts()).toMatchObject({ items: 1, facts: 2 })
      expect(new Set(await store.factsOf('a'))).toEqual(new Set(held))
      expect(store.report.gap).toBe(false)
    })

    it('items are scanned in byte order of their ids, in half-open ranges, up to a limit', async () => {
      const ids = ['a', 'a/b', 'a~1', 'b', 'Ä', '\u{1f4a1}', '\uff5e', '\u0001roster']
      const batches = ids.map(id => itemBatch(chain(id, 1), () => agreedAt(1)))
      await Promise.all(batches.slice(0, 4).map(batch => store.commit(batch)))
      const later = Promise.all(batches.slice(4).map(batch => store.commit(batch)))
      const scan = async (from?: string, until?: string, limit = 100) => {
        const range = { ...(from && { from }), ...(until && { until }) }
        return (await store.scanItems(range, limit)).map(summary => summary.id)
      }
      const ordered = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      for (const _ of ['in flight', 'durable', 'reopened']) {
        expect(await scan()).toEqual(ordered)
        expect(await allIds(store)).toEqual(ordered)
        expect(await scan('a', 'b')).toEqual(['a', 'a/b', 'a~1'])
        expect(await scan('a\u0000', 'b', 1)).toEqual(['a/b'])
        expect(await scan('b', 'a')).toEqual([])
        expect(await scan(undefined, undefined, 0)).toEqual([])
        await later
        if (_ === 'durable') await reopen()
      }
    })

    it('an item of no facts is taken away with its index, and begins anew with its next fact', async () => {
      const facts = chain('a', 2)
      await store.commit(itemBatch(facts, agreedAt))
      const { id, heads, ...rest } = summaryOf(
        'a',
        facts.map(fact => ({ fact, state: agreedAt(0) })),
      )
      const none = { ...rest, facts: 0, factsXor: '0'.repeat(64), agreed: null, pending: null }
      await store.commit([{ kind: 'item', summary: { ...none, id, heads: [], unrooted: 0 } }])
      expect(await store.items(['a'])).toEqual([undefined])
      expect(await store.idsOf([hashText('a')])).toEqual([undefined])
      expect(store.counts()).toMatchObject({ items: 0, facts: 2 })
      const again = chain('b', 1)
      await store.commit(itemBatch(again, agreedAt))
      expect(store.counts()).toMatchObject({ items: 1, facts: 3 })
    })

    it('facts of one item are never mixed with those of an item of a longer name', async () => {
      for (const id of ['a', 'ab', 'a/b', 'a~0']) {
        await store.commit(itemBatch(chain(id, 2), () => agreedAt(1)))
      }
      const found = await store.factsOf('a')
      expect(found.map(({ fact }) => fact.id)).toEqual(['a', 'a'])
    })

    it('allItems gives every item once, in pages, also beyond one page', async () => {
      const count = limits.pageMax * 2 + 1
      const id = (at: number) => `item ${String(at).padStart(5, '0')}`
      const writes: Write[] = []
      for (let at = 0; at < count; at++) {
        writes.push(...itemBatch(chain(id(at), 1), () => agreedAt(1)))
      }
      await store.commit(writes)
      expect(await allIds(store)).toEqual(Array.from({ length: count }, (_, at) => id(at)))
    })

    it('glances say of every item what its summary says', async () => {
      const count = limits.pageMax + 1
      for (let at = 0; at < count; at++) {
        await store.commit(itemBatch(chain(`item ${at}`, 1), () => agreedAt(at)))
      }
      await store.commit(
        itemBatch(chain('ärger', 3), at => (at < 2 ? agreedAt(at) : pendingAt(at))),
      )
      const expected: Glance[] = []
      for await (const page of store.allItems()) expected.push(...page.map(glanceOf))
      const found: Glance[] = []
      for await (const page of store.glances()) found.push(...page)
      expect(found.map(plainGlance)).toEqual(expected.map(plainGlance))
      expect(found.filter(({ kind }) => kind === 'other')).toHaveLength(1)
    })

    it('the pending queue is read in order from any place, and its last place is never forgotten', async () => {
      const facts = chain('a', 12)
      await store.commit(itemBatch(facts, at => pendingAt(at)))
      const orders = async (after: number, limit: number) =>
        (await store.pending(after, limit)).map(entry => entry.order)
      expect(await orders(-1, 3)).toEqual([0, 1, 2])
      expect(await orders(8, 100)).toEqual([9, 10, 11])
      const [entry] = await store.pending(3, 1)
      expect(entry).toEqual({ order: 4, ref: { id: 'a', version: facts[4]!.version } })
      await store.commit(
        facts.map(({ id, version }, order) => ({ kind: 'unpending', order, ref: { id, version } })),
      )
      expect(store.counts().pending).toBe(0)
      expect(store.lastPendingOrder()).toBe(11)
      await reopen()
      expect(store.lastPendingOrder()).toBe(11)
      expect(await orders(-1, 10)).toEqual([])
    })

    it('a wanted payload is listed until it comes, in whichever way', async () => {
      const [small, large] = [utf8('small'), someBytes(40_000, 1)]
      const [a, b] = [hashBytes(small), hashBytes(large)]
      const wanted: Write[] = [
        { kind: 'wanted', blob: a, size: small.length },
        { kind: 'wanted', blob: b, size: large.length },
      ]
      await store.commit([...wanted, ...wanted])
      const list = [
        { blob: a, size: small.length },
        { blob: b, size: large.length },
      ].sort((x, y) => (x.blob < y.blob ? -1 : 1))
      expect(await store.wanted(null, 10)).toEqual(list)
      expect(await store.wanted(list[0]!.blob, 10)).toEqual([list[1]])
      await reopen()
      expect(store.counts().wanted).toBe(2)
      await store.commit([{ kind: 'payload', blob: a, bytes: small }])
      expect(store.counts().wanted).toBe(1)
      const writer = await store.payloadWriter({ blob: b, size: large.length })
      await writer.write(large)
      expect(await writer.finish()).toBe(b)
      await store.commit([{ kind: 'have', blob: b }])
      expect(store.counts().wanted).toBe(0)
      expect(await store.wanted(null, 10)).toEqual([])
      await store.commit([{ kind: 'payload', blob: a, bytes: small }])
      expect(store.counts().wanted).toBe(0)
    })

    it('back-links are listed by the item they lead to, and go when they are unlinked', async () => {
      const link = (from: string, to: string): Write => ({ kind: 'link', from, to })
      await store.commit([link('b', 'x'), link('a', 'x'), link('c', 'x'), link('a', 'xy')])
      const gone = store.commit([{ kind: 'unlink', from: 'b', to: 'x' }])
      for (const _ of ['in flight', 'durable']) {
        expect(await store.dependedOnBy('x', 10)).toEqual(['a', 'c'])
        expect(await store.dependedOnBy('x', 1)).toEqual(['a'])
        expect(await store.dependedOnBy('xy', 10)).toEqual(['a'])
        expect(await store.dependedOnBy('y', 10)).toEqual([])
        await gone
      }
    })

    it('events are read from any sequence; trimmed ones are gone and no sequence comes twice', async () => {
      const event = (sequence: number): Write => ({
        kind: 'event',
        sequence,
        body: utf8(`event ${sequence}`),
      })
      await store.commit([1, 2, 3, 4, 5].map(event))
      expect(store.eventRange()).toEqual({ first: 1, last: 5 })
      expect(await store.events(3, 10)).toEqual([
        { sequence: 4, body: utf8('event 4') },
        { sequence: 5, body: utf8('event 5') },
      ])
      expect(await store.events(0, 2)).toHaveLength(2)
      await store.commit([{ kind: 'trimEvents', before: 4 }, event(6)])
      for (const _ of ['at once', 'reopened']) {
        expect(store.eventRange()).toEqual({ first: 4, last: 6 })
        expect((await store.events(0, 10)).map(entry => entry.sequence)).toEqual([4, 5, 6])
        if (_ === 'at once') await reopen()
      }
      await store.commit([{ kind: 'trimEvents', before: 100 }])
      await reopen()
      expect(store.eventRange()).toEqual({ first: 0, last: 6 })
      expect(await store.events(0, 10)).toEqual([])
      await store.commit([event(7)])
      expect(store.eventRange()).toEqual({ first: 7, last: 7 })
      expect((await store.events(0, 10)).map(entry => entry.sequence)).toEqual([7])
    })

    it('small named records are kept, changed and removed', async () => {
      await store.commit([{ kind: 'meta', key: 'clock', value: utf8('1') }])
      await store.commit([
        { kind: 'meta', key: 'clock', value: utf8('2') },
        { kind: 'meta', key: 'network', value: utf8('') },
      ])
      await reopen()
      expect(await store.meta('clock')).toEqual(utf8('2'))
      expect(await store.meta('network')).toEqual(utf8(''))
      await store.commit([{ kind: 'meta', key: 'clock', value: null }])
      expect(await store.meta('clock')).toBeUndefined()
      await reopen()
      expect(await store.meta('clock')).toBeUndefined()
    })

    it('a small payload is here once committed, verified, sized and readable in parts', async () => {
      const bytes = payloadOf('a', 'text')
      const blob = hashBytes(bytes)
      expect(await store.hasPayloads([blob])).toEqual([false])
      const durable = store.commit([{ kind: 'payload', blob, bytes }])
      for (const _ of ['in flight', 'durable', 'reopened']) {
        expect(await store.hasPayloads([blob, hashText('x')])).toEqual([true, false])
        expect(await store.smallPayloads([hashText('x'), blob])).toEqual([undefined, bytes])
        expect(await store.payloadSize(blob)).toBe(bytes.length)
        expect(await collect(store.readPayload(blob, 3, 5))).toEqual(bytes.slice(3, 8))
        expect(await collect(store.readPayload(blob, 3, 500))).toEqual(bytes.slice(3))
        expect(await store.verifyPayload(blob)).toBe('ok')
        await durable
        if (_ === 'durable') await reopen()
      }
    })

    it('an empty payload is a payload', async () => {
      const blob = hashBytes(new Uint8Array())
      await store.commit([{ kind: 'payload', blob, bytes: new Uint8Array() }])
      expect(await store.smallPayloads([blob])).toEqual([new Uint8Array()])
      expect(await store.payloadSize(blob)).toBe(0)
      expect(await collect(store.readPayload(blob, 0, 10))).toEqual(new Uint8Array())
    })

    it('a payload that is not here is absent everywhere, and reading it says so', async () => {
      const blob = hashText('nothing')
      expect(await store.payloadSize(blob)).toBeUndefined()
      expect(await store.verifyPayload(blob)).toBe('absent')
      expect(await store.smallPayloads([blob])).toEqual([undefined])
      await expect(collect(store.readPayload(blob, 0, 1))).rejects.toMatchObject({
        code: 'NOT_FOUND',
      })
      await store.setAsidePayload(blob)
    })

    it('a large payload is here from its finish on, whole, in any range, and after a restart', async () => {
      const bytes = someBytes(limits.chunkBytes * 2 + 77, 2)
      const blob = hashBytes(bytes)
      const writer = await store.payloadWriter(null)
      expect(writer.offset).toBe(0)
      for (let at = 0; at < bytes.length; at += 100_000) {
        await writer.write(bytes.subarray(at, at + 100_000))
      }
      expect(await store.hasPayloads([blob])).toEqual([false])
      expect(await writer.finish()).toBe(blob)
      for (const _ of ['at once', 'reopened']) {
        expect(await store.hasPayloads([blob])).toEqual([true])
        expect(await store.payloadSize(blob)).toBe(bytes.length)
        expect(await store.smallPayloads([blob])).toEqual([undefined])
        expect(hashBytes(await collect(store.readPayload(blob, 0, bytes.length)))).toBe(blob)
        expect(await collect(store.readPayload(blob, 300_000, 10))).toEqual(
          bytes.slice(300_000, 300_010),
        )
        expect(await store.verifyPayload(blob)).toBe('ok')
        if (_ === 'at once') await reopen()
      }
    })

    it('a small payload that came through a writer is served like any small one', async () => {
      const bytes = utf8('small, but streamed')
      const writer = await store.payloadWriter(null)
      await writer.write(bytes)
      const blob = (await writer.finish())!
      expect(await store.smallPayloads([blob])).toEqual([bytes])
    })

    it('a payload that is not what was expected is not taken', async () => {
      const blob = hashText('expected')
      const writer = await store.payloadWriter({ blob, size: 4 })
      await writer.write(utf8('evil'))
      expect(await writer.finish()).toBeUndefined()
      expect(await store.hasPayloads([blob])).toEqual([false])
      expect((await store.payloadWriter({ blob, size: 4 })).offset).toBe(0)
    })

    it('a payload of the right hash and the wrong size is not taken', async () => {
      const bytes = utf8('four')
      const writer = await store.payloadWriter({ blob: hashBytes(bytes), size: 5 })
      await writer.write(bytes)
      expect(await writer.finish()).toBeUndefined()
    })

    it('an interrupted fetch goes on where it stopped, also after a restart; an upload never does', async () => {
      const bytes = someBytes(50_000, 3)
      const blob = hashBytes(bytes)
      const expected = { blob, size: bytes.length }
      await store.commit([{ kind: 'wanted', ...expected }])
      const first = await store.payloadWriter(expected)
      await first.write(bytes.subarray(0, 20_000))
      await first.close('keep')
      const upload = await store.payloadWriter(null)
      await upload.write(bytes.subarray(0, 10))
      await upload.close('keep')
      await upload.close('keep')
      await reopen()
      const second = await store.payloadWriter(expected)
      expect(second.offset).toBe(20_000)
      await second.write(bytes.subarray(20_000, 30_000))
      await second.close('keep')
      const third = await store.payloadWriter(expected)
      expect(third.offset).toBe(30_000)
      await third.write(bytes.subarray(30_000))
      expect(await third.finish()).toBe(blob)
      await third.close('remove')
      expect(await store.verifyPayload(blob)).toBe('ok')
    })

    it('what is left of a fetch that nobody wants any more is gone after a restart', async () => {
      const bytes = someBytes(1000, 6)
      const expected = { blob: hashBytes(bytes), size: bytes.length }
      const first = await store.payloadWriter(expected)
      await first.write(bytes.subarray(0, 500))
      await first.close('keep')
      await reopen()
      expect((await store.payloadWriter(expected)).offset).toBe(0)
    })

    it('a removed partial payload begins anew', async () => {
      const bytes = someBytes(1000, 4)
      const expected = { blob: hashBytes(bytes), size: bytes.length }
      const first = await store.payloadWriter(expected)
      await first.write(bytes.subarray(0, 500))
      await first.close('remove')
      expect((await store.payloadWriter(expected)).offset).toBe(0)
    })

    it('a kept prefix that was wrong ends in a refusal, and the next try begins anew', async () => {
      const bytes = someBytes(1000, 5)
      const expected = { blob: hashBytes(bytes), size: bytes.length }
      const first = await store.payloadWriter(expected)
      await first.write(someBytes(500, 6))
      await first.close('keep')
      const second = await store.payloadWriter(expected)
      await second.write(bytes.subarray(500))
      expect(await second.finish()).toBeUndefined()
      const third = await store.payloadWriter(expected)
      expect(third.offset).toBe(0)
      await third.write(bytes)
      expect(await third.finish()).toBe(expected.blob)
    })

    it('a damaged payload set aside is not here any more', async () => {
      const blob = hashText('small')
      await store.commit([{ kind: 'payload', blob, bytes: utf8('smell') }])
      await store.setAsidePayload(blob)
      expect(await store.hasPayloads([blob])).toEqual([false])
      expect(await store.verifyPayload(blob)).toBe('absent')
      await reopen()
      expect(await store.hasPayloads([blob])).toEqual([false])
    })

    it('a whole payload, inline or large, is not set aside', async () => {
      const small = utf8('small')
      await store.commit([{ kind: 'payload', blob: hashBytes(small), bytes: small }])
      const writer = await store.payloadWriter(null)
      await writer.write(someBytes(30_000, 7))
      const large = (await writer.finish())!
      for (const blob of [hashBytes(small), large]) {
        await store.setAsidePayload(blob)
        expect(await store.verifyPayload(blob)).toBe('ok')
      }
      await reopen()
      expect(await store.hasPayloads([hashBytes(small), large])).toEqual([true, true])
    })

    it('the journal remembers the last cut with its root and count', async () => {
      store.journalCut({ cut: 1000, root: hashText('root 1'), items: 1 })
      const last = { cut: 2000, root: hashText('root 2'), items: 2 }
      store.journalCut(last)
      await reopen()
      expect(store.report.lastCut).toEqual(last)
      await reopen()
      expect(store.report.lastCut).toEqual(last)
    })

    it('verify finds nothing wrong in a sound store, and looks at every fact', async () => {
      const last = nextFact('b', undefined, 'large')
      await store.commit(itemBatch(chain('a', 5), at => agreedAt(at)))
      await store.commit([
        ...itemBatch([last], () => pendingAt(0)),
        { kind: 'meta', key: 'x', value: utf8('y') },
        { kind: 'event', sequence: 1, body: utf8('e') },
      ])
      const { checked, damages } = await verifyAll(store)
      expect(damages).toEqual([])
      expect(checked).toBeGreaterThanOrEqual(8)
    })

    it('verify names an item that waits in the pending queue though nothing of it is pending (seed 1007035)', async () => {
      const facts = chain('a', 1)
      const held = facts.map(fact => ({ fact, state: agreedAt(1) }))
      const ref = { id: 'a', version: facts[0]!.version }
      await store.commit([
        ...held.map(one => ({ kind: 'fact', held: one, isNew: true }) as const),
        { kind: 'item', summary: summaryOf('a', held) },
        { kind: 'pending', order: 1, ref },
      ])
      const wrong = expect.objectContaining({ what: 'item', id: 'a' })
      const { damages } = await verifyAll(store)
      expect(damages).toContainEqual(wrong)
      await store.commit([{ kind: 'unpending', order: 1, ref }])
      expect((await verifyAll(store)).damages).not.toContainEqual(wrong)
    })

    it('verify names an item whose facts are not those of its summary, and a payload nobody waits for', async () => {
      const facts = chain('a', 2)
      const held = facts.map(fact => ({ fact, state: agreedAt(1) }))
      await store.commit([
        { kind: 'fact', held: held[0]!, isNew: true },
        { kind: 'item', summary: summaryOf('a', held.slice(0, 1)) },
      ])
      await store.commit([{ kind: 'item', summary: summaryOf('a', held) }])
      const { damages } = await verifyAll(store)
      expect(damages).toMatchObject([
        { what: 'item', id: 'a' },
        { what: 'payload', id: 'a', version: facts[0]!.version, blob: facts[0]!.blob },
      ])
      await store.commit([{ kind: 'wanted', blob: facts[0]!.blob!, size: facts[0]!.size }])
      expect((await verifyAll(store)).damages).toMatchObject([{ what: 'item', id: 'a' }])
    })

    it('a fact written again with another state is counted once', async () => {
      const facts = chain('a', 2)
      await store.commit(itemBatch(facts, at => agreedAt(at)))
      const held = { fact: facts[0]!, state: agreedAt(9) }
      await store.commit([{ kind: 'fact', held, isNew: false }])
      expect(store.counts()).toMatchObject({ items: 1, facts: 2 })
    })

    it('a closed store rejects every call', async () => {
      await store.commit([{ kind: 'meta', key: 'x', value: utf8('y') }])
      await store.close()
      await expect(store.meta('x')).rejects.toMatchObject({ code: 'STOPPING' })
      await expect(store.commit([])).rejects.toMatchObject({ code: 'STOPPING' })
    })
  })
}
