/**
 * A run as a file, so that what was shrunk can be repeated (`--replay FILE`): seed, world, clients
 * and the faults one by one. What does not read as such a file is refused with a sentence.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { PlantedBug } from '../src/consensus/agreement/state.ts'
import { UsageError } from './asked.ts'
import { type FaultKind, kinds } from './faults/families.ts'
import type { RunOptions } from './run.ts'
import type { Shrunk } from './shrink.ts'

const FORMAT = 1

/** Writes the run that was found. */
export function writeRun(path: string, { options, found, tried }: Shrunk): void {
  const { watch, stopAtFirst, planted, ...rest } = options
  const told = { format: FORMAT, found, tried, planted: [...(planted ?? [])], options: rest }
  writeFileSync(path, `${JSON.stringify(told, null, 2)}\n`)
}

/** Writes a run that is kept, and why. */
export function writeKept(path: string, options: RunOptions, reason: string): void {
  const { watch, stopAtFirst, planted, ...rest } = options
  const told = { format: FORMAT, reason, planted: [...(planted ?? [])], options: rest }
  writeFileSync(path, `${JSON.stringify(told, null, 2)}\n`)
}

/** Why a run is kept. */
export function readReason(path: string): string {
  const reason = parse(path)?.reason
  if (reason === undefined) throw new UsageError(`${path} does not say why it is kept`)
  return reason
}

/** Reads the run that a file tells. */
export function readRun(path: string): RunOptions {
  const told = parse(path)
  const options = told?.options
  if (told?.format !== FORMAT || options === undefined) {
    throw new UsageError(`${path} is no run of format ${FORMAT}`)
  }
  const strange = options.struck?.find(({ kind }) => !kinds.includes(kind))
  if (strange !== undefined) throw new UsageError(`${path}: no fault ${strange.kind}`)
  return { ...options, planted: new Set(told.planted) }
}

interface RunFile {
  readonly format: number
  /** Of a kept one. */
  readonly reason?: string
  readonly planted: readonly PlantedBug[]
  readonly options?: Omit<RunOptions, 'struck'> & {
    readonly struck?: readonly { readonly draw: number; readonly atMs: number; kind: FaultKind }[]
  }
}

function parse(path: string): RunFile | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunFile | null
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`)
  }
}
