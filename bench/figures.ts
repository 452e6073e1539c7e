/**
 * Figures and how they are printed: a value, its unit, and the floor of the same run that it is
 * held against as a ratio. Also what figures are made of: percentiles, medians, slopes.
 */

/** The value below which a share of the numbers lies; 0 of none. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** The middle one, or the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const half = sorted.length / 2
  const [low = 0, high = low] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  return (low + high) / 2
}

/** Growth of y with each x, by least squares; 0 of fewer than two points. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const count = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count
  let [above, below] = [0, 0]
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY)
    below += (x - meanX) ** 2
  }
  return below === 0 ? 0 : above / below
}

/** What a figure is held against. */
export interface Floor {
  readonly name: string
  readonly value: number
}

export interface Figure {
  readonly row: string
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly floor?: Floor
  /** What a reader must know to read it rightly. */
  readonly note?: string
  /** Of several runs, from least to most. */
  readonly range?: readonly [least: number, most: number]
}

/** One figure of several runs: the median, with the range. Floors are medians, too. */
export function mergeRuns(runs: readonly (readonly Figure[])[]): Figure[] {
  const all = new Map<string, Figure[]>()
  for (const figure of runs.flat()) {
    const key = `${figure.row}\n${figure.name}`
    all.set(key, [...(all.get(key) ?? []), figure])
  }
  return [...all.values()].map(figures => {
    const last = figures.at(-1)!
    if (figures.length === 1) return last
    const values = figures.map(({ value }) => value)
    const floors = figures.flatMap(({ floor }) => (floor === undefined ? [] : [floor.value]))
    return {
      ...last,
      value: median(values),
      range: [Math.min(...values), Math.max(...values)],
      ...(last.floor === undefined ? {} : { floor: { ...last.floor, value: median(floors) } }),
    }
  })
}

/** A figure as one line of the table. */
export function lineOf({ name, value, unit, floor, note, range }: Figure): string {
  const spread = range === undefined ? '' : `  (${round(range[0])} to ${round(range[1])})`
  const against =
    floor === undefined
      ? ''
      : `  ${round(value / floor.value)} × ${floor.name} (${round(floor.value)})`
  const more = note === undefined ? '' : `  [${note}]`
  return `  ${name.padEnd(50)} ${round(value).padStart(10)} ${unit.padEnd(6)}${spread}${against}${more}`
}

/** All figures, row by row. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = [...new Set(figures.map(({ row }) => row))]
  return rows
    .map(row => [row, ...figures.filter(figure => figure.row === row).map(lineOf)].join('\n'))
    .join('\n')
}

/** Three digits that count. */
export function round(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
