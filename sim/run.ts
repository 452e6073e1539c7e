/**
 * One run of one seed: a swarm of faults over members under load (the safety phase), then all is
 * healed and they must come together (the liveness phase), then everything is looked at once more.
 */
import type { PlantedBug, Quorum } from '../src/consensus/agreement/state.ts'
import { Answers } from './answers.ts'
import type { Answer } from './checker/report.ts'
import { checkEnding } from './ending.ts'
import { SLOWEST_RATE } from './faults/clock-faults.ts'
import type { FaultKind } from './faults/families.ts'
import { Faults, type Struck } from './faults/faults.ts'
import { applySwarm, cutInTwo, drawSwarm, healAll, isCalm, type Swarm } from './faults/swarm.ts'
import type { History, OutcomeCounts } from './history.ts'
import { dumpAll, judge } from './history-judge.ts'
import type { Lines } from './history-lines.ts'
import { boundsOf, HistoryRecorder, slowestRate } from './history-recorder.ts'
import { Holes } from './holes.ts'
import { checkVerified, drawLiar, Liar } from './liar.ts'
import type { LieKind } from './liar-lies.ts'
import { type MarkName, Marks } from './marks.ts'
import { Monitor } from './monitor.ts'
import type { Random } from './random.ts'
import { areAllIn, areApart, isSettled, takingPart, whyUnsettled } from './settled.ts'
import { Verdict, type Violation } from './verdict.ts'
import { type Load, USUAL_LOAD, Workload } from './workload.ts'
import { type Watcher, World } from './world.ts'

export interface RunOptions {
  readonly seed: number | string
  readonly members: number
  /** Of the phase with faults. */
  readonly seconds: number
  readonly quorum?: Quorum
  readonly planted?: ReadonlySet<PlantedBug>
  readonly load?: Partial<Load>
  /** Instead of what the seed draws. */
  readonly swarm?: Partial<Swarm>
  /** Faults that happen, instead of those that the seed draws. */
  readonly struck?: readonly Struck[]
  /** One member tells these; none: nobody lies. Absent: what the seed draws. */
  readonly lies?: readonly LieKind[]
  /** Ends the run at the first violation. */
  readonly stopAtFirst?: boolean
  readonly watch?: (world: World) => Watcher
}

export interface RunResult {
  readonly options: RunOptions
  readonly swarm: Swarm
  readonly violations: readonly Violation[]
  readonly violationCount: number
  readonly traceHash: string
  readonly history: History
  /** What the checker judges. */
  readonly lines: Lines
  /** What it said; null: the run ended before it could be judged. */
  readonly judged: readonly Answer[] | null
  readonly outcomes: OutcomeCounts
  readonly faults: ReadonlyMap<FaultKind, number>
  /** The faults one by one. */
  readonly struck: readonly Struck[]
  /** Kinds that were under way together. */
  readonly faultPairs: ReadonlyMap<string, number>
  readonly monitor: Monitor
  readonly liar: Liar | null
  /** What of marks.ts was met, and how often. */
  readonly marks: ReadonlyMap<MarkName, number>
  readonly network: World['network']['counts']
  /** From the heal; null: not within the time allowed. */
  readonly firstSourceMs: number | null
  readonly convergedMs: number | null
  readonly simulatedMs: number
  readonly moments: number
}

/** Where clients are quiet after the heal they are so this long before it. */
const QUIET_MS = 3000
/** Clients go on for so long after the heal: writes must succeed while members come together. */
const WRITES_AFTER_HEAL_MS = 5000
/** Who stands still, or starts again, does so no longer than this after the heal. */
const ALL_RUN_WITHIN_MS = 150_000
/** By then it is written down that the last fault is over. */
const AFTERMATH_MS = 200
/** Nothing happens for so long before every member is dumped a second time. */
const IDLE_MS = 3000
/** A Source is due so long after the last fault (G5): the history must last as long. */
const SOURCE_DUE_MS = 10_000
/** G2: equal within this time of the last write, with the little data that clients here write. */
const EQUAL_WITHIN_MS = 40_000

