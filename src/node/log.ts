/**
 * Where a daemon's log goes: sentences for people on stderr, or one JSON object a line for
 * programs. The answer of a command is never mixed with it: that is stdout's.
 */
import pino from 'pino'
import type { Log, LogLevel } from './ports.ts'

const SHOWN: ReadonlySet<LogLevel> = new Set(['info', 'warn', 'error'])

/** Sentences with a time, on stderr. */
export const consoleLog: Log = (level, sentence, fields) => {
  if (!SHOWN.has(level)) return
  const time = new Date().toISOString().slice(11, 23)
  const details = Object.entries(fields ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
  process.stderr.write(
    `${time} ${level.padEnd(5)} ${sentence}${details === '' ? '' : `  ${details}`}\n`,
  )
}

let logger: pino.Logger | undefined

/** One JSON object a line, on stderr. */
export const jsonLog: Log = (level, sentence, fields) => {
  logger ??= pino({ level: 'info' }, pino.destination({ fd: 2, sync: true }))
  logger[level](fields ?? {}, sentence)
}

/** For short-lived uses of the network, whose outcome is told by an answer or an error. */
export const silentLog: Log = () => {}
