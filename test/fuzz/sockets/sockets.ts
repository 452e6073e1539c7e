/**
 * All sides of a running member, one after the other, each with a member of its own: how many inputs
 * passed, and what was found. It must never go on with a member that a finding was made on.
 */
import type { Random } from '../../../sim/random.ts'
import { fuzzControl } from './control.ts'
import { fuzzStreams, fuzzTcp } from './streams.ts'
import { startVictim, type Victim } from './victim.ts'

type Fuzzer = (victim: Victim, inputs: number, random: Random) => Promise<void>

/** Each side with its share of the inputs. */
export const sides: readonly (readonly [name: string, share: number, fuzz: Fuzzer])[] = [
  ['control socket', 0.5, fuzzControl],
  ['member', 0.25, (victim, inputs, random) => fuzzStreams(victim, 'member', inputs, random)],
  ['stranger', 0.15, (victim, inputs, random) => fuzzStreams(victim, 'stranger', inputs, random)],
  ['without the key', 0.1, fuzzTcp],
]

export async function fuzzSockets(
  inputs: number,
  random: Random,
): Promise<{ readonly passed: number; readonly findings: readonly string[] }> {
  let passed = 0
  const findings: string[] = []
  for (const [name, share, fuzz] of sides) {
    const victim = await startVictim()
    const count = Math.ceil(inputs * share)
    try {
      await fuzz(victim, count, random)
      passed += count
    } catch (error) {
      findings.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      await victim.stop()
    }
  }
  return { passed, findings }
}
