/**
 * Becoming Source and ceasing to be one: the two changes that others must hear of at once.
 */
import { limits } from '../../base/limits.ts'
import type { Effect } from './events.ts'
import type { AgreementState } from './state.ts'

/** Takes up the status of Source; the first check comes at the end of the first whole period. */
export function becomeSource(state: AgreementState, sentence: string, effects: Effect[]): void {
  effects.push({ kind: 'status', from: state.status, to: 'source', sentence })
  state.status = 'source'
  state.source = { since: state.now, checkAt: state.now + limits.checkMs }
  state.round = null
  state.sync = null
  state.history = [{ cut: state.own.cut, hash: state.own.hash }]
  for (const peer of state.peers.values()) {
    peer.marked = false
    peer.markedBefore = false
  }
  if (state.holding) {
    state.holding = false
    effects.push({ kind: 'hold', on: false })
  }
  if (state.own.gap) effects.push({ kind: 'gapClosed' })
  state.pingedAt = state.now
  effects.push({ kind: 'announce' })
}

/**
 * Gives the status up and says so. The history begins anew, so that an old common entry cannot
 * make this member Source again; the review that follows decides where it goes.
 */
export function stepDown(state: AgreementState, sentence: string, effects: Effect[]): void {
  const to = state.own.empty ? 'empty' : 'counter-sync'
  effects.push({ kind: 'status', from: 'source', to, sentence })
  state.status = to
  state.source = null
  state.history = [{ cut: state.own.cut, hash: state.own.hash }]
  state.pingedAt = state.now
  effects.push({ kind: 'announce' })
}
