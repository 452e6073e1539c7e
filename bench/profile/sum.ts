/**
 * Sums a profile as V8 writes it (`--cpu-prof`) over a stretch of time: microseconds of each stage
 * and of each function, itself alone. Pure.
 */
import { type CallFrame, lastAfter, placeOf, type Stage } from './stages.ts'

/** A .cpuprofile; times are microseconds of the monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: CallFrame
    readonly children?: readonly number[]
  }[]
  readonly startTime: number
  readonly samples: readonly number[]
  /** Before each sample. */
  readonly timeDeltas: readonly number[]
}

export interface Summed {
  readonly stages: ReadonlyMap<Stage, number>
  /** By name, file and line. */
  readonly functions: ReadonlyMap<string, number>
  readonly totalUs: number
}

/** What the samples of [fromUs, untilUs) say; a sample stands for the time until the next one. */
export function sumProfile(profile: CpuProfile, fromUs: number, untilUs: number): Summed {
  const stageOf = stagesOfNodes(profile)
  const frameOf = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const stages = new Map<Stage, number>()
  const functions = new Map<string, number>()
  let totalUs = 0
  let atUs = profile.startTime
  for (const [index, id] of profile.samples.entries()) {
    atUs += profile.timeDeltas[index] ?? 0
    const lastsUs = Math.max(0, profile.timeDeltas[index + 1] ?? 0)
    if (atUs < fromUs || atUs >= untilUs) continue
    const stage = stageOf.get(id) ?? 'Node itself'
    stages.set(stage, (stages.get(stage) ?? 0) + lastsUs)
    const name = nameOf(frameOf.get(id)!)
    functions.set(name, (functions.get(name) ?? 0) + lastsUs)
    totalUs += lastsUs
  }
  return { stages, functions, totalUs }
}

/** The stage of each node: its own, or that of the nearest caller that has one. */
function stagesOfNodes({ nodes }: CpuProfile): Map<number, Stage> {
  const parents = new Map<number, number>()
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id)
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  const stageOf = new Map<number, Stage>()
  for (const { id } of nodes) {
    let weak: Stage | undefined
    let found: Stage | undefined
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const place = places.get(at)
      if (place == null) continue
      if (!place.isWeak) {
        found = place.stage
        break
      }
      weak ??= place.stage
    }
    stageOf.set(id, found ?? weak ?? 'Node itself')
  }
  return stageOf
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const short = lastAfter(url, '/node_modules/') ?? lastAfter(url, '/dist/') ?? url
  return `${name}  ${short}:${lineNumber + 1}`
}
