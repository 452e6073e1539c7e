/**
 * A store's folder is its owner's alone: the network key and the member's private key lie in it, in
 * files that LevelDB makes readable to all. A folder that somebody made beforehand has the modes
 * that it happened to get, so it is closed here.
 *
 * Invariant: no key is ever written into a folder of another user, who would keep the right to it.
 */
import { chmod, stat } from 'node:fs/promises'
import { VecheError } from '../base/veche-error.ts'
import type { Log } from './ports.ts'

const OTHERS = 0o077
const OWNER_ONLY = 0o700

/** Closes an empty folder in which a store will be made. Throws NO_PERMISSION for a foreign one. */
export async function takeFolder(folder: string): Promise<void> {
  const { uid, mode } = await stat(folder)
  if (process.getuid !== undefined && uid !== process.getuid()) {
    const sentence = `${folder} belongs to another user, who could read the keys in it: choose another folder.`
    throw new VecheError('NO_PERMISSION', sentence, { folder })
  }
  if ((mode & OTHERS) !== 0) await chmod(folder, OWNER_ONLY)
}

/** Closes the folder of a store that is opened, where it is ours; tells what was or stays open. */
export async function closeFolder(folder: string, log: Log): Promise<void> {
  const { uid, mode } = await stat(folder)
  if (process.platform === 'win32' || (mode & OTHERS) === 0) return
  if (uid !== process.getuid?.()) {
    log('warn', 'Other users may open the folder of this store: it holds keys.', { folder })
    return
  }
  await chmod(folder, OWNER_ONLY)
  log('warn', 'Other users could open the folder of this store: it is closed to them now.', {
    folder,
  })
}
