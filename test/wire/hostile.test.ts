/**
 * Bytes that no honest member sends. Everything here is a refusal with a reason, in bounded time;
 * what is accepted after all is a frame with one form, so that nothing hides in a second encoding.
 */
import { describe, expect, test } from 'vitest'
import { type Bytes, concatBytes } from '../../src/base/bytes.ts'
import { type CborValue, encodeCbor } from '../../src/base/cbor.ts'
import { limits } from '../../src/base/limits.ts'
import { WALK_KEY_BYTES } from '../../src/merkle/prints.ts'
import { decodeDoorAnswer, decodeDoorRequest } from '../../src/wire/door.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { fieldsOf } from './cbor-values.ts'
import { mutateBytes, mutateValue, randomFrom } from './mutations.ts'
import { sampleEnvelope, samples } from './samples.ts'

const limit = limits.streamFrameBytesMax
const valid = Object.values(samples).map(encodeFrame)

/** Refused with a sentence, or accepted in its one form. */
function judge(bytes: Bytes): 'refused' | 'accepted' {
  const decoded = decodeFrame(bytes, limit)
  if (decoded.ok) {
    if (Buffer.compare(encodeFrame(decoded.frame), bytes) !== 0) {
      throw new Error(`a second form of a frame: ${Buffer.from(bytes).toString('hex')}`)
    }
    return 'accepted'
  }
  if (decoded.sentence === '') throw new Error('a refusal without a sentence')
  return 'refused'
}

/** A frame whose only body is this value. */
function withBody(body: CborValue): Bytes {
  const fields = fieldsOf(encodeFrame({ envelope: sampleEnvelope, bodies: [] }))
  return encodeCbor(fields.with(10, [body]))
}

function refusalOf(bytes: Bytes, limitBytes = limit): string {
  const decoded = decodeFrame(bytes, limitBytes)
  return decoded.ok ? 'accepted' : decoded.sentence
}

describe('S003-34: fuzzed wire input is refused and never crashes', () => {
  test('25,000 frames with bytes changed, cut, doubled, moved or put in', () => {
    const random = randomFrom(1)
    const seen = { refused: 0, accepted: 0 }
    for (let i = 0; i < 25_000; i++) {
      const base = valid[i % valid.length]!
      seen[judge(mutateBytes(base, valid[random(valid.length)]!, random))] += 1
    }
    expect(seen.refused).toBeGreaterThan(15_000) // the rest changed an unimportant value
  })

  test('25,000 frames with a value replaced, left out, doubled or swapped', () => {
    const random = randomFrom(2)
    const seen = { refused: 0, accepted: 0 }
    const values = valid.map(fieldsOf)
    for (let i = 0; i < 25_000; i++) {
      seen[judge(encodeCbor(mutateValue(values[i % values.length]!, random)))] += 1
    }
    expect(seen.refused).toBeGreaterThan(15_000)
  })

  test('10,000 strings of chance, and every single byte', () => {
    const random = randomFrom(3)
    for (let i = 0; i < 256; i++) expect(judge(Uint8Array.of(i))).toBe('refused')
    for (let i = 0; i < 10_000; i++) {
      const bytes = Uint8Array.from({ length: random(80) }, () => random(256))
      expect(judge(bytes)).toBe('refused')
      expect(decodeDoorRequest(bytes, limit).ok || decodeDoorAnswer(bytes, limit).ok).toBe(false)
    }
  })

  test('every frame cut at every place is refused', () => {
    for (const bytes of valid) {
      for (let end = 0; end < bytes.length; end++) {
        expect(judge(bytes.subarray(0, end))).toBe('refused')
      }
    }
  })

  test('a byte, or a second frame, behind the end is refused', () => {
    for (const bytes of valid) {
      expect(judge(concatBytes([bytes, Uint8Array.of(0)]))).toBe('refused')
      expect(judge(concatBytes([bytes, bytes]))).toBe('refused')
    }
  })
})

