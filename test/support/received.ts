/** Versions of another member, made from nothing, and a member that takes them. */
import { expect } from 'vitest'
import { utf8 } from '../../src/base/bytes.ts'
import type { Fact } from '../../src/base/fact.ts'
import { stampOf } from '../../src/base/stamp.ts'
import { versionOf } from '../../src/consensus/items/version.ts'
import { BEGIN_MS, type Lone } from './lone-member.ts'
import { factOf } from './one-member.ts'

/** A fact with the text that is its payload. */
export type TextFact = readonly [fact: Fact, text: string]

/** A version by another member on some parents, the `at`-th of the test. */
export function versionOn(
  id: string,
  parents: readonly string[],
  text: string,
  at: number,
): TextFact {
  const first = factOf(id, utf8(text), stampOf(BEGIN_MS, at))
  return [{ ...first, parents, version: versionOf(id, parents, first.dataHash) }, text]
}

/** Takes agreed facts in this order, as if another member had added them. */
export async function take({ member }: Lone, facts: readonly TextFact[]): Promise<void> {
  for (const [fact, text] of facts) {
    const received = [{ fact, payload: utf8(text), added: fact.at }]
    const receptions = await member.ledger.receive(received, { from: 'b', stampRule: 'smaller' })
    for (const { kind } of receptions) expect(['stored', 'known']).toContain(kind)
  }
}
