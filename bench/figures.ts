/** Figures and how they are printed: rates, percentiles, and ratios to a floor of the same run. */

/** The value below which a share of the numbers lies. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What it is measured against in the same run. */
  readonly floor?: { readonly name: string; readonly value: number }
}

/** Prints figures as a table, or as JSON. */
export function printFigures(figures: readonly Figure[], isJson: boolean): void {
  if (isJson) {
    console.log(JSON.stringify(figures))
    return
  }
  for (const { name, value, unit, floor } of figures) {
    const against =
      floor === undefined
        ? ''
        : `  ${(value / floor.value).toFixed(3)} × ${floor.name} (${round(floor.value)})`
    console.log(`${name.padEnd(52)} ${round(value).padStart(10)} ${unit.padEnd(8)}${against}`)
  }
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}

/** Runs `work` with so many in flight for so long; answers rate and latencies. */
export async function inFlight(
  options: { readonly count: number; readonly seconds: number },
  work: (n: number) => Promise<unknown>,
): Promise<{
  readonly perSecond: number
  readonly done: number
  readonly p50Ms: number
  readonly p99Ms: number
}> {
  const times: number[] = []
  const begin = performance.now()
  const until = begin + options.seconds * 1000
  let next = 0
  await Promise.all(
    Array.from({ length: options.count }, async () => {
      while (performance.now() < until) {
        const start = performance.now()
        await work(next++)
        times.push(performance.now() - start)
      }
    }),
  )
  const tookMs = performance.now() - begin
  return {
    perSecond: times.length / (tookMs / 1000),
    done: times.length,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  }
}