describe('S003-34: what a stranger announces costs nothing', () => {
  const head = valid[0]!.subarray(
    0,
    encodeFrame({ envelope: sampleEnvelope, bodies: [] }).length - 1,
  )

  test('a list, text or byte string of 2^32 - 1 or 2^53 entries is refused at once', () => {
    for (const major of [0x40, 0x60, 0x80, 0xa0]) {
      for (const length of [
        [0x1a, 0xff, 0xff, 0xff, 0xff],
        [0x1b, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      ]) {
        const bomb = Uint8Array.from(length.with(0, major | length[0]!))
        const before = process.memoryUsage().rss
        expect(judge(bomb)).toBe('refused')
        expect(judge(concatBytes([head, bomb]))).toBe('refused')
        expect(judge(concatBytes([head, Uint8Array.of(0x81, 0x82, 10), bomb]))).toBe('refused')
        expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
      }
    }
  })

  test('a frame nested as deep as its size allows is refused without a deep recursion', () => {
    for (const opener of [0x81, 0x9f, 0xa1, 0xc1, 0xd8]) {
      const deep = new Uint8Array(limit - head.length).fill(opener)
      expect(judge(concatBytes([head, deep]))).toBe('refused')
    }
  })

  test('three megabytes of the smallest values are refused before they are read', () => {
    for (const value of [0x00, 0x40, 0x60, 0x80, 0xf6]) {
      const many = new Uint8Array(limit - head.length).fill(value)
      many.set([0x9a, ...bigEndian(many.length - 5)])
      expect(refusalOf(concatBytes([head, many]))).toContain('values')
    }
  })

  test('a fact full of the smallest values is refused before they are read', () => {
    const fact = new Uint8Array(limits.factBytesMax).fill(0xf6)
    fact.set([0x9a, ...bigEndian(fact.length - 5)])
    expect(refusalOf(withBody([5, 0, [fact]]))).toContain('values')
  })

  test('the worst frames that the limits let through are judged within a second each', () => {
    const hashes = Array.from({ length: 60_000 }, () => new Uint8Array(32))
    const worst = [
      withBody(Array.from({ length: limits.frameValuesMax - 100 }, () => null)),
      withBody(Array.from({ length: 64 }, () => Array.from({ length: 4000 }, () => []))),
      withBody([32, 1, 0, 0, [[new Uint8Array(32), hashes, 0]]]),
      withBody([1, ['é'.repeat(1_500_000)], [], [], new Uint8Array(32), 0, 0, []]),
    ]
    for (const bytes of worst) {
      const start = performance.now()
      expect(judge(bytes)).toBe('refused')
      expect(performance.now() - start).toBeLessThan(1000)
    }
  })
})

function bigEndian(n: number): number[] {
  return [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]
}

describe('every list and text is read up to its limit and refused beyond', () => {
  const raw32 = new Uint8Array(32)
  const raw8 = new Uint8Array(8)
  const list = (n: number, value: CborValue) => Array.from({ length: n }, () => value)
  const ranges = (n: number) => Array.from({ length: n }, (_, i) => [2 * i + 2, 2 * i + 2])
  const bits = (n: number) => [23, 0, n, new Uint8Array(Math.ceil(n / 8))]
  const walk = (asks: CborValue) => [30, 0, 0, [new Uint8Array(WALK_KEY_BYTES), false, asks]]
  const walked = (replies: CborValue) => [31, 0, [raw32, 1, replies]]
  const ping = (members: number, addresses: number, addressBytes: number) => [
    1,
    list(members, [raw8, 7]),
    raw32,
    0,
    0,
    list(addresses, 'a'.repeat(addressBytes)),
    0,
    0,
  ]
  const cases: Record<string, [(n: number) => CborValue, number]> = {
    'members of a ping': [n => ping(n, 0, 0), limits.membersMax],
    'addresses of a ping': [n => ping(0, n, 3), limits.addressesMax],
    'bytes of an address': [n => ping(0, 1, n), limits.addressBytesMax],
    'ranges of an acknowledgment': [n => [11, 'm', raw8, 0, ranges(n)], limits.ackRangesMax],
    'ranges of a question': [n => [12, 0, raw8, ranges(n)], limits.ackRangesMax],
    'names of askFacts': [n => [20, 0, list(n, ['a', raw32])], limits.listMax],
    'names of askHolds': [n => [22, 0, list(n, ['a', raw32])], limits.holdsMax],
    'answers of holds': [bits, limits.holdsMax],
    'bytes of an id': [n => [20, 0, [['a'.repeat(n), raw32]]], limits.idBytesMax],
    'bytes of a member id': [n => [11, 'm'.repeat(n), raw8, 0, []], limits.memberIdBytesMax],
    'bytes of a piece': [n => [25, 0, new Uint8Array(n)], limits.chunkBytes],
    'asked bytes of a piece': [n => [24, 0, raw32, 0, n], limits.chunkBytes],
    'items of askItems': [n => [32, 0, 0, 0, list(n, [raw32, [], 0])], limits.listMax],
    'asks of a walk': [n => walk(list(n, [2, '', null])), limits.walkAsksMax],
    'digits of a prefix': [n => walk([[2, 'a'.repeat(n), null]]), 64],
    'prints of a list': [n => walk([[1, '', new Uint8Array(n * 32)]]), limits.walkListMax],
    'replies of a walk': [n => walked(list(n, [1, raw32])), limits.walkAsksMax],
    'nodes of a reply': [n => walked([[0, list(n, [0, 1, null])]]), 16],
    'a nibble': [n => walked([[0, [[n, 1, null]]]]), 15],
    'places of a list': [n => walked([[2, raw32, list(n, 0)]]), limits.walkListMax],
    'entries of a list': [n => walked([[2, new Uint8Array(64 * n), []]]), limits.walkListMax],
    'bytes of a page': [n => walked([[3, new Uint8Array(n), true]]), limits.walkBytes + 64],
    'versions at hand': [n => [32, 0, 0, 0, [[raw32, list(n, raw32), 0]]], limits.listMax],
  }
  for (const [what, [build, max]] of Object.entries(cases)) {
    test(what, () => {
      expect(refusalOf(withBody(build(max)))).toBe('accepted')
      expect(refusalOf(withBody(build(max + 1)))).not.toBe('accepted')
    })
  }

  test('the fullest answer of a walk holds no more values than a frame may', () => {
    const leaves = list(16, [0, 0, null])
    expect(refusalOf(withBody(walked(list(limits.walkAsksMax, [0, leaves]))))).toBe('accepted')
  })

  test('bodies of a frame', () => {
    const fields = fieldsOf(encodeFrame({ envelope: sampleEnvelope, bodies: [] }))
    const probes = (n: number) => encodeCbor(fields.with(10, list(n, [2, 1])))
    expect(refusalOf(probes(limits.listMax))).toBe('accepted')
    expect(refusalOf(probes(limits.listMax + 1))).not.toBe('accepted')
  })

  test('a payload that should have come as a large one', () => {
    const add = (n: number): CborValue => {
      const sample = fieldsOf(encodeFrame(samples.adds!))
      const [, adds] = (sample[10] as CborValue[])[0] as [number, CborValue[][]]
      return [10, [adds[0]!.with(3, new Uint8Array(n))]]
    }
    expect(refusalOf(withBody(add(limits.inlinePayloadBytesMax)))).toBe('accepted')
    expect(refusalOf(withBody(add(limits.inlinePayloadBytesMax + 1)))).not.toBe('accepted')
  })
})

describe('what says one thing in two ways, or nothing, is refused', () => {
  const raw8 = new Uint8Array(8)
  const refused: Record<string, CborValue> = {
    'an unknown kind of body': [99, 1],
    'a kind as text': ['probe', 1],
    'a body that is no list': { kind: 'probe' },
    'an empty body': [],
    'a body with a value too many': [2, 1, 1],
    'a body with a value too few': [2],
    'ranges that descend': [
      11,
      'm',
      raw8,
      0,
      [
        [5, 6],
        [3, 4],
      ],
    ],
    'ranges that overlap': [
      11,
      'm',
      raw8,
      0,
      [
        [3, 6],
        [6, 7],
      ],
    ],
    'a range that ends before it begins': [11, 'm', raw8, 0, [[6, 5]]],
    'a range below the contiguous number': [11, 'm', raw8, 9, [[9, 10]]],
    'a range from 0 on': [12, 1, raw8, [[0, 1]]],
    'bits beyond the end': [23, 1, 3, Uint8Array.of(0x0f)],
    'too few bits': [23, 1, 9, Uint8Array.of(0)],
    'a piece of no bytes': [24, 1, new Uint8Array(32), 0, 0],
    'a request below zero': [2, -1],
    'a request that is no whole number': [2, 0.5],
    'a member without an id': [11, '', raw8, 0, []],
  }
  for (const [what, body] of Object.entries(refused)) {
    test(what, () => expect(judge(withBody(body))).toBe('refused'))
  }
  test('a whole number written as a float', () => {
    const bytes = withBody([2, 1])
    const asFloat = concatBytes([bytes.subarray(0, -1), Uint8Array.of(0xf9, 0x3c, 0x00)])
    expect(refusalOf(asFloat)).toContain('float')
  })
  test('an id that is not valid UTF-8', () => {
    const bytes = Buffer.from(withBody([20, 0, [['ab', new Uint8Array(32)]]]))
    bytes[bytes.indexOf('ab')] = 0xff
    expect(refusalOf(bytes)).toContain('UTF-8')
  })
})
