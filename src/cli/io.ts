/**
 * Where the command line reads and prints. Commands get an `Io` and never touch `process`, so that
 * tests run them in their own process. Answers go to stdout, everything else to stderr.
 */
import type { Readable, Writable } from 'node:stream'
import { createColors } from 'picocolors'

/** A stream that may be a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** What `process` offers and commands may use. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
}

export type Colors = ReturnType<typeof createColors>

/** Colours only on a terminal, and not where NO_COLOR is set. */
export function colorsFor(stream: OutputStream, env: Io['env']): Colors {
  return createColors(stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb')
}

/** Writes a text and waits while the stream is full; a reader that went away is no error. */
export async function write(stream: OutputStream, text: string | Uint8Array): Promise<void> {
  if (stream.destroyed || stream.write(text)) return
  await new Promise<void>(resolve => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      stream.off('error', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
    stream.on('error', done)
  })
}
