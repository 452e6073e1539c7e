/**
 * What a bad disk does to the files of a closed store: a copy of a folder with one bit flipped, one
 * file cut or one file gone.
 */
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A copy of a folder. */
export async function copyOf(folder: string, to: string): Promise<string> {
  await cp(folder, to, { recursive: true, force: true })
  return to
}

/** Files of a folder whose names end so, the largest first, with their paths. */
export async function filesEnding(folder: string, end: string): Promise<string[]> {
  const paths = (await readdir(folder)).filter(name => name.endsWith(end)).map(n => join(folder, n))
  const sized = await Promise.all(
    paths.map(async path => ({ path, size: (await stat(path)).size })),
  )
  return sized.sort((a, b) => b.size - a.size).map(({ path }) => path)
}

/** Flips one bit at a part (0 to 1) of a file. */
export async function flipBit(path: string, part: number, bit = 3): Promise<void> {
  const bytes = await readFile(path)
  const at = Math.min(bytes.length - 1, Math.floor(bytes.length * part))
  bytes[at]! ^= 1 << bit
  await writeFile(path, bytes)
}

/** Keeps the first part (0 to 1) of a file. */
export async function cutFile(path: string, part: number): Promise<void> {
  await truncate(path, Math.floor((await stat(path)).size * part))
}

export async function removeFile(path: string): Promise<void> {
  await rm(path)
}