/** Runs a seed to its end. */
export async function simulate(options: RunOptions): Promise<RunResult> {
  const { seed, members, seconds, quorum = 'visible', planted = new Set() } = options
  const world = new World({ seed: `${seed}`, members, quorum, planted })
  const verdict = new Verdict(() => world.nowMs)
  const random = world.random.fork('faults')
  const swarm = { ...drawSwarm(random), ...options.swarm }
  const monitor = new Monitor(world, verdict)
  const marks = new Marks(world)
  const answers = new Answers(world, verdict, () => workload.history, marks)
  const workload = new Workload(world, { ...USUAL_LOAD, ...options.load }, answers)
  const faults = new Faults(world, swarm, random)
  const recorder = new HistoryRecorder({ world, lines: workload.lines })
  const lying = random.fork('liar')
  const liar =
    options.lies === undefined ? drawLiar(world, lying) : liarOf(world, lying, options.lies)
  if (options.watch !== undefined) world.watchers.push(options.watch(world))
  const isOver = () => options.stopAtFirst === true && !verdict.ok

  // Founded in the year of the run: a clock that was kept from another one would be far ahead for good.
  for (const { skew } of world.members) skew.epochMs = swarm.epochMs
  await world.found()
  applySwarm(world, swarm, random)
  monitor.isCalm = () => isCalm(world)
  monitor.start()
  const slowest = swarm.kinds.includes('clockRate') ? SLOWEST_RATE : 1
  recorder.start(nameOf(options), boundsOf(world, slowest))
  recorder.weather('start')
  world.startAll()
  workload.start()
  if (options.struck === undefined) faults.start()
  else faults.replay(options.struck)
  const before = (ms: number) => Math.max(0, seconds * 1000 - ms)
  if (swarm.lastCutMs > 0) {
    const lastCut = random.fork('last cut')
    world.timeline.after(before(swarm.lastCutMs), () => cutInTwo(world, lastCut))
  }
  // Their last writes are compared, or told by a cut, before the heal.
  if (!swarm.writesAfter) world.timeline.after(before(QUIET_MS), () => workload.stop())
  await world.run(seconds * 1000, isOver)

  faults.stop()
  const healedAtMs = world.nowMs
  let firstSourceAtMs: number | null = null
  const seesSource = () => {
    if (world.up().some(({ member }) => member.agreement.source !== null)) {
      firstSourceAtMs ??= world.nowMs
    }
    return isOver()
  }
  if (!isOver()) {
    healAll(world)
    liar?.exposed()
    recorder.weather('stop')
    await world.run(WRITES_AFTER_HEAL_MS, seesSource)
    workload.stop()
    await runUntil(world, ALL_RUN_WITHIN_MS, () => seesSource() || doAllRun(world))
    await world.run(AFTERMATH_MS, isOver)
    const isDone = () => seesSource() || (workload.openCount === 0 && isSettled(world))
    // A write is announced, and heals what a comparison should have found without it.
    if (!swarm.writesAfter && !(await runUntil(world, EQUAL_WITHIN_MS, isDone))) {
      verdict.fail('G2', `not equal without a write: ${whyUnsettled(world)}`)
    }
    // Whatever clients drew, each member takes a write after the last fault.
    for (const entry of takingPart(world)) void workload.write(entry, `end/${entry.id}`)
    await runUntil(world, EQUAL_WITHIN_MS, isDone)
  }
  const convergedMs = !isOver() && isSettled(world) ? world.nowMs - healedAtMs : null
  if (!isOver()) {
    checkVerified(world, verdict)
    if (convergedMs === null) {
      verdict.fail('G2', `not equal ${EQUAL_WITHIN_MS / 1000} s after: ${whyUnsettled(world)}`)
    }
    await finish(world, checkEnding(world, workload.history, verdict))
  }
  let judged: readonly Answer[] | null = null
  if (!isOver() && convergedMs !== null) {
    await finish(world, dumpAll(world, recorder))
    const dueMs = monitor.lastFaultAtMs + (SOURCE_DUE_MS + IDLE_MS) / slowestRate(world)
    await world.run(Math.max(IDLE_MS, dueMs - world.nowMs))
    await finish(world, dumpAll(world, recorder))
    // What left with a removed member the checker would call lost: there our own checks suffice.
    const isPlain = world.liar === null && !areApart(world) && !new Holes(world).exist
    if (isPlain) judged = judge(workload.lines, verdict)
  }
  return {
    options,
    swarm,
    violations: verdict.violations,
    violationCount: verdict.count,
    traceHash: world.traceHash(),
    history: workload.history,
    lines: workload.lines,
    judged,
    outcomes: workload.history.count(),
    faults: faults.counts,
    struck: faults.struck,
    faultPairs: faults.pairs,
    monitor,
    liar,
    marks: marks.counts,
    network: world.network.counts,
    firstSourceMs: firstSourceAtMs === null ? null : firstSourceAtMs - healedAtMs,
    convergedMs,
    simulatedMs: world.nowMs,
    moments: world.timeline.ran,
  }
}

/** Nothing of a fault is left: all are in and run, and where something had rotted somebody looked. */
function doAllRun(world: World): boolean {
  const isLookedAt = takingPart(world).every(({ disk }) => !disk.isRotten)
  return isLookedAt && areAllIn(world) && world.up().every(({ life }) => life?.isStill === false)
}

function liarOf(world: World, random: Random, lies: readonly LieKind[]): Liar | null {
  return lies.length === 0 ? null : new Liar(world, random, lies)
}

/** What repeats a run, in words. */
function nameOf({ seed, members, seconds, quorum = 'visible' }: RunOptions): string {
  return `--seed ${seed} --members ${members} --seconds ${seconds} --quorum ${quorum}`
}

/** Runs for at most so long; the condition is looked at every tenth of a second. */
export async function runUntil(world: World, ms: number, isDone: () => boolean): Promise<boolean> {
  const endMs = world.nowMs + ms
  while (world.nowMs < endMs) {
    if (isDone()) return true
    await world.run(Math.min(100, endMs - world.nowMs))
  }
  return isDone()
}

/** Runs a world until a promise that its members must keep is kept. */
export async function finish<T>(world: World, work: Promise<T>): Promise<T> {
  let isPending = true
  const ended = work.finally(() => {
    isPending = false
  })
  await Promise.race([ended, world.run(60_000, () => !isPending)])
  if (isPending) throw new Error('work in the world did not end within a minute')
  return await ended
}
