/**
 * The seeds that found something once, from seeds.txt: each fails on the code before its mending
 * and must pass for ever after. As a command it runs as many as its time allows, beginning at
 * another one each day, so that in the end all have their turn however many there are.
 *
 *   node sim/kept.ts --minutes 5 --result FILE
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type RunOptions, simulate } from './run.ts'

export interface KeptSeed {
  readonly options: RunOptions
  readonly reason: string
}

/** Reads seeds.txt: seed, members, seconds, quorum, and why it is kept. */
export function keptSeeds(): KeptSeed[] {
  const text = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const [seed, members, seconds, quorum, ...reason] = line.split(/\s+/)
      const options = {
        seed: Number(seed),
        members: Number(members),
        seconds: Number(seconds),
        quorum: quorum === 'roster' ? 'roster' : 'visible',
      } as const
      return { options, reason: reason.join(' ') }
    })
}

/** What a seed still finds, in a sentence; null: nothing, as it should be. */
export async function findingOf(options: RunOptions): Promise<string | null> {
  const { violations } = await simulate({ ...options, stopAtFirst: true })
  const first = violations[0]
  return first === undefined ? null : `${first.guarantee} at ${first.atMs}: ${first.sentence}`
}

const DAY_MS = 24 * 3_600_000

async function main(): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { minutes: text, result: text } })
  const endMs = performance.now() + Number(values.minutes ?? '5') * 60_000
  const seeds = keptSeeds()
  const first = Math.floor(Date.now() / DAY_MS) % seeds.length
  let failed = 0
  let ran = 0
  for (const { options, reason } of [...seeds.slice(first), ...seeds.slice(0, first)]) {
    if (performance.now() > endMs) break
    const finding = await findingOf(options)
    ran += 1
    process.stdout.write(`seed ${options.seed}: ${finding ?? 'holds'} (kept for: ${reason})\n`)
    if (finding !== null) failed += 1
  }
  process.stdout.write(`${ran} of ${seeds.length} kept seeds, ${failed} failed\n`)
  if (values.result !== undefined) {
    writeFileSync(values.result, `${JSON.stringify({ passed: ran - failed, failed })}\n`)
  }
  return failed === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = await main()
