/**
 * The history of one network of the lab, written down line by line as it happens, and counted: faults
 * by kind, operations by outcome. There is one tape for each network, and all clients write to it.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { FaultLine, Unplaced } from '../../sim/checker/format.ts'
import { Recorder } from '../../sim/checker/recorder.ts'

export interface Counts {
  readonly faults: Record<string, number>
  readonly operations: { done: number; refused: number; unknown: number }
  /** Bytes that clients handed in. */
  bytes: number
}

type Fault = Pick<FaultLine, 'fault' | 'scope' | 'phase' | 'mark' | 'destroyed'>

export class Tape {
  readonly path: string
  readonly counts: Counts = {
    faults: {},
    operations: { done: 0, refused: 0, unknown: 0 },
    bytes: 0,
  }
  readonly #file: number
  readonly #recorder: Recorder
  #marks = 0

  constructor(path: string) {
    this.path = path
    this.#file = openSync(path, 'w')
    const begin = performance.now()
    const nowMs = () => Math.floor(performance.now() - begin)
    this.#recorder = new Recorder(nowMs, line => writeSync(this.#file, line))
  }

  write(line: Unplaced): void {
    const { operations } = this.counts
    if (line.kind === 'invoke') this.counts.bytes += line.size
    if (line.kind === 'done' || line.kind === 'refused' || line.kind === 'unknown') {
      operations[line.kind] += 1
    }
    this.#recorder.write(line)
  }

  /** A fault of one moment; `destroyed` lose by it what they held durably. */
  once(fault: string, scope: readonly string[], destroyed: readonly string[] = []): void {
    this.#fault({ fault, scope, phase: 'once', mark: this.#mark(), destroyed })
  }

  /** A fault begins; answers what to call when it has ended. */
  lasting(fault: string, scope: readonly string[]): () => void {
    const mark = this.#mark()
    this.#fault({ fault, scope, phase: 'start', mark, destroyed: [] })
    return () => this.#fault({ fault, scope, phase: 'stop', mark, destroyed: [] })
  }

  close(): void {
    closeSync(this.#file)
  }

  #mark(): number {
    this.#marks += 1
    return this.#marks
  }

  #fault(told: Fault): void {
    const { faults } = this.counts
    if (told.phase !== 'stop') faults[told.fault] = (faults[told.fault] ?? 0) + 1
    this.write({ kind: 'fault', ...told })
  }
}
