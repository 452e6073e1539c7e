/** The stage table of docs/performance.md: microseconds a write and stage at every member. Pure. */
import { type Stage, stages } from './stages.ts'
import type { Summed } from './sum.ts'

/** One member's share of a profiled run. */
export interface MemberProfile {
  readonly name: string
  readonly summed: Summed
  /** Processor seconds of its main thread, and of all others, by the kernel. */
  readonly mainSeconds: number
  readonly otherSeconds: number
}

/**
 * Processor microseconds a call. Samples are taken by the clock on the wall, so they also count time
 * in which the thread wanted a processor and had none: a stage has its share of the samples that are
 * not idle, and the kernel says how much processor time they stand for.
 */
export function usOf(member: MemberProfile, stage: Stage, calls: number): number {
  return (member.summed.stages.get(stage) ?? 0) * scaleOf(member) * (1 / calls)
}

/** Processor time for each moment that is not idle. */
function scaleOf({ summed, mainSeconds }: MemberProfile): number {
  const awakeUs = summed.totalUs - (summed.stages.get('idle') ?? 0)
  return awakeUs === 0 ? 0 : (mainSeconds * 1e6) / awakeUs
}

/** In Markdown. */
export function stageTable(members: readonly MemberProfile[], calls: number): string {
  const row = (name: string, value: (member: MemberProfile) => number) =>
    `| ${[name, ...members.map(member => value(member).toFixed(1))].join(' | ')} |`
  const lines = stages
    .filter(stage => stage !== 'idle')
    .map(stage => row(stage, member => usOf(member, stage, calls)))
  const idleUs = ({ summed, mainSeconds }: MemberProfile) => summed.totalUs - mainSeconds * 1e6
  return [
    `| µs each | ${members.map(({ name }) => name).join(' | ')} |`,
    `|---|${members.map(() => '--:|').join('')}`,
    ...lines,
    row('**main thread**', ({ mainSeconds }) => (mainSeconds * 1e6) / calls),
    row('other threads', ({ otherSeconds }) => (otherSeconds * 1e6) / calls),
    row('main thread, idle or waiting for a processor', member => idleUs(member) / calls),
  ].join('\n')
}

/** The functions that take most by themselves, one line each. */
export function heaviest(member: MemberProfile, calls: number, count: number): string {
  const all = [...member.summed.functions].filter(([name]) => name !== '(idle)')
  const most = all.sort(([, a], [, b]) => b - a).slice(0, count)
  const scale = scaleOf(member)
  return most
    .map(([name, us]) => `  ${((us * scale) / calls).toFixed(2).padStart(8)} µs  ${name}`)
    .join('\n')
}
