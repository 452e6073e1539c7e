import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCbor } from '../../src/base/cbor.ts'
import { limits } from '../../src/base/limits.ts'
import type { Envelope, Frame, PingBody } from '../../src/consensus/messages.ts'
import { encodeBody } from '../../src/wire/body.ts'
import { decodeFrame, encodeFrame, sealFrame } from '../../src/wire/frame.ts'
import { bodies, envelope, frame } from './arbitraries.ts'
import { fieldsOf } from './cbor-values.ts'
import { sampleEnvelope, samples } from './samples.ts'

const limit = limits.streamFrameBytesMax

describe('a frame comes back from its bytes as it was, and encodes to the same bytes', () => {
  for (const [kind, body] of Object.entries(bodies)) {
    test(`with a body of the kind ${kind}`, () => {
      fc.assert(
        fc.property(envelope, body, (envelope, body) => {
          roundTrip({ envelope, bodies: [body] })
        }),
        { numRuns: 60 },
      )
    })
  }
  test('with no body, and with many', () => {
    fc.assert(fc.property(frame, roundTrip), { numRuns: 100 })
    const probes = (n: number) =>
      Array.from({ length: n }, (_, i) => ({ kind: 'probe', number: i }))
    for (const n of [0, 23, 24, 255, 256, limits.listMax]) {
      roundTrip({ envelope: sampleEnvelope, bodies: probes(n) as Frame['bodies'] })
    }
  })
})

function roundTrip(frame: Frame): void {
  const bytes = encodeFrame(frame)
  const decoded = decodeFrame(bytes, limit)
  expect(decoded).toEqual({ ok: true, frame })
  if (decoded.ok) expect(Buffer.compare(encodeFrame(decoded.frame), bytes)).toBe(0)
}

test('the format is the one of the vectors: a change of it needs a new protocol version', () => {
  const file = new URL('../vectors/wire.json', import.meta.url)
  const vectors: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'))
  expect(Object.keys(vectors).sort()).toEqual(Object.keys(samples).sort())
  for (const [name, frame] of Object.entries(samples)) {
    expect([name, Buffer.from(encodeFrame(frame)).toString('hex')]).toEqual([name, vectors[name]])
    const decoded = decodeFrame(Buffer.from(vectors[name]!, 'hex'), limit)
    expect(decoded).toEqual({ ok: true, frame })
  }
})

test('bodies encoded before are sealed into the very frame that encodeFrame makes', () => {
  fc.assert(
    fc.property(frame, frame => {
      const sealed = sealFrame(frame.envelope, frame.bodies.map(encodeBody))
      expect(Buffer.compare(sealed, encodeFrame(frame))).toBe(0)
    }),
    { numRuns: 50 },
  )
})

test('an envelope never takes more than the bytes that a sender reserves for it', () => {
  const longest: Envelope = {
    ...sampleEnvelope,
    uuid: 'm'.repeat(limits.memberIdBytesMax),
    cut: Number.MAX_SAFE_INTEGER,
    held: 'ab'.repeat(32),
  }
  const room = limits.envelopeBytesMax - sealFrame(longest, []).length
  expect(room).toBeGreaterThanOrEqual(2) // the head of a long list takes two bytes more
})

test('the fullest ping of a full roster fits into one gossip frame', () => {
  const one = { ref: 'ff'.repeat(8), answers: true, reached: true, marked: true }
  const ping: PingBody = {
    kind: 'ping',
    seen: Array.from({ length: limits.membersMax }, () => one),
    systemRoot: 'ab'.repeat(32),
    sequence: Number.MAX_SAFE_INTEGER,
    floor: Number.MAX_SAFE_INTEGER,
    addresses: Array.from({ length: limits.addressesMax }, () =>
      'a'.repeat(limits.addressBytesMax),
    ),
    configuration: Number.MAX_SAFE_INTEGER,
    wallMs: Number.MAX_SAFE_INTEGER,
  }
  const bytes = encodeFrame({ envelope: sampleEnvelope, bodies: [ping] })
  expect(decodeFrame(bytes, limits.gossipFrameBytesMax).ok).toBe(true)
})

describe('the envelope is whole or the frame is refused', () => {
  const names = ['uuid', 'incarnation', 'status', 'hash', 'cut', 'clock', 'held', 'empty', 'gap']
  const whole = () => fieldsOf(encodeFrame({ envelope: sampleEnvelope, bodies: [] }))
  for (const [i, name] of names.entries()) {
    test(`S003-15: a message whose ${name} is left out or is nothing is refused as such`, () => {
      const without = whole().toSpliced(i + 1, 1)
      const wrong = whole().with(i + 1, name === 'held' ? false : null)
      for (const fields of [without, wrong]) {
        const decoded = decodeFrame(encodeCbor(fields), limit)
        expect(decoded).toMatchObject({ ok: false, reason: 'incomplete-envelope' })
      }
    })
  }
  test('S003-15: an empty uuid, an unknown status, a short hash or a negative cut is none', () => {
    const bad: [number, null | string | number | Uint8Array][] = [
      [1, ''],
      [1, 'm'.repeat(limits.memberIdBytesMax + 1)],
      [2, new Uint8Array(7)],
      [3, 4],
      [3, -1],
      [4, new Uint8Array(31)],
      [4, new Uint8Array(33)],
      [5, -1],
      [6, new Uint8Array(9)],
      [7, new Uint8Array(0)],
    ]
    for (const [i, value] of bad) {
      const decoded = decodeFrame(encodeCbor(whole().with(i, value)), limit)
      expect(decoded).toMatchObject({ ok: false, reason: 'incomplete-envelope' })
    }
  })
})

test('a frame of another version is refused as such, whatever it holds behind the number', () => {
  for (const bytes of [
    encodeCbor([2, { of: 'another time' }]),
    encodeCbor([0]),
    encodeCbor([255, 1]),
    Uint8Array.of(0x82, 0x02, 0xff), // not even CBOR from here on
  ]) {
    expect(decodeFrame(bytes, limit)).toMatchObject({ ok: false, reason: 'version' })
  }
})

test('a frame of exactly the limit is read, one byte more is not', () => {
  const bytes = encodeFrame(samples.ping!)
  expect(decodeFrame(bytes, bytes.length).ok).toBe(true)
  expect(decodeFrame(bytes, bytes.length - 1)).toMatchObject({ ok: false, reason: 'too-large' })
})

test('what a frame holds does not alias the bytes it was read from', () => {
  const chunk: Frame = {
    envelope: sampleEnvelope,
    bodies: [{ kind: 'chunk', request: 1, bytes: Uint8Array.of(1, 2, 3) }],
  }
  const network = Buffer.from(encodeFrame(chunk))
  const decoded = decodeFrame(network, limit)
  network.fill(0)
  expect(decoded).toEqual({ ok: true, frame: chunk })
})
