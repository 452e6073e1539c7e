/**
 * A copy of the agreement machine's state, as deep as the machine changes it: entries, pings and
 * answers' references are replaced and never changed, so they are shared. A field that the machine
 * gains is copied by the spread; explore.test.ts fails until somebody looked at it here and in
 * canonical.ts.
 */
import type {
  AgreementState,
  Answer,
  Peer,
  Round,
  Sync,
} from '../../src/consensus/agreement/state.ts'

export function cloneAgreement(state: AgreementState): AgreementState {
  const peers = new Map<string, Peer>()
  for (const [id, peer] of state.peers) peers.set(id, { ...peer, history: peer.history.slice() })
  return {
    ...state,
    history: state.history.slice(),
    peers,
    source: state.source === null ? null : { ...state.source },
    round: state.round === null ? null : cloneRound(state.round),
    sync: state.sync === null ? null : cloneSync(state.sync),
  }
}

function cloneRound(round: Round): Round {
  const answers = new Map<string, Answer>()
  for (const [id, answer] of round.answers) {
    answers.set(id, {
      theirHeld: answer.theirHeld,
      lacks: new Map(answer.lacks),
      has: new Map(answer.has),
    })
  }
  return {
    ...round,
    answers,
    asking: new Map(round.asking),
    gained: new Set(round.gained),
    retryAt: new Map(round.retryAt),
  }
}

function cloneSync(sync: Sync): Sync {
  return { ...sync, failedAt: new Map(sync.failedAt) }
}
