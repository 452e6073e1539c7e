/**
 * A comparison in the model: what two members lack of each other, known after one way there, the
 * time that the walk takes, and one way back. It fails when either is gone by then.
 */

import { limits } from '../../src/base/limits.ts'
import { STAMP_ZERO } from '../../src/base/stamp.ts'
import type { Compared, Effect } from '../../src/consensus/agreement/events.ts'
import type { ModelMember } from './agreement-member.ts'

const TIMEOUT_MS = 2000

type Compare = Extract<Effect, { kind: 'compare' }>
type Result = Pick<Compared, 'theirRoot' | 'theirCut' | 'theyLack' | 'theyHave'>

/** Carries out the effect `compare`. */
export function compareSets(asker: ModelMember, effect: Compare): void {
  const { world } = asker
  const answerer = world.get(effect.peer)
  const walkMs = asker.walkMs ?? world.compareMs
  // One comparison is over one state of both: what is gained meanwhile is the machine's to notice.
  const mine = effect.scope === 'held' ? world.snapshot(asker) : new Set<string>()
  const life = asker.life
  let isOpen = true
  const finish = (result: Result | null) => {
    if (!isOpen || life !== asker.life) return
    isOpen = false
    asker.take({
      kind: 'compared',
      now: asker.now,
      ticket: effect.ticket,
      peer: effect.peer,
      done: result !== null,
      ...(result ?? { theirRoot: '', theirCut: 0, theyLack: [], theyHave: [] }),
    })
  }
  asker.later(walkMs + TIMEOUT_MS, () => finish(null))
  asker.tell(answerer, () => {
    if (effect.scope === 'settled') {
      const answer = () => finish(settledResult(asker, answerer, effect))
      answerer.later(walkMs, () => answerer.tell(asker, answer))
      return
    }
    const theirRoot = answerer.sets.heldHash
    if (theirRoot === null || answerer.sets.isEmpty) {
      answerer.tell(asker, () => finish(null))
      return
    }
    answerer.comparisonsAnswered += 1
    const theirs = world.snapshot(answerer)
    const answer = () => finish(heldResult(asker, answerer, { mine, theirs, theirRoot }))
    answerer.later(walkMs, () => answerer.tell(asker, answer))
  })
}

function heldResult(
  asker: ModelMember,
  answerer: ModelMember,
  seen: {
    readonly mine: ReadonlySet<string>
    readonly theirs: ReadonlySet<string>
    readonly theirRoot: string
  },
): Result {
  return {
    theirRoot: seen.theirRoot,
    theirCut: answerer.sets.cut,
    theyLack: [...seen.mine].filter(name => !seen.theirs.has(name)).map(name => named(asker, name)),
    theyHave: [...seen.theirs]
      .filter(name => !seen.mine.has(name))
      .map(name => named(answerer, name)),
  }
}

/** The asker takes at once what the answerer has settled. */
function settledResult(asker: ModelMember, answerer: ModelMember, effect: Compare): Result {
  const theirs = answerer.sets
  const taken = [...theirs.agreed]
    .filter(([name]) => theirs.isSettled(name) && !asker.sets.agreed.has(name))
    .map(([name, added]) => ({ name, added }))
  const theyLack = [...asker.sets.agreed.keys()]
    .filter(name => asker.sets.isSettled(name) && !theirs.isSettled(name))
    .map(name => named(asker, name))
  if (effect.purpose !== 'heal' || taken.length <= limits.healFactsMax) asker.agreeAll(taken)
  return { theirRoot: theirs.settledHash, theirCut: theirs.cut, theyLack, theyHave: [] }
}

function named(member: ModelMember, name: string): Result['theyLack'][number] {
  const added = member.sets.agreed.get(name)
  const pending = member.sets.pending.get(name)
  return {
    ref: member.world.names.ref(name),
    state:
      pending === undefined
        ? { kind: 'agreed', added: added ?? STAMP_ZERO }
        : { kind: 'pending', order: pending.order, fresh: pending.fresh },
  }
}
