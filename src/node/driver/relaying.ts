/**
 * Passing adds on (PROTOCOL 6): what a Source adds reaches who is not reached by it over other
 * Sources. A relay carries facts and no numbers, and is not acknowledged: what most hold the adder
 * hears from those that it reaches, or when it reaches the others again.
 */
import type { MemberId } from '../../base/fact.ts'
import { relayTargets } from '../../consensus/agreement/relay.ts'
import type { Envelope, Relay } from '../../consensus/messages.ts'
import type { Reception } from '../ledger/changes.ts'
import type { Context } from './context.ts'
import { factBytes, inBatches } from './size.ts'

type Relayed = Relay['adds'][number]

/** Passes on what was news here. */
export function passOn(
  context: Context,
  from: MemberId,
  adder: MemberId,
  adds: readonly Relayed[],
  receptions: readonly Reception[],
): void {
  const targets = relayTargets(context.agreement, from, adder)
  if (targets.length === 0) return
  const news = adds.filter((_, at) => isNews(receptions[at]!))
  const parts = inBatches(news, ({ fact, payload }) => factBytes(fact, payload))
  for (const part of parts) {
    const body: Relay = {
      kind: 'relay',
      adder,
      adds: part.map(({ added, fact, payload }) => ({ added, fact, payload })),
    }
    for (const peer of targets) context.links.send(peer, body)
  }
}

/** Takes in what another Source passes on; only a Source passes on. */
export async function onRelay(context: Context, envelope: Envelope, { adder, adds }: Relay) {
  if (envelope.status !== 'source') {
    context.counters.addsFromNonSources += 1
    return
  }
  const from = envelope.uuid
  const receptions = await context.ledger.receive(adds, {
    from,
    stampRule: context.agreement.source === null ? 'take' : 'smaller',
  })
  for (const reception of receptions) {
    if (reception.kind !== 'refused') continue
    context.blame(from, `passed on a fact that is refused: ${reception.sentence}`)
    context.counters.factsRefused += 1
  }
  passOn(context, from, adder, adds, receptions)
}

function isNews({ kind }: Reception): boolean {
  return kind === 'stored' || kind === 'changed'
}
