/**
 * Texts to store: 1,024 characters that hardly compress, another one for each id and version, made
 * without cost for the client that shares the machine.
 */
import { randomBytes } from 'node:crypto'

export const TEXT_BYTES = 1024

const pool = randomBytes(768 * 1024).toString('base64')

/** The text of an id in one of its versions. */
export function textOf(id: string, version = 0): string {
  let hash = 2166136261 ^ version
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619)
  const head = `${id}#${version}#`
  const from = (hash >>> 0) % (pool.length - TEXT_BYTES)
  return head + pool.slice(from, from + TEXT_BYTES - head.length)
}
