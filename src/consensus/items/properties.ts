/**
 * Properties as a user gives them, brought into the one form that is hashed: lists sorted by bytes
 * without duplicates, metadata as it reads after deterministic CBOR (order of keys, no -0). Text is
 * taken as it is, never normalised: Unicode tables differ between machines.
 */
import { compareText, UTF8_BYTES_MAX, utf8 } from '../../base/bytes.ts'
import { decodeCbor, encodeCbor } from '../../base/cbor.ts'
import type { Json, Properties } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { parseId } from './id.ts'

/** Properties, or the sentence that says what is wrong with them. */
export type NormalisedProperties =
  | { readonly ok: true; readonly properties: Properties }
  | { readonly ok: false; readonly sentence: string }

/** The type of bytes of which nobody said more. */
export const DEFAULT_TYPE = 'application/octet-stream'

/** Checks and normalises what a user gave; what is absent gets its empty value. */
export function normaliseProperties(given: Partial<Properties>): NormalisedProperties {
  const tags = sortedUnique(given.tags ?? [])
  const dependsOn = sortedUnique(given.dependsOn ?? [])
  const properties = {
    type: given.type ?? DEFAULT_TYPE,
    tags,
    description: given.description ?? '',
    meta: given.meta ?? null,
    dependsOn,
  }
  const sentence = propertiesRefusal(properties)
  if (sentence !== undefined) return { ok: false, sentence }
  return { ok: true, properties: { ...properties, meta: canonicalJson(properties.meta) } }
}

/** Why properties cannot be those of a fact, or `undefined` when they can. */
export function propertiesRefusal(properties: Properties): string | undefined {
  const { type, tags, description, meta, dependsOn } = properties
  if (!isText(type, limits.typeBytesMax)) return tooLong('The media type', limits.typeBytesMax)
  if (!isText(description, limits.descriptionBytesMax)) {
    return tooLong('The description', limits.descriptionBytesMax)
  }
  if (tags.length > limits.tagsMax) return `There are more than ${limits.tagsMax} tags.`
  if (tags.some(tag => tag === '' || !isText(tag, limits.tagBytesMax))) {
    return tooLong('A tag is empty, or it', limits.tagBytesMax)
  }
  if (dependsOn.length > limits.dependsOnMax) {
    return `It depends on more than ${limits.dependsOnMax} items.`
  }
  if (!isSortedUnique(tags)) return 'The tags are not sorted without duplicates.'
  if (!isSortedUnique(dependsOn)) return 'The ids in dependsOn are not sorted without duplicates.'
  for (const id of dependsOn) {
    const parsed = parseId(id)
    if (!parsed.ok) return `In dependsOn: ${parsed.sentence}`
  }
  return metaRefusal(meta)
}

function tooLong(what: string, limitBytes: number): string {
  return `${what} is longer than ${limitBytes} bytes or not valid Unicode.`
}

function isText(text: unknown, limitBytes: number): boolean {
  if (typeof text !== 'string' || !text.isWellFormed()) return false
  return text.length * UTF8_BYTES_MAX <= limitBytes || utf8(text).length <= limitBytes
}

function sortedUnique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(compareText)
}

function isSortedUnique(texts: readonly string[]): boolean {
  return texts.every((text, at) => at === 0 || compareText(texts[at - 1]!, text) < 0)
}

function metaRefusal(meta: Json): string | undefined {
  if (meta === null) return undefined
  const sentence = jsonRefusal(meta, limits.metaDepthMax)
  if (sentence !== undefined) return sentence
  return encodeCbor(meta).length > limits.metaBytesMax
    ? `The metadata is longer than ${limits.metaBytesMax} bytes.`
    : undefined
}

/** Recursion is bounded by the depth that is left. */
function jsonRefusal(value: unknown, depthLeft: number): string | undefined {
  if (value === null || typeof value === 'boolean') return undefined
  if (typeof value === 'string') {
    return value.isWellFormed() ? undefined : 'The metadata holds a text that is not valid Unicode.'
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : 'The metadata holds a number that JSON cannot say.'
  }
  const isPlain =
    Array.isArray(value) ||
    (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value)))
  if (!isPlain) return 'The metadata holds something that JSON cannot say.'
  if (depthLeft === 0) return `The metadata is nested deeper than ${limits.metaDepthMax}.`
  const entries = Array.isArray(value) ? value : Object.entries(value).flat()
  for (const entry of entries) {
    const sentence = jsonRefusal(entry, depthLeft - 1)
    if (sentence !== undefined) return sentence
  }
  return undefined
}

function canonicalJson(meta: Json): Json {
  if (meta === null) return null
  return decodeCbor(encodeCbor(meta), limits.metaBytesMax, limits.metaDepthMax) as Json
}
