/**
 * What a command line can get wrong before anything is asked of a member: exit code 2, always with
 * a sentence. And the small languages of its arguments: ids, times, durations, sizes.
 */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The command was called wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The store's folder: the option, `VECHE_STORE`, or a folder among the user's data. */
export function storeFolder(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const chosen = option ?? env.VECHE_STORE
  if (chosen === '') throw new UsageError('The store is an empty text: name a folder.')
  if (chosen !== undefined) return resolve(chosen)
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'veche')
}

/**
 * An id as people type it, in the form of the socket: a tilde is a letter like any other, except
 * for `~3` or `~3~a` at the very end, which names an item of a split. `~~` is a tilde, always.
 */
export function idOf(argument: string): string {
  let id = ''
  for (let at = 0; at < argument.length; ) {
    const rest = argument.slice(at)
    if (rest.startsWith('~~')) {
      id += '~~'
      at += 2
    } else if (/^(~[0-9a-f])+$/.test(rest)) {
      return id + rest
    } else {
      id += rest[0] === '~' ? '~~' : rest[0]
      at += 1
    }
  }
  return id
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `90s`, `15m`, `2h`, `7d` in milliseconds. */
export function durationOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (match === null)
    throw new UsageError(`"${text}" is no duration: write for example 30s, 15m, 2h or 7d.`)
  return Math.round(Number(match[1]) * unitMs[match[2]!]!)
}

/** A time in milliseconds: ISO 8601, milliseconds since 1970, or how long ago (`2h`). */
export function timeOf(text: string, nowMs: number): number {
  if (/^\d{11,}$/.test(text)) return Number(text)
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text)) return nowMs - durationOf(text)
  const ms = Date.parse(text)
  if (Number.isNaN(ms))
    throw new UsageError(
      `"${text}" is no time: write for example 2026-03-01T12:00, 2026-03-01 or 2h (ago).`,
    )
  return ms
}

/** A whole number within bounds. */
export function countOf(text: string, name: string, min: number, max: number): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < min || count > max)
    throw new UsageError(`${name} must be a whole number from ${min} to ${max}.`)
  return count
}

/** Which majority counts. */
export function quorumOf(text: string): 'visible' | 'roster' {
  if (text === 'visible' || text === 'roster') return text
  throw new UsageError('The quorum must be "visible" or "roster".')
}

/** JSON of an option. */
export function jsonOf(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${name} must be JSON: ${(error as Error).message}`)
  }
}
