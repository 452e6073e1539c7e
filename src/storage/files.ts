/**
 * The few things about files that durability depends on: a file replaced whole or not at all, and a
 * folder whose entries are on the disk. A rename is durable only when its folder was fsync'd.
 */
import { writeSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes the entries of a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  await syncFile(folder)
}

/** Makes the content of a file durable. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder, and its place in the folder above durable. */
export async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true })
  if (made !== undefined) await syncFolder(dirname(made))
}

/** Writes a file under a temporary name, fsyncs it and puts it in the place of the old one. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

/** Writes all bytes at a place of a file. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
}

/** Writes several pieces, one after the other, from a place of a file on. */
export async function writeAllOf(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  at: number,
): Promise<void> {
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return await writeAll(file, only, at)
  let { bytesWritten: done } = await file.writev(pieces as Uint8Array[], at)
  let from = 0
  for (const piece of pieces) {
    // A full disk takes a part: the rest is tried as it is, and the error told.
    const isPart = done < from + piece.length
    if (isPart)
      await writeAll(file, piece.subarray(Math.max(0, done - from)), at + Math.max(done, from))
    from += piece.length
    if (isPart) done = from
  }
}

/** The same at once, for a few bytes into the page cache. */
export function writeAllNow(file: FileHandle, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file.fd, bytes, done, bytes.length - done, at + done)
}

/** Whether an error says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
