/**
 * Large payloads for tests: files of bytes that nothing can compress, made and hashed in pieces, and
 * what a process really holds in memory, as the kernel counts it.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

export const MiB = 1024 * 1024

/** Writes a file of `size` random bytes and answers its SHA-256. */
export function makeLargeFile(path: string, size: number): string {
  const hash = createHash('sha256')
  const file = openSync(path, 'w')
  for (let at = 0; at < size; ) {
    const piece = randomBytes(Math.min(4 * MiB, size - at))
    hash.update(piece)
    writeSync(file, piece)
    at += piece.length
  }
  closeSync(file)
  return hash.digest('hex')
}

/** SHA-256 of a file. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/**
 * Memory of a process in bytes: now, and the highest since it began or since `forgetPeak`. One that
 * has ended and was not collected yet holds none.
 */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0) * 1024
  return { now: field('VmRSS'), peak: field('VmHWM') }
}

/** From now on the kernel counts the process's peak anew. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
