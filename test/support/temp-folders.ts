/**
 * Folders of a test under the system's temporary folder, removed when it is over.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolders {
  /** A new, empty folder. */
  make(): Promise<string>
  /** Removes all that were made. */
  remove(): Promise<void>
}

export function tempFolders(): TempFolders {
  const made: string[] = []
  return {
    async make() {
      const folder = await mkdtemp(join(tmpdir(), 'veche-test-'))
      made.push(folder)
      return folder
    },
    async remove() {
      for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true })
    },
  }
}
