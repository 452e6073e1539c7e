/**
 * The ledger of soaks, docs/ledger.md: one row a soak, and above the table their sum, worked out
 * anew from the rows at each append. Rows are never changed; what is claimed anywhere about seeds,
 * hours or kills is what this sum says. Everything here is a function of texts.
 */

/** What one soak counted. Every number is a count but for `hours`. */
export interface Soak {
  /** Year, month and day. */
  readonly date: string
  readonly commit: string
  readonly minutes: number
  readonly seeds: number
  /** `from–to`; several ranges are joined by a comma. */
  readonly range: string
  /** Simulated. */
  readonly hours: number
  readonly faults: Readonly<Record<string, number>>
  readonly done: number
  readonly refused: number
  readonly unknown: number
  readonly acknowledged: number
  readonly lost: number
  readonly diverged: number
  readonly falseSplits: number
  /** Seeds and networks that failed, whatever the reason. */
  readonly failed: number
  readonly kills: number
  readonly powerCuts: number
  readonly labDone: number
  readonly labAcknowledged: number
  readonly labLost: number
  readonly states: number
  readonly inputs: number
}

/** Columns in their order; those that are texts are not summed. */
const COLUMNS = [
  ['date', 'date'],
  ['commit', 'commit'],
  ['minutes', 'minutes'],
  ['seeds', 'seeds'],
  ['range', 'from–to'],
  ['hours', 'simulated h'],
  ['faults', 'faults'],
  ['done', 'done'],
  ['refused', 'refused'],
  ['unknown', 'unknown'],
  ['acknowledged', 'acknowledged'],
  ['lost', 'lost'],
  ['diverged', 'diverged'],
  ['falseSplits', 'false splits'],
  ['failed', 'failed'],
  ['kills', 'kills'],
  ['powerCuts', 'power cuts'],
  ['labDone', 'lab: done'],
  ['labAcknowledged', 'lab: acknowledged'],
  ['labLost', 'lab: lost'],
  ['states', 'states'],
  ['inputs', 'inputs'],
] as const satisfies readonly (readonly [keyof Soak, string])[]

type Column = (typeof COLUMNS)[number][0]
/** A column that is added up. */
type Counted = Exclude<Column, 'date' | 'commit' | 'range' | 'faults'>

const KINDS = 'faults by kind'
const TITLES = [...COLUMNS.map(([, title]) => title), KINDS]
const SUM_BEGIN = '<!-- sum -->'
const SUM_END = '<!-- /sum -->'

/** One line of the table. */
export function rowOf(soak: Soak): string {
  const cells = COLUMNS.map(([name]) => {
    if (name === 'faults') return numberText(sumOf(Object.values(soak.faults)))
    const value = soak[name]
    return typeof value === 'number' ? numberText(value) : value
  })
  const kinds = Object.entries(soak.faults)
    .sort((a, b) => b[1] - a[1])
    .map(([kind, count]) => `${count} ${kind}`)
  return `| ${[...cells, kinds.join(', ')].join(' | ')} |`
}

/** The soaks that a ledger tells of. A row that cannot be read is an error, never skipped. */
export function readLedger(text: string): Soak[] {
  const lines = text.split('\n').filter(line => line.startsWith('| '))
  return lines.slice(1).map(line => {
    const cells = line.slice(2, -2).split(' | ')
    if (cells.length !== TITLES.length) throw new Error(`not a row of the ledger: ${line}`)
    const told: Record<string, unknown> = {}
    for (const [at, [name]] of COLUMNS.entries()) {
      const isText = name === 'date' || name === 'commit' || name === 'range'
      if (name !== 'faults') told[name] = isText ? cells[at] : numberOf(cells[at]!, line)
    }
    return { ...told, faults: kindsOf(cells.at(-1)!, line) } as unknown as Soak
  })
}

/** The ledger with one more soak, and the sum of all. */
export function withSoak(text: string, soak: Soak): string {
  const table = `${text.trimEnd()}\n${rowOf(soak)}\n`
  const begin = table.indexOf(SUM_BEGIN)
  const end = table.indexOf(SUM_END)
  if (begin < 0 || end < begin) throw new Error('the ledger has no place for its sum')
  const sum = `${SUM_BEGIN}\n${sumText(readLedger(table))}\n`
  return `${table.slice(0, begin)}${sum}${table.slice(end)}`
}

/** An empty table, for a new ledger. */
export function emptyTable(): string {
  return `| ${TITLES.join(' | ')} |\n|${TITLES.map(() => '---|').join('')}\n`
}

/**
 * What all soaks together have shown, each zero with its denominator; and what those have shown that
 * came after the last in which a seed lost or diverged: what is claimed of the code as it is now.
 */
export function sumText(soaks: readonly Soak[]): string {
  const told = (column: Counted) => numberText(sumOf(soaks.map(soak => soak[column])))
  const broken = soaks.findLastIndex(hasBroken)
  const since = soaks.slice(broken + 1)
  return [
    ...simulated(soaks),
    `Real daemons: ${told('kills')} kills and ${told('powerCuts')} power cuts,`,
    `${told('labLost')} lost of ${told('labAcknowledged')} acknowledged writes.`,
    `${told('states')} states explored, ${told('inputs')} inputs fuzzed.`,
    `${told('failed')} seeds or networks failed.`,
    ...(broken < 0
      ? []
      : ['', `Since what the soak of ${soaks[broken]!.commit} found was mended:`]),
    ...(broken < 0 ? [] : simulated(since)),
  ].join('\n')
}

function hasBroken({ lost, diverged, falseSplits }: Soak): boolean {
  return lost + diverged + falseSplits > 0
}

function simulated(soaks: readonly Soak[]): string[] {
  const told = (column: Counted) => numberText(sumOf(soaks.map(soak => soak[column])))
  const faults = sumOf(soaks.flatMap(soak => Object.values(soak.faults)))
  return [
    `${soaks.length} soaks: ${told('seeds')} seeds, ${told('hours')} simulated hours, ${numberText(faults)} faults;`,
    `${told('done')} client operations done, ${told('refused')} refused, ${told('unknown')} unknown.`,
    `${told('lost')} lost of ${told('acknowledged')} acknowledged writes,`,
    `${told('diverged')} diverged and ${told('falseSplits')} false splits in ${told('seeds')} seeds.`,
  ]
}

function kindsOf(cell: string, line: string): Record<string, number> {
  const kinds: Record<string, number> = {}
  for (const part of cell.trim() === '' ? [] : cell.split(', ')) {
    const [count, ...kind] = part.split(' ')
    kinds[kind.join(' ')] = numberOf(count!, line)
  }
  return kinds
}

function numberText(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(2)
}

function numberOf(text: string, line: string): number {
  const value = Number(text.replaceAll(',', ''))
  if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`no number ${text}: ${line}`)
  return value
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
