/**
 * Fuzzes the control socket of a running member: lines that are spoilt by bytes or by values, in
 * pieces of any size, over several connections that come and go. Requests that are good after all
 * and would write are left out, so nothing may change.
 */

import { corpusOf } from '../../../sim/fuzz/fuzz.ts'
import { below, chance, mutateBytes, mutateValue, pick } from '../../../sim/fuzz/mutate.ts'
import type { Random } from '../../../sim/random.ts'
import { concatBytes, utf8 } from '../../../src/base/bytes.ts'
import type { CborValue } from '../../../src/base/cbor.ts'
import { checkMethod, checkParams } from '../../../src/control/check-params.ts'
import { parseRequest } from '../../../src/control/request-line.ts'
import { RawClient } from '../../support/control.ts'
import type { Victim } from './victim.ts'

const READS: readonly string[] = [
  'status',
  'get',
  'head',
  'list',
  'history',
  'links',
  'collisions',
  'why',
  'members',
  'watch',
]
/** Lines of one connection; then the member is asked whether it is well. */
const ROUND = 200

/** Sends so many spoilt lines; throws on a finding. */
export async function fuzzControl(victim: Victim, inputs: number, random: Random): Promise<void> {
  const corpus = corpusOf('line')
  for (let sent = 0; sent < inputs; ) {
    const client = await RawClient.open(victim.socket)
    client.socket.on('data', () => undefined)
    const lines: Uint8Array[] = []
    for (; lines.length < ROUND && sent < inputs; sent++)
      lines.push(harmless(spoilt(corpus, random)))
    const bytes = concatBytes(lines)
    for (let at = 0; at < bytes.length && !client.socket.destroyed; ) {
      const size = 1 + below(random, 20_000)
      client.write(bytes.subarray(at, at + size))
      at += size
      if (below(random, 4) === 0) await new Promise(resolve => setImmediate(resolve))
    }
    if (below(random, 3) === 0) client.close()
    else {
      client.socket.end()
      await client.over()
      client.close()
    }
    await victim.check()
  }
}

function spoilt(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  const base = pick(random, corpus)
  if (below(random, 30) === 0) return chance(random, below(random, 300))
  if (below(random, 2) === 0) return mutateBytes(base, pick(random, corpus), random)
  const value = JSON.parse(Buffer.from(base).toString()) as CborValue
  const changed = mutateValue(value, random, { bytes: false })
  return utf8(JSON.stringify(mutateValue(changed, random, { bytes: false })))
}

/** Every line of it that would write is left out; what is left ends with its line. */
function harmless(bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString('latin1').split('\n')
  const kept = lines.filter(line => !wouldWrite(Buffer.from(line, 'latin1')))
  return Buffer.from(`${kept.join('\n')}\n`, 'latin1')
}

function wouldWrite(line: Uint8Array): boolean {
  const request = parseRequest(line)
  if (!request.ok || READS.includes(request.method)) return false
  // An upload takes the lines behind it for its bytes; the tests of the socket have those.
  if (request.method === 'upload' || request.method === 'verify') return true
  try {
    checkParams(checkMethod(request.method), request.params)
    return true
  } catch (error) {
    return !(error instanceof Error) // refused: harmless
  }
}
