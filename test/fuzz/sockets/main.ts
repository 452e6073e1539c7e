/**
 * `npm run fuzz -- --sockets`: spoilt input at both sockets of a running member. Half of the inputs
 * are lines on the control socket; the rest come over the network, from a member, a stranger with
 * the key, and somebody without it. Exits 0 when nothing was found, 1 on a finding.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Random } from '../../../sim/random.ts'
import { guardProcess } from '../../../src/node/libp2p/process-guard.ts'
import { fuzzSockets } from './sockets.ts'

async function main(): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: { inputs: text, seed: text, result: text, sockets: { type: 'boolean' } },
  })
  const inputs = Number(values.inputs ?? 10_000)
  if (!Number.isInteger(inputs) || inputs < 1) return 2
  guardProcess({
    log: () => undefined,
    fatal: error => {
      process.stdout.write(`FOUND ${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  })
  const { passed, findings } = await fuzzSockets(inputs, new Random(values.seed ?? '1'))
  for (const finding of findings) process.stdout.write(`FOUND ${finding}\n`)
  process.stdout.write(`${passed} inputs at the sockets, ${findings.length} findings\n`)
  if (values.result !== undefined) {
    const counts = { passed, failed: findings.length }
    writeFileSync(values.result, `${JSON.stringify(counts)}\n`)
  }
  return findings.length === 0 ? 0 : 1
}

process.exit(await main())
