/**
 * The fuzzers' command line: every decoder, in turn; or both sockets of a running member, in a
 * process of their own, since no libp2p belongs to what lies in this folder.
 *
 *   npm run fuzz -- --inputs 1000000
 *   npm run fuzz -- --target frame --seed 7
 *   npm run fuzz -- --sockets --inputs 10000
 *
 * Exits 0 when nothing was found, 1 on a finding (its input goes into test/fuzz/corpus), 2 when it
 * was not understood. `--result FILE` leaves {"passed", "failed"} behind, counted in inputs.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'
import { targets } from './targets.ts'

const HELP = `npm run fuzz -- [options]
  --inputs N     over all targets together (default: 100000)
  --seed TEXT    (default: 1)
  --target NAME  only this one: ${targets.map(({ name }) => name).join(', ')}
  --sockets      spoilt input at the sockets of a running member instead (default: 10000)
  --result FILE  write {"passed": N, "failed": N}
`

/** The other command line, with the same options. */
function fuzzSockets(): number {
  const path = fileURLToPath(new URL('../../test/fuzz/sockets/main.ts', import.meta.url))
  const args = [...process.execArgv, '--expose-gc', path, ...process.argv.slice(2)]
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
}

async function main(): Promise<number> {
  if (process.argv.includes('--sockets')) return fuzzSockets()
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: { inputs: text, seed: text, target: text, result: text, help: { type: 'boolean' } },
  })
  const inputs = Number(values.inputs ?? 100_000)
  const chosen = targets.filter(({ name }) => (values.target ?? name) === name)
  const isWrong = !Number.isInteger(inputs) || inputs < 1 || chosen.length === 0
  if (values.help === true || isWrong) {
    process.stdout.write(HELP)
    return values.help === true ? 0 : 2
  }
  let passed = 0
  let failed = 0
  for (const target of chosen) {
    const began = performance.now()
    const count = Math.ceil(inputs / chosen.length)
    const { accepted, slowestMs, finding, ...told } = await fuzz(target, count, values.seed ?? '1')
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    process.stdout.write(
      `${target.name.padEnd(13)} ${told.inputs} inputs, ${accepted} accepted, slowest ${slowestMs.toFixed(1)} ms, ${seconds} s\n`,
    )
    passed += told.inputs - (finding === null ? 0 : 1)
    if (finding === null) continue
    failed += 1
    process.stdout.write(`FOUND ${finding.sentence}\n  ${finding.input}\n`)
  }
  process.stdout.write(`${passed} inputs, ${failed} findings\n`)
  if (values.result !== undefined) {
    writeFileSync(values.result, `${JSON.stringify({ passed, failed })}\n`)
  }
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
