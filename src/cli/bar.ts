/**
 * A progress bar on stderr for whatever takes over a second, on a terminal alone. A quick command
 * shows nothing; the bar is gone when the answer is printed.
 */
import { SingleBar } from 'cli-progress'
import type { Io } from './io.ts'
import { bytes, count } from './text.ts'

const SHOW_AFTER_MS = 1000

export interface Bar {
  /** `of` is `null` while unknown. */
  update(step: { readonly done: number; readonly of: number | null; readonly phase: string }): void
  end(): void
}

/** A bar in the given unit. */
export function startBar(io: Io, unit: 'bytes' | 'count'): Bar {
  if (io.stderr.isTTY !== true) return { update: () => undefined, end: () => undefined }
  const amount = unit === 'bytes' ? bytes : count
  const beganMs = performance.now()
  let bar: SingleBar | undefined
  return {
    update({ done, of, phase }) {
      if (performance.now() - beganMs < SHOW_AFTER_MS) return
      if (bar === undefined) {
        bar = new SingleBar({
          stream: io.stderr as NodeJS.WriteStream,
          format: '{phase} {bar} {text}',
          barsize: 28,
          barCompleteChar: '━',
          barIncompleteChar: '─',
          hideCursor: true,
          clearOnComplete: true,
        })
        bar.start(of ?? 1, 0, { phase, text: '' })
      }
      bar.setTotal(of ?? Math.max(1, done * 2))
      bar.update(done, {
        phase,
        text: of === null ? amount(done) : `${amount(done)} of ${amount(of)}`,
      })
    },
    end: () => bar?.stop(),
  }
}
