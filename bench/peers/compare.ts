/**
 * What the peers' bench wrote, held against each other: one line for each thing measured, the median
 * of each system, and Veche's share of it. Pure: takes results, gives text.
 */
import { median, round } from '../figures.ts'

/** One file of results, as the runner writes it. */
export interface Result {
  readonly system: string
  readonly workload: string
  readonly out: Readonly<Record<string, unknown>>
}

interface Measure {
  readonly what: string
  readonly workload: string
  readonly path: readonly string[]
  readonly unit: string
  readonly better: 'more' | 'less'
}

/** What is compared, and where the runner has it. */
export const measures: readonly Measure[] = [
  {
    what: 'puts, 64 in flight, one node',
    workload: 'core',
    path: ['W2one', 'putsPerSec'],
    unit: '/s',
    better: 'more',
  },
  {
    what: 'the same, over all nodes',
    workload: 'core',
    path: ['W2all', 'putsPerSec'],
    unit: '/s',
    better: 'more',
  },
  {
    what: 'one put at a time, p50',
    workload: 'core',
    path: ['W1', 'p50ms'],
    unit: 'ms',
    better: 'less',
  },
  {
    what: 'one put at a time, p99',
    workload: 'core',
    path: ['W1', 'p99ms'],
    unit: 'ms',
    better: 'less',
  },
  {
    what: 'gets, 64 in flight',
    workload: 'core',
    path: ['W3', 'getsPerSec'],
    unit: '/s',
    better: 'more',
  },
  {
    what: 'catch-up, until it holds all',
    workload: 'catchup',
    path: ['W4', 'seconds'],
    unit: 's',
    better: 'less',
  },
  {
    what: 'catch-up, bytes over loopback',
    workload: 'catchup',
    path: ['W4', 'loMiBlessIdle'],
    unit: 'MiB',
    better: 'less',
  },
  {
    what: 'empty node joins',
    workload: 'catchup',
    path: ['W5', 'seconds'],
    unit: 's',
    better: 'less',
  },
  {
    what: 'memory, largest node',
    workload: 'catchup',
    path: ['W6', 'rssMiB'],
    unit: 'MiB',
    better: 'less',
  },
  {
    what: 'disk a stored byte, largest node',
    workload: 'catchup',
    path: ['W6', 'diskPerStoredByte'],
    unit: '',
    better: 'less',
  },
]

/** The median of one measure of one system; undefined where it was not measured. */
export function medianOf(results: readonly Result[], system: string, measure: Measure) {
  const values = results
    .filter(result => result.system === system && result.workload === measure.workload)
    .map(({ out }) => numberAt(out, measure.path))
    .filter(value => value !== undefined)
  return values.length === 0 ? undefined : median(values)
}

/** A table in Markdown; a ratio above 1 means that Veche is better. */
export function compared(results: readonly Result[], self: string): string {
  const systems = [...new Set(results.map(({ system }) => system))]
  const peers = systems.filter(system => system !== self)
  const lines = measures.map(measure => {
    const own = medianOf(results, self, measure)
    const cells = peers.map(peer => {
      const value = medianOf(results, peer, measure)
      if (own === undefined || value === undefined) return '–'
      const ratio = measure.better === 'more' ? own / value : value / own
      return `${round(value)} (${ratio.toFixed(2)} ×)`
    })
    const what = measure.unit === '' ? measure.what : `${measure.what}, ${measure.unit}`
    return [what, own === undefined ? '–' : round(own), ...cells]
  })
  const head = ['', self, ...peers]
  return [head, head.map(() => '---'), ...lines].map(row => `| ${row.join(' | ')} |`).join('\n')
}

function numberAt(from: unknown, path: readonly string[]): number | undefined {
  let value = from
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name]
  if (Array.isArray(value)) return Math.max(...(value as number[]))
  return typeof value === 'number' ? value : undefined
}
