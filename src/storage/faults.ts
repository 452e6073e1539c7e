/**
 * What an operating system or LevelDB says when it refuses, as one error with a stable code and a
 * sentence that names the folder and the next step. Codes are read first; texts only where LevelDB
 * gives nothing else.
 */
import { isVecheError, VecheError } from '../base/veche-error.ts'

/** Codes and texts of an error and of all its causes. */
function signsOf(error: unknown): { readonly codes: string[]; readonly text: string } {
  const codes: string[] = []
  const texts: string[] = []
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    texts.push(at.message)
    if ('code' in at && typeof at.code === 'string') codes.push(at.code)
  }
  return { codes, text: texts.join(' | ') }
}

/** Whether LevelDB says that another process, or this one, holds the database. */
export function isLocked(error: unknown): boolean {
  return signsOf(error).codes.includes('LEVEL_LOCKED')
}

/** Whether LevelDB says that its files are damaged, or that they are not there. */
export function isCorruption(error: unknown): boolean {
  const { codes, text } = signsOf(error)
  return (
    codes.includes('LEVEL_CORRUPTION') ||
    /corruption|bad magic|checksum|truncated|does not exist|no such file|invalid argument/i.test(
      text,
    )
  )
}

/** The error to give away for a fault met in a folder. */
export function storeFault(folder: string, error: unknown): VecheError {
  if (isVecheError(error)) return error
  const { codes, text } = signsOf(error)
  const has = (...names: string[]): boolean => names.some(name => codes.includes(name))
  if (has('ENOSPC', 'EDQUOT') || /no space left|quota exceeded/i.test(text)) {
    const sentence = `The disk of ${folder} is full: free some space, then start again.`
    return new VecheError('DISK_FULL', sentence, { folder }, error)
  }
  if (has('EACCES', 'EPERM', 'EROFS') || /permission denied|read-only file system/i.test(text)) {
    const sentence =
      `The operating system refuses access to ${folder}: ` +
      'give the user who runs Veche the right to read and write it.'
    return new VecheError('NO_PERMISSION', sentence, { folder }, error)
  }
  if (isCorruption(error)) return damagedStore(folder, text, error)
  const sentence = `The disk of ${folder} failed (${text}): look at it, then start again.`
  return new VecheError('INTERNAL', sentence, { folder }, error)
}

/** The refusal of a store of which too little is left to open it. */
export function damagedStore(folder: string, why: string, cause?: unknown): VecheError {
  const sentence =
    `The files of the store ${folder} are damaged (${why}): restore a backup, ` +
    'or begin with an empty folder and join again; the others will refill it.'
  return new VecheError('DAMAGED', sentence, { folder }, cause)
}

/** LevelDB did not come back as it was when a store that rests opened it anew. */
export function notReopened(folder: string, error: unknown): VecheError {
  if (!isCorruption(error)) return storeFault(folder, error)
  const sentence =
    `The files of the store ${folder} changed or were damaged while it was open ` +
    `(${signsOf(error).text}): start again, then it is looked through and mended.`
  return new VecheError('DAMAGED', sentence, { folder }, error)
}

/** The folder of an open store is not there any more. */
export function goneFolder(folder: string, cause: unknown): VecheError {
  const sentence =
    `The folder of the store ${folder} is gone or cannot be looked at: put it back, or mount ` +
    'its disk, then start again.'
  return new VecheError('DAMAGED', sentence, { folder }, cause)
}

/** Less is free than a store leaves to others. */
export function diskFull(): Error {
  return Object.assign(new Error('less than the reserve is free'), { code: 'ENOSPC' })
}
