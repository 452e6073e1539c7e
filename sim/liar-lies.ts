/**
 * What a lying member says in place of what it should: each lie makes other frames of an honest one.
 *
 * Some lies show themselves: bytes that do not decode, facts that do not verify, the name of another.
 * They must change nothing for anybody. Others are plausible: a member is believed in what it says of
 * itself (PROTOCOL 10, docs/guarantees.md), and what they can do is bounded, and ends with the liar.
 */
import { type Bytes, concatBytes } from '../src/base/bytes.ts'
import type { Fact, MemberId } from '../src/base/fact.ts'
import { limits } from '../src/base/limits.ts'
import { stampMs, stampOf } from '../src/base/stamp.ts'
import type { Body, Envelope, Frame } from '../src/consensus/messages.ts'
import { decodeFrame, encodeFrame } from '../src/wire/frame.ts'
import { dataHashOf, versionOf } from './checker/hashes.ts'
import type { Random } from './random.ts'

export interface LieContext {
  readonly random: Random
  readonly bytes: Bytes
  readonly frame: Frame
  /** The others, honest all. */
  readonly others: readonly MemberId[]
  /** Earlier frames of the liar. */
  readonly old: readonly Bytes[]
  /** A payload that nobody wrote was named. */
  invented(blob: string): void
}

export interface Lie {
  /** Who hears it can know it for a lie, or it changes nothing: the others must go on as ever. */
  readonly isHarmless: boolean
  /** Frames in place of the honest one; null: it has no use for this frame. */
  tell(context: LieContext): readonly Bytes[] | null
}

const provable = (tell: Lie['tell']): Lie => ({ isHarmless: true, tell })
const plausible = (tell: Lie['tell']): Lie => ({ isHarmless: false, tell })

export const lies = {
  truncated: provable(({ bytes, random }) => [bytes.subarray(0, random.int(0, bytes.length - 1))]),
  garbled: provable(({ bytes, random }) => {
    const wrong = new Uint8Array(bytes)
    for (let n = random.int(1, 8); n > 0; n--) wrong[random.int(0, wrong.length - 1)]! ^= 0x80
    return decodeFrame(wrong, limits.streamFrameBytesMax).ok ? null : [wrong]
  }),
  oversized: provable(({ bytes, random }) =>
    // Seldom: a few megabytes each.
    random.chance(0.05)
      ? [concatBytes([bytes, new Uint8Array(limits.streamFrameBytesMax)]), bytes]
      : null,
  ),
  inAnothersName: provable(({ frame, others, random }) => [
    encodeFrame({ ...frame, envelope: { ...frame.envelope, uuid: random.pick(others) } }),
  ]),
  replayed: provable(({ bytes, old, random }) =>
    old.length === 0 ? null : [bytes, random.pick(old), random.pick(old)],
  ),
  doubled: provable(({ bytes }) => [bytes, bytes]),
  wrongVersion: provable(context =>
    withFacts(context, fact => ({ ...fact, version: hash(context.random) })),
  ),
  wrongContent: provable(context =>
    withFacts(context, fact => ({ ...fact, description: `${fact.description}!` })),
  ),
  wrongParents: provable(context =>
    withFacts(context, fact => ({ ...fact, parents: [hash(context.random)] })),
  ),
  wrongPayload: provable(context => withPayloads(context)),
  inventedFact: provable(context => withInvented(context, [])),
  inventedOrphan: provable(context => withInvented(context, [hash(context.random)])),

  farFuture: plausible(context =>
    withBodies(context, body =>
      body.kind !== 'adds'
        ? null
        : {
            ...body,
            adds: body.adds.map(add => ({ ...add, added: later(add.added, 3_600_000) })),
          },
    ),
  ),
  falseHash: plausible(context => withEnvelope(context, { hash: hash(context.random) })),
  falseHeld: plausible(context => withEnvelope(context, { held: hash(context.random) })),
  noHeld: plausible(context => withEnvelope(context, { held: null })),
  falseStatus: plausible(context =>
    withEnvelope(context, {
      status: context.random.pick(['source', 'counter-sync', 'source-sync', 'empty'] as const),
    }),
  ),
  falseEmpty: plausible(context =>
    withEnvelope(context, { empty: context.random.chance(0.5), gap: context.random.chance(0.5) }),
  ),
  clockAhead: plausible(context =>
    withEnvelope(context, {
      clock: later(context.frame.envelope.clock, context.random.pick([5000, 50_000, 3e8])),
    }),
  ),
  falseAck: plausible(context =>
    withBodies(context, body =>
      body.kind !== 'ack'
        ? null
        : { ...body, vector: { ...body.vector, upTo: body.vector.upTo + 1000, ranges: [] } },
    ),
  ),
  falseHolds: plausible(context =>
    withBodies(context, body =>
      body.kind !== 'holds' ? null : { ...body, held: body.held.map(() => true) },
    ),
  ),
  falseRoot: plausible(context =>
    withBodies(context, body =>
      body.kind !== 'walked' || body.walk === null
        ? null
        : { ...body, walk: { ...body.walk, root: hash(context.random) } },
    ),
  ),
  endless: plausible(context =>
    withBodies(context, body =>
      body.kind !== 'items' || body.items.length === 0
        ? null
        : { ...body, items: body.items.map(item => ({ ...item, more: true })) },
    ),
  ),
  silent: plausible(() => []),
} as const satisfies Record<string, Lie>

