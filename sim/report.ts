/**
 * A run as people read it: what the seed drew, a lane of statuses for each member, what was done
 * and who became what, counts, and the verdict.
 */
import { styleText } from 'node:util'
import type { Swarm } from './faults/swarm.ts'
import type { RunOptions, RunResult } from './run.ts'

type Format = Parameters<typeof styleText>[0]
export type Paint = (format: Format, text: string) => string

/** Colours only where somebody sees them. */
export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const isOn = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  return (format, text) => (isOn ? styleText(format, text, { validateStream: false }) : text)
}

const LANE_SECONDS = 100
/** More events than this are told by their first and last. */
const EVENTS_SHOWN = 60

const laneColors: Readonly<Record<string, Format>> = {
  S: 'green',
  s: 'cyan',
  c: 'yellow',
  '.': 'gray',
  x: 'red',
  z: 'magenta',
  o: 'gray',
}
const LEGEND =
  'S source   s source-sync   c counter-sync   . empty   x down   z stands still   o opening'

/** The whole report, ending with a newline. */
export function report(result: RunResult, paint: Paint): string {
  const lines = [
    paint('bold', headline(result.options)),
    ...describeSwarm(result.swarm),
    '',
    ...lanes(result, paint),
    '',
    ...events(result, paint),
    '',
    ...counts(result),
    '',
    ...verdict(result, paint),
  ]
  return `${lines.join('\n')}\n`
}

function headline({ seed, members, seconds, quorum }: RunOptions): string {
  return `seed ${seed}: ${members} members, ${seconds} s of faults, quorum ${quorum ?? 'visible'}`
}

function describeSwarm(swarm: Swarm): string[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const [low, high] = swarm.latencyMs
  const kinds = swarm.kinds.length === 0 ? 'none' : swarm.kinds.join(', ')
  const pace = `one in about ${(swarm.everyMs / 1000).toFixed(1)} s`
  return [
    `faults    ${kinds}${swarm.kinds.length === 0 ? '' : ` (${pace})`}`,
    `network   ${low.toFixed(1)}–${high} ms; gossip: ${percent(swarm.gossipLoss)} lost, ` +
      `${percent(swarm.gossipDuplicate)} twice, up to ${Math.round(swarm.gossipExtraMs)} ms late`,
    `disks     ${percent(swarm.slowDiskChance)} of all fsyncs take 0.1–2 s`,
    `clocks    ±${swarm.skewMs} ms apart, ±${swarm.drift * 100} % too fast or slow`,
  ]
}

function lanes({ monitor }: RunResult, paint: Paint): string[] {
  const length = Math.max(...[...monitor.lanes.values()].map(lane => lane.length))
  const lines: string[] = []
  for (let from = 0; from < length; from += LANE_SECONDS) {
    lines.push(paint('dim', `    ${scale(from, Math.min(LANE_SECONDS, length - from))}`))
    for (const [id, lane] of monitor.lanes) {
      lines.push(`${id.padStart(3)} ${colored(lane.slice(from, from + LANE_SECONDS), paint)}`)
    }
  }
  return [...lines, paint('dim', `    ${LEGEND}`)]
}

function scale(from: number, length: number): string {
  let text = ''
  for (let at = 0; at < length; at += 10) text += `${from + at} s`.padEnd(10)
  return text
}

/** One colour for each run of equal letters. */
function colored(lane: string, paint: Paint): string {
  return lane.replace(/(.)\1*/g, run => paint(laneColors[run[0]!] ?? 'white', run))
}

function events({ monitor }: RunResult, paint: Paint): string[] {
  const lines = monitor.events.map(({ atMs, sentence }) => {
    const text = sentence.includes('→ source') ? paint('green', sentence) : sentence
    return `${seconds(atMs)}  ${text}`
  })
  if (lines.length <= EVENTS_SHOWN) return lines
  const left = lines.length - EVENTS_SHOWN
  const half = EVENTS_SHOWN / 2
  return [...lines.slice(0, half), `  … ${left} more: --trace shows all`, ...lines.slice(-half)]
}

function counts(result: RunResult): string[] {
  const { outcomes, monitor, network, faults } = result
  const struck = [...faults].map(([kind, count]) => `${count} ${kind}`).join(', ')
  const { elections, promotions, demotions } = monitor.counts
  return [
    `clients   ${outcomes.done} done, ${outcomes.refused} refused, ${outcomes.unknown} unknown`,
    `faults    ${struck === '' ? 'none' : struck}`,
    `statuses  ${elections} elections, ${promotions} promotions, ${demotions} demotions`,
    `network   ${network.frames} frames of ${Math.round(network.bytes / 1024)} KiB, ` +
      `${network.gossip} gossip heard, ${network.lost} lost, ${network.links} links opened`,
    `trace     ${result.traceHash}`,
  ]
}

function verdict(result: RunResult, paint: Paint): string[] {
  const { firstSourceMs, convergedMs, violationCount } = result
  if (violationCount === 0) {
    const first = `a Source ${((firstSourceMs ?? 0) / 1000).toFixed(1)} s after the heal`
    const equal = `all equal after ${((convergedMs ?? 0) / 1000).toFixed(1)} s`
    return [`${paint(['bold', 'green'], 'holds')}  ${first}, ${equal}`]
  }
  const lines = result.violations.map(
    ({ guarantee, atMs, sentence }) =>
      `${paint(['bold', 'red'], guarantee)} ${seconds(atMs)}  ${sentence}`,
  )
  return [paint(['bold', 'red'], `violated: ${violationCount}`), ...lines.slice(0, 10)]
}

/** A moment of a run. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(9)} s`
}
