/**
 * A second copy, in a file of its own, of the few records that no other member could give back: who
 * this member is, the key of its network, where it listens, and its vote. LevelDB has each of them
 * once; with that one place damaged the member would be lost with all that only it holds.
 *
 * The records of the database are what counts. The copy is written after them, and read only where
 * one of them is gone or damaged; it never brings back what was removed, for these never are. A copy
 * that cannot be written is told and stops nobody.
 */
import { readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { type Bytes, fromHex, toHex } from '../base/bytes.ts'
import { isAbsent, replaceFile } from './files.ts'
import { keys } from './keys.ts'
import type { Database } from './level-table.ts'
import type { Op } from './overlay.ts'
import { seal, unseal } from './records.ts'
import { type Damage, LASTING_META_KEYS, type Write } from './store.ts'

const FORMAT = 1

/** What a look at both places found, and what puts it right in the database. */
export interface LastingLook {
  readonly damages: readonly Damage[]
  readonly repairs: readonly Op[]
}

/** The second copy of an open store. */
export class Lasting {
  readonly #path: string
  readonly #onFailure: (error: Error) => void
  readonly #records = new Map<string, Bytes>()
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string, onFailure: (error: Error) => void) {
    this.#path = path
    this.#onFailure = onFailure
  }

  /** Holds both places against each other; the file is right when this is done. */
  async look(db: Database): Promise<LastingLook> {
    const file = await readCopy(this.#path)
    const damages: Damage[] = []
    const repairs: Op[] = []
    if (file === 'damaged') damages.push(damageOf('The second copy of the identity was damaged'))
    const copy = file instanceof Map ? file : new Map<string, Bytes>()
    for (const name of LASTING_META_KEYS) {
      const key = keys.meta(name)
      const record = await db.get(key)
      const found = record === undefined ? undefined : unseal(key, record)
      const known = found ?? copy.get(name) ?? this.#records.get(name)
      if (known === undefined) continue
      this.#records.set(name, known)
      if (found !== undefined) continue
      repairs.push({ type: 'put', key, value: seal(key, known) })
      damages.push(damageOf(`The record ${name} was lost or damaged`))
    }
    if (copyText(this.#records) !== copyText(copy)) await this.#write()
    return { damages, repairs }
  }

  /** Follows a batch that is durable. */
  async follow(batch: readonly Write[]): Promise<void> {
    let isChanged = false
    for (const write of batch) {
      if (write.kind !== 'meta' || write.value === null) continue
      if (!LASTING_META_KEYS.includes(write.key)) continue
      this.#records.set(write.key, write.value)
      isChanged = true
    }
    if (isChanged) await this.#write()
  }

  /** One writing at a time, each with what is newest when its turn comes. */
  #write(): Promise<void> {
    this.#writing = this.#writing
      .then(() => replaceFile(this.#path, copyText(this.#records)))
      .catch((error: unknown) => {
        this.#onFailure(error instanceof Error ? error : new Error(String(error)))
      })
    return this.#writing
  }
}

function damageOf(what: string): Damage {
  return { what: 'index', sentence: `${what} and was written anew from its other copy.` }
}

/** One line: a checksum and the records by name, in the order of the list. */
function copyText(records: ReadonlyMap<string, Bytes>): string {
  const kept = LASTING_META_KEYS.flatMap(name => {
    const record = records.get(name)
    return record === undefined ? [] : [[name, toHex(record)] as const]
  })
  const text = JSON.stringify({ format: FORMAT, records: kept })
  return `${checksum(text)} ${text}\n`
}

async function readCopy(path: string): Promise<Map<string, Bytes> | 'absent' | 'damaged'> {
  let content: string
  try {
    content = await readFile(path, 'latin1')
  } catch (error) {
    if (isAbsent(error)) return 'absent'
    throw error
  }
  const text = content.slice(9, -1)
  if (content.slice(0, 9) !== `${checksum(text)} `) return 'damaged'
  // Ours: its checksum is right.
  const read = JSON.parse(text) as { format: number; records: readonly [string, string][] }
  if (read.format !== FORMAT) return 'damaged'
  return new Map(read.records.map(([name, hex]) => [name, fromHex(hex)!]))
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