export type LieKind = keyof typeof lies

function hash(random: Random): string {
  return Buffer.from(random.bytes(32)).toString('hex')
}

function later(stamp: string, ms: number): string {
  return stampOf(stampMs(stamp) + ms)
}

function withEnvelope({ frame }: LieContext, lie: Partial<Envelope>): Bytes[] {
  return [encodeFrame({ ...frame, envelope: { ...frame.envelope, ...lie } })]
}

function withBodies({ frame }: LieContext, change: (body: Body) => Body | null): Bytes[] | null {
  const bodies = frame.bodies.map(change)
  if (bodies.every(body => body === null)) return null
  return [encodeFrame({ ...frame, bodies: bodies.map((body, at) => body ?? frame.bodies[at]!) })]
}

/** Changes the facts of all bodies that carry some; system facts are let alone. */
function withFacts(context: LieContext, change: (fact: Fact) => Fact): Bytes[] | null {
  return withBodies(context, body => {
    const lie = <T extends { readonly fact: Fact }>(entry: T): T => ({
      ...entry,
      fact: change(entry.fact),
    })
    if (body.kind === 'adds') return { ...body, adds: body.adds.map(lie) }
    if (body.kind === 'relay') return { ...body, adds: body.adds.map(lie) }
    if (body.kind === 'facts') return { ...body, facts: body.facts.map(lie) }
    if (body.kind === 'offer') return { ...body, facts: body.facts.map(lie) }
    return null
  })
}

function withPayloads(context: LieContext): Bytes[] | null {
  const flip = (bytes: Bytes | null): Bytes | null => {
    if (bytes === null || bytes.length === 0) return bytes
    const wrong = new Uint8Array(bytes)
    wrong[context.random.int(0, wrong.length - 1)]! ^= 1
    return wrong
  }
  return withBodies(context, body => {
    if (body.kind === 'chunk') return { ...body, bytes: flip(body.bytes) }
    const lie = <T extends { readonly payload: Bytes | null }>(entry: T): T => ({
      ...entry,
      payload: flip(entry.payload),
    })
    if (body.kind === 'adds') return { ...body, adds: body.adds.map(lie) }
    if (body.kind === 'relay') return { ...body, adds: body.adds.map(lie) }
    if (body.kind === 'facts') return { ...body, facts: body.facts.map(lie) }
    if (body.kind === 'offer') return { ...body, facts: body.facts.map(lie) }
    return null
  })
}

/** One more fact in a batch of adds, of an honest member, that verifies and that nobody wrote. */
function withInvented(context: LieContext, parents: readonly string[]): Bytes[] | null {
  const { others, random } = context
  return withBodies(context, body => {
    const model = body.kind === 'adds' ? body.adds.at(-1) : undefined
    if (body.kind !== 'adds' || model === undefined) return null
    const blob = hash(random)
    context.invented(blob)
    const content = { ...model.fact, id: `made up/${random.int(0, 9)}`, blob, size: 100 }
    const dataHash = dataHashOf(content as Parameters<typeof dataHashOf>[0])
    const version = versionOf(content.id, parents, dataHash)
    const by = random.pick(others)
    const fact: Fact = { ...content, parents, dataHash, version, by, base: null }
    return { ...body, adds: [...body.adds, { ...model, fact, payload: null }] }
  })
}
