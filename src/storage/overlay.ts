/**
 * The writes that LevelDB does not have for certain: handed in, and not durable yet. Reads look
 * here first, so that they see every batch that was handed in before them.
 *
 * A write leaves the overlay when its group is durable, unless a later one for the same key has
 * taken its place. Between the two both places say the same, so the order of looking never matters.
 */
import { type Bytes, compareText } from '../base/bytes.ts'
import type { Range } from './keys.ts'

/** One write of a batch for LevelDB; values are sealed. */
export type Op =
  | { readonly type: 'put'; readonly key: string; readonly value: Bytes }
  | { readonly type: 'del'; readonly key: string }

/** The writes on their way, by key. */
export class Overlay {
  /** One map a table (the first letter of a key), so that a range looks at its own table only. */
  readonly #tables = new Map<string, Map<string, Op>>()

  stage(ops: readonly Op[]): void {
    for (const op of ops) {
      const letter = op.key[0]!
      const table = this.#tables.get(letter) ?? new Map<string, Op>()
      this.#tables.set(letter, table)
      table.set(op.key, op)
    }
  }

  /** The group of these writes is durable. */
  land(ops: readonly Op[]): void {
    for (const op of ops) {
      const table = this.#tables.get(op.key[0]!)
      if (table?.get(op.key) === op) table.delete(op.key)
    }
  }

  get(key: string): Op | undefined {
    return this.#tables.get(key[0]!)?.get(key)
  }

  /** The writes of a range, in the order of their keys. */
  range({ from, until }: Range): Op[] {
    const table = this.#tables.get(from[0]!)
    if (table === undefined || table.size === 0) return []
    const found: Op[] = []
    for (const op of table.values()) {
      if (compareText(op.key, from) >= 0 && compareText(op.key, until) < 0) found.push(op)
    }
    return found.sort((a, b) => compareText(a.key, b.key))
  }
}

/** Rows of LevelDB with the writes of the overlay laid over them; both in the order of keys. */
export function mergeRows(rows: readonly Row[], staged: readonly Op[]): Row[] {
  if (staged.length === 0) return rows as Row[]
  const merged: Row[] = []
  let at = 0
  for (const op of staged) {
    while (at < rows.length && compareText(rows[at]![0], op.key) < 0) merged.push(rows[at++]!)
    if (at < rows.length && rows[at]![0] === op.key) at++
    if (op.type === 'put') merged.push([op.key, op.value])
  }
  merged.push(...rows.slice(at))
  return merged
}

/** A key and its record. */
export type Row = readonly [string, Bytes]
