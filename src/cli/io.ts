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

/** Streams that take nothing more. `process.stdout` itself never counts as destroyed. */
const gone = new WeakMap<OutputStream, Error>()

/** Notes when a stream breaks, so that writing to it ends and the program can say why. */
export function guardOutput(stream: OutputStream): void {
  stream.on('error', error => gone.set(stream, error))
}

/** Whether the reader went away (veche ls | head) or the disk behind the stream is full. */
export function isGone(stream: OutputStream): boolean {
  return stream.destroyed || gone.has(stream)
}

/** Why a guarded stream broke; a reader that had enough is no failure. */
export function outputFailure(stream: OutputStream): Error | undefined {
  const error = gone.get(stream) as NodeJS.ErrnoException | undefined
  return error?.code === 'EPIPE' ? undefined : error
}

/** Writes a text and waits while the stream is full; does nothing when it is gone. */
export async function write(stream: OutputStream, text: string | Uint8Array): Promise<void> {
  if (isGone(stream) || stream.write(text)) return
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
