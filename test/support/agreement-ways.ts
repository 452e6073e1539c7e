/**
 * The status machine on one page (S003-13): the only ways between the statuses, and what each
 * status means for the rest of the state.
 */
import type { Effect } from '../../src/consensus/agreement/events.ts'
import type { AgreementState } from '../../src/consensus/agreement/state.ts'
import type { Status } from '../../src/consensus/messages.ts'

/** From each status, the statuses that may follow; docs/protocol.md, section 1, shows the same. */
export const ways: Readonly<Record<Status, readonly Status[]>> = {
  empty: ['counter-sync', 'source-sync', 'source'],
  'counter-sync': ['source-sync', 'source', 'empty'],
  'source-sync': ['counter-sync', 'source', 'empty'],
  // who gives the duty up first says so; the review in the same step may then see another Source
  source: ['counter-sync', 'empty'],
}

/** Throws when a member may not go this way. */
export function checkWay(from: Status, to: Status): void {
  if (!ways[from].includes(to)) throw new Error(`no way from ${from} to ${to}`)
}

/** Throws when a state contradicts itself after a step. */
export function checkConsistent(state: AgreementState, effects: readonly Effect[]): void {
  const isSource = state.status === 'source'
  const wrong =
    (isSource !== (state.source !== null) && 'the status is not the duty') ||
    (isSource && (state.round ?? state.sync) !== null && 'a Source takes part in a sync') ||
    (isSource && state.holding && 'a Source keeps the tree of a counter-sync') ||
    (state.status === 'source-sync' && state.sync === null && 'source-sync without a sync') ||
    (state.status === 'counter-sync' && state.sync !== null && 'counter-sync with a sync') ||
    (!isSource && state.own.empty !== (state.status === 'empty') && 'empty is not empty') ||
    (state.peers.has(state.self) && 'a member is its own peer') ||
    (effects.filter(effect => effect.kind === 'announce').length > 1 && 'announced twice')
  if (wrong !== false) throw new Error(`${state.self}: ${wrong}`)
}
