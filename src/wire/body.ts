/**
 * Bodies as bytes: every kind's codec in one table that the compiler keeps complete, and the way
 * back from tags. An unknown tag is refused: members agree on what can be said by the protocol
 * version, not by guessing.
 */
import type { Bytes } from '../base/bytes.ts'
import { encodeCbor } from '../base/cbor.ts'
import { asTuple, refuse } from '../base/cbor-read.ts'
import type { Body } from '../consensus/messages.ts'
import { addingCodecs } from './adding-bodies.ts'
import type { BodyCodec, Codecs } from './body-codec.ts'
import { comparingCodecs } from './comparing-bodies.ts'
import { fetchingCodecs } from './fetching-bodies.ts'
import { presenceCodecs } from './presence-bodies.ts'
import { rosterCodecs } from './roster-bodies.ts'

const codecs: Codecs<Body['kind']> = {
  ...presenceCodecs,
  ...addingCodecs,
  ...fetchingCodecs,
  ...comparingCodecs,
  ...rosterCodecs,
}

const kindOfTag: ReadonlyMap<unknown, Body['kind']> = new Map(
  Object.entries(codecs).map(([kind, codec]) => [codec.tag, kind as Body['kind']]),
)

/** The bytes of one body, for `sealFrame`. */
export function encodeBody(body: Body): Bytes {
  // the table pairs each kind with its own codec, which the compiler cannot follow through a union
  const codec = codecs[body.kind] as BodyCodec<Body>
  return encodeCbor([codec.tag, ...codec.write(body)])
}

/** The body of a decoded value; throws `DecodeError`. */
export function readBody(value: unknown): Body {
  if (!Array.isArray(value)) refuse('a body is no list')
  const kind = kindOfTag.get(value[0])
  if (kind === undefined) refuse('a body of an unknown kind')
  const codec = codecs[kind]
  return codec.read(asTuple(value, codec.length, `a body of the kind ${kind}`))
}
