/**
 * What a disk has after a crash, as the store on a real one would find it (docs/disk.md).
 *
 * LevelDB's log only grows, and each group of batches is one record in it, synced before the next:
 * so one group at most is unsynced, and is there whole or not at all (a torn record is not read).
 * A payload's file may be in its place or not, whatever became of the log. Of one that is being
 * fetched nothing is synced: without power its end may be missing, or zeros; its hash tells. Nor
 * are the journal's lines: the last ones may be gone, and a shorter journal only says less. A killed
 * process leaves all that it wrote.
 */
import { type Bytes, concatBytes } from '../src/base/bytes.ts'
import type { MemoryImage } from '../src/storage/memory-image.ts'
import type { MemoryStore } from '../src/storage/memory-store.ts'
import type { Random } from './random.ts'

export type DiskImage = MemoryImage

/** The disk as the next opening finds it, and how many batches are gone. */
export function afterCrash(
  store: MemoryStore,
  how: 'kill' | 'power',
  random: Random,
): { readonly image: DiskImage; readonly lost: number } {
  const { inFlight, placing, journal } = store.unsynced
  const survivors = random.chance(0.5) ? inFlight : 0
  const image = store.image(survivors)
  for (const [blob, bytes] of placing) {
    if (random.chance(0.5)) continue
    image.tables.payloads.set(blob, bytes)
    image.partial.delete(blob)
  }
  const lost = store.undurable - survivors
  if (how === 'kill') return { image, lost }
  for (const [blob, pieces] of image.partial) image.partial.set(blob, torn(pieces, random))
  const line = journal[random.int(0, journal.length - 1)]!
  return { image: { ...image, journal: line.tally, lastCut: line.cut }, lost }
}

/** A file of which nothing was synced: some of its beginning, and perhaps zeros for the rest. */
function torn(pieces: readonly Bytes[], random: Random): Bytes[] {
  const whole = concatBytes(pieces)
  const kept = random.int(0, whole.length)
  if (random.chance(0.5)) return [whole.slice(0, kept)]
  const zeros = new Uint8Array(whole.length)
  zeros.set(whole.subarray(0, kept))
  return [zeros]
}
