/**
 * The alarm works: errors planted on purpose are found by seeds drawn as in any other run, nothing
 * picked. The everyday size looks for those that show soonest, in shorter runs with quieter clients, the
 * next one for two more; `VECHE_DEEP=1` for all that the simulator has to find, in runs as CI draws them. What each is stands
 * in src/consensus/agreement/state.ts; those of the agreement machine the explorer finds, too.
 */
import { describe, expect, it } from 'vitest'
import type { PlantedBug } from '../src/consensus/agreement/state.ts'
import { expectedOf, type SearchOptions, search } from './planted.ts'
import { size } from './size.ts'
import { USUAL_LOAD } from './workload.ts'

const isDeep = size === 'deep'

const asked: SearchOptions = isDeep
  ? { from: 1, seeds: 300, seconds: 60 }
  : {
      from: 1,
      seeds: 60,
      seconds: 20,
      smaller: { load: { ...USUAL_LOAD, clientsPerMember: 1, thinkMs: [100, 800] } },
    }

async function isFound(bug: PlantedBug, seconds = asked.seconds): Promise<void> {
  const found = await search(bug, { ...asked, seconds })
  expect(expectedOf(bug)).toContain(found?.guarantee)
}

describe('a planted bug is found by drawn seeds', () => {
  it('answer before persist: a client is told of a write that a crash can still lose', () =>
    isFound('answer-before-persist'))

  it.runIf(size !== 'everyday')('split by order of arrival: equal facts show different items', () =>
    isFound('split-by-arrival'),
  )

  it.runIf(size !== 'everyday')(
    "trust the peer's root: members that differ are Source beside each other for good",
    () => isFound('trust-peers-root'),
  )

  it('acknowledge before the payload: a write is told to be held where its payload is not', () =>
    isFound('ack-before-payload'))

  it('drop the last piece: a payload never becomes whole', () => isFound('drop-last-piece'))

  // Peace has to last for a while before it is held against them.
  it('suppress marks: in peace, every check costs the Sources their status', () =>
    isFound('suppress-marks', 60))

  it.runIf(isDeep)('wait for nobody: elected before the others answered', () =>
    isFound('wait-for-nobody'),
  )

  it.runIf(isDeep)('majority of the seen: two sides of a cut have Sources', () =>
    isFound('majority-of-the-seen'),
  )

  it.runIf(isDeep)(
    "majority of yesterday's roster: a majority is told that is none of those who joined",
    () => isFound('yesterdays-roster'),
  )

  it.runIf(isDeep)('skip the version check: a disk has what a liar made up', () =>
    isFound('skip-version-check'),
  )

  it.runIf(isDeep)(
    'let in a removed member: who was removed while it was away never learns of it',
    () => isFound('let-in-removed'),
  )

  it.runIf(isDeep)(
    "forget the payload's fsync: a power cut takes the payload of an acknowledged write",
    () => isFound('forget-payload-sync'),
  )
})
