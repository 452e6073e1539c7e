/**
 * What one kind of body is on the wire: a list that begins with its tag. A tag is never used for
 * anything else later; a body that changes its shape comes with a new protocol version.
 */
import type { CborValue } from '../base/cbor.ts'
import type { Body } from '../consensus/messages.ts'

/** Writes and reads one kind of body. */
export interface BodyCodec<B> {
  /** First value of the list; unique among all bodies. */
  readonly tag: number
  /** Values in the list, the tag included. */
  readonly length: number
  /** The values after the tag. */
  write(body: B): readonly CborValue[]
  /** The body of a list of exactly `length` values; throws `DecodeError`. */
  read(field: readonly unknown[]): B
}

/** The body of one kind. */
export type BodyOf<K extends Body['kind']> = Extract<Body, { readonly kind: K }>

/** A codec for each of the kinds named. */
export type Codecs<K extends Body['kind']> = { readonly [Kind in K]: BodyCodec<BodyOf<Kind>> }
