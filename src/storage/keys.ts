/**
 * Keys of the records in LevelDB. A key is a text: one letter for its table, then a name. Byte order
 * of keys is the order of ids, places and hashes within a table, so every range is one read.
 *
 *   f id NUL version   a fact with its state           w blob    size of a wanted payload
 *   i id               an item's summary               h blob    size of a payload kept as a file
 *   x idHash           id (index)                      p blob    a small payload itself
 *   q order            a pending fact's name           e number  an event
 *   l to NUL from      a back-link                     m name    a small named record
 *   g number           what a group of batches promised (see opening.ts)
 *
 * No id holds a NUL (consensus/items/id.ts), so a NUL ends an id unambiguously. Numbers are 14 hex
 * digits, enough for 2^53. Hashes have 43 characters (hash-text.ts).
 */
import type { FactRef, ItemId } from '../base/fact.ts'
import type { Hash } from '../base/hash.ts'
import { HASH_TEXT_LENGTH, hashOfText, isHashText, textOfHash } from './hash-text.ts'
import type { Damage } from './store.ts'

/** The letter of a table. */
export type Table = 'e' | 'f' | 'g' | 'h' | 'i' | 'l' | 'm' | 'p' | 'q' | 'w' | 'x'

/** A half-open range of keys. */
export interface Range {
  readonly from: string
  readonly until: string
}

const HASH_DIGITS = 64
const NUMBER_DIGITS = 14
const NUMBER = /^[0-9a-f]{14}$/

/** The key of each kind of record. */
export const keys = {
  fact: ({ id, version }: FactRef): string => `f${id}\u0000${textOfHash(version)}`,
  item: (id: ItemId): string => `i${id}`,
  idHash: (idHash: Hash): string => `x${textOfHash(idHash)}`,
  pending: (order: number): string => `q${numberText(order)}`,
  wanted: (blob: Hash): string => `w${textOfHash(blob)}`,
  have: (blob: Hash): string => `h${textOfHash(blob)}`,
  payload: (blob: Hash): string => `p${textOfHash(blob)}`,
  link: (from: ItemId, to: ItemId): string => `l${to}\u0000${from}`,
  event: (sequence: number): string => `e${numberText(sequence)}`,
  meta: (name: string): string => `m${name}`,
  group: (group: number): string => `g${numberText(group)}`,
} as const

/** All keys of a table. */
export function tableRange(table: Table): Range {
  return { from: table, until: String.fromCharCode(table.charCodeAt(0) + 1) }
}

/** All keys of a table above (and without) a name; the whole table for `null`. */
export function rangeAfter(table: Table, key: string | null): Range {
  const { from, until } = tableRange(table)
  return { from: key === null ? from : `${key}\u0000`, until }
}

/** The facts of one item. */
export function factsRange(id: ItemId): Range {
  return { from: `f${id}\u0000`, until: `f${id}\u0001` }
}

/** The payloads kept as files whose hashes begin with some hexadecimal digits. */
export function filesRange(prefix: string): Range {
  const last = keys.have(prefix.padEnd(HASH_DIGITS, 'f'))
  return { from: keys.have(prefix.padEnd(HASH_DIGITS, '0')), until: `${last}\u0000` }
}

/** The back-links of one item. */
export function linksRange(to: ItemId): Range {
  return { from: `l${to}\u0000`, until: `l${to}\u0001` }
}

/** The fact that a key names, or `undefined` when it names none (a damaged key). */
export function factOfKey(key: string): FactRef | undefined {
  const at = key.length - HASH_TEXT_LENGTH
  if (at < 2 || key[at - 1] !== '\u0000' || !isHashText(key.slice(at))) return undefined
  return { id: key.slice(1, at - 1), version: hashOfText(key.slice(at)) }
}

/**
 * Whether a key has the form of its table. One that has not was written by nobody: a bit of it was
 * flipped, and what it once named is known from elsewhere, or lost.
 */
export function isKey(key: string): boolean {
  const name = nameOfKey(key)
  switch (key[0]) {
    case 'e':
    case 'g':
    case 'q':
      return NUMBER.test(name)
    case 'h':
    case 'p':
    case 'w':
    case 'x':
      return isHashText(name)
    case 'f': {
      const ref = factOfKey(key)
      return ref !== undefined && isName(ref.id)
    }
    case 'l': {
      const parts = name.split('\u0000')
      return parts.length === 2 && parts.every(isName)
    }
    case 'i':
    case 'm':
      return isName(name)
    default:
      return false
  }
}

function isName(name: string): boolean {
  return name !== '' && !name.includes('\u0000')
}

/** The number that a key of events, groups or the queue names. */
export function numberOfKey(key: string): number {
  return Number.parseInt(key.slice(1), 16)
}

/** The hash that a key of payloads or of the index names; one that fails `isKey` names none. */
export function hashOfKey(key: string): Hash {
  return hashOfText(nameOfKey(key))
}

/** The name behind the letter. */
export function nameOfKey(key: string): string {
  return key.slice(1)
}

/** The item that a back-link comes from. */
export function linkSource(key: string): ItemId {
  return key.slice(key.indexOf('\u0000') + 1)
}

/** What is damaged when the record of this key is. */
export function damageOfKey(key: string): Damage {
  const name = nameOfKey(key)
  switch (key[0]) {
    case 'f': {
      const ref = factOfKey(key)
      if (ref === undefined) break
      const sentence = `The record of version ${ref.version} of ${ref.id} is damaged and not shown.`
      return { what: 'fact', ...ref, sentence }
    }
    case 'i':
      return {
        what: 'item',
        id: name,
        sentence: `The summary of ${name} is damaged and not shown.`,
      }
    case 'p': {
      if (!isHashText(name)) break
      const blob = hashOfText(name)
      return { what: 'payload', blob, sentence: `The payload ${blob} is damaged.` }
    }
  }
  return { what: 'index', sentence: `The record ${JSON.stringify(key)} is damaged and left out.` }
}

function numberText(value: number): string {
  return value.toString(16).padStart(NUMBER_DIGITS, '0')
}
