/**
 * Rosters that change under quorum `roster`, on whole members: lost, removed and returning ones,
 * while the network is cut and processes end. G5 and G6 are watched as in every run.
 */
import { describe, expect, it } from 'vitest'
import { changeQuorum } from '../src/node/driver/roster-changes.ts'
import { canChange, invite, remove as removeFrom } from './membership.ts'
import { Random } from './random.ts'
import { Scene } from './scene.ts'
import type { SimMember, UpMember } from './world.ts'

const QUORUM = 'roster' as const

/** Who is in effect, as a member knows it. */
function seated(entry: SimMember): string {
  if (entry.member === null) return 'down'
  const { number, members } = entry.member.roster.voting.known
  return `${number}: ${members
    .map(({ peer }) => peer)
    .sort()
    .join('')}`
}

function up(scene: Scene, place: number): UpMember {
  return scene.world.at(place) as UpMember
}

function remove(scene: Scene, by: number, gone: number): Promise<unknown> {
  const { id } = scene.world.at(gone)
  return scene.ask(up(scene, by).service.remove({ member: id }))
}

describe('a roster under quorum roster', () => {
  it('lets an invited machine in: it counts when the others have decided so, and not before', async () => {
    const scene = await Scene.started({ members: 1, quorum: QUORUM })
    const second = scene.world.enrol()
    invite(scene.world, up(scene, 0), second)
    await scene.until(() => seated(second) === '1: ab', 20_000)
    expect(seated(scene.world.at(0))).toBe('1: ab')
    await scene.until(() => scene.are('source'), 20_000)
    const third = scene.world.enrol()
    invite(scene.world, up(scene, 1), third)
    await scene.until(() => seated(third) === '2: abc', 20_000)
    await scene.until(() => scene.are('source'), 20_000)
    const put = await scene.put(2, 'k', 'k', { wait: 'majority' })
    expect(put).toMatchObject({ level: 'majority', of: 3 })
    await scene.settle()
  })

  it('takes a new member in while another is down', async () => {
    const scene = await Scene.started({ members: 3, quorum: QUORUM })
    scene.world.crash(scene.world.at(2), 'kill')
    const fourth = scene.world.enrol()
    invite(scene.world, up(scene, 0), fourth)
    await scene.until(() => seated(fourth) === '1: abcd', 20_000)
    scene.world.start(scene.world.at(2))
    await scene.until(() => seated(scene.world.at(2)) === '1: abcd', 20_000)
    await scene.until(() => scene.are('source'), 20_000)
    await scene.settle()
  })

  it('loses a member that never comes back, by the majority of the others', async () => {
    const scene = await Scene.started({ members: 3, quorum: QUORUM })
    await scene.put(0, 'k', 'k', { wait: 'majority' })
    scene.world.crash(scene.world.at(2), 'kill')
    await remove(scene, 0, 2)
    expect(seated(scene.world.at(0))).toBe('1: ab')
    await scene.until(() => seated(scene.world.at(1)) === '1: ab', 5000)
    const put = await scene.put(1, 'l', 'l', { wait: 'majority' })
    expect(put).toMatchObject({ level: 'majority', of: 2 })
  })

  it('is not changed by a minority, which says why and what to do', async () => {
    const scene = await Scene.started({ members: 5, quorum: QUORUM })
    scene.world.partition([scene.at(0, 1, 2), scene.at(3, 4)])
    await scene.until(() => !scene.are('source', 3) && !scene.are('source', 4), 10_000)
    await expect(remove(scene, 3, 0)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('reaches 2 of 5'),
    })
    await expect(scene.ask(up(scene, 3).service.invite({}))).rejects.toThrow('more than half')
    await remove(scene, 0, 4)
    expect(seated(scene.world.at(0))).toBe('1: abcd')
    expect(seated(scene.world.at(3))).toBe('0: abcde')
    scene.world.heal()
    await scene.until(() => seated(scene.world.at(3)) === '1: abcd', 10_000)
    await scene.until(() => scene.world.at(4).member?.roster.isRemoved === true, 20_000)
    await scene.until(() => scene.are('source', 0, 1, 2, 3), 20_000)
  })

  // Found by a drawn life: who let a machine in was removed before it told anybody, and the machine,
  // a member in its own eyes, was known to nobody and could not join again.
  it('lets nobody in whom less than half would know of', async () => {
    const scene = await Scene.started({ members: 3, quorum: QUORUM })
    scene.world.partition([scene.at(0, 2), scene.at(1)])
    const fourth = scene.world.enrol()
    scene.world.join(scene.world.at(1), fourth)
    invite(scene.world, up(scene, 1), fourth) // it has not noticed the cut yet
    await remove(scene, 0, 1)
    await scene.run(40_000)
    expect(fourth.standing).toBe('stranger')
    expect(scene.world.at(0).member!.roster.isMember(fourth.id)).toBe(false)
  })

  it('takes a removed member back under a new membership, with all that it holds', async () => {
    const scene = await Scene.started({ members: 3, quorum: QUORUM })
    scene.world.partition([scene.at(0, 1), scene.at(2)])
    await scene.put(2, 'mine', 'mine')
    await remove(scene, 0, 2)
    scene.world.heal()
    await scene.until(() => scene.world.at(2).member?.roster.isRemoved === true, 20_000)
    await scene.until(() => scene.are('source', 0, 1), 20_000)
    scene.world.stop(scene.world.at(2))
    await scene.until(() => scene.world.at(2).life === null, 5000)
    invite(scene.world, up(scene, 0), scene.world.at(2))
    await scene.until(() => seated(scene.world.at(2)) === '2: abc', 20_000)
    expect(scene.world.at(0).member!.roster.voting.known.members).toContainEqual({
      peer: 'c',
      membership: 2,
    })
    await scene.until(() => scene.are('source'), 20_000)
    await scene.until(() => scene.world.at(0).member!.ledger.live.count === 1, 10_000)
    expect(await scene.get(0, 'mine')).toBe('mine')
  })
})

describe('the setting of a network', () => {
  function quorums(scene: Scene): string[] {
    return scene.world.up().map(({ member }) => member.roster.quorum)
  }

  it('goes from visible to roster when every member agrees, and back', async () => {
    const scene = await Scene.started({ members: 3 })
    await scene.run(2000) // until the pings of all say that they reach each other
    await scene.ask(changeQuorum(up(scene, 1).member, 'roster'))
    await scene.until(() => quorums(scene).every(quorum => quorum === 'roster'), 5000)
    expect(seated(scene.world.at(0))).toBe('1: abc')
    await remove(scene, 0, 2)
    await scene.ask(changeQuorum(up(scene, 0).member, 'visible'))
    await scene.until(() => seated(scene.world.at(1)) === '3: ab', 5000)
    expect(quorums(scene).slice(0, 2)).toEqual(['visible', 'visible'])
    const fourth = scene.world.enrol()
    invite(scene.world, up(scene, 1), fourth)
    await scene.until(() => seated(scene.world.at(0)) === '3: abd', 20_000)
    await scene.until(() => scene.are('source', 0, 1, 3), 20_000)
  })

  it('stays as it is when a member is away, or falls silent in the middle', async () => {
    const scene = await Scene.started({ members: 3 })
    scene.world.partition([scene.at(0, 1), scene.at(2)])
    const unnoticed = scene.ask(changeQuorum(up(scene, 0).member, 'roster'))
    await expect(unnoticed).rejects.toThrow('Not every member agreed in time')
    await scene.until(() => seated(scene.world.at(1)) === '1: abc', 5000)
    expect(quorums(scene)).toEqual(['visible', 'visible', 'visible'])
    await scene.until(() => up(scene, 0).member.reached().length === 1, 10_000)
    const noticed = scene.ask(changeQuorum(up(scene, 0).member, 'roster'))
    await expect(noticed).rejects.toThrow('not reached: c')
    scene.world.heal()
    await scene.until(() => up(scene, 0).member.reached().length === 2, 10_000)
    await scene.ask(changeQuorum(up(scene, 0).member, 'roster'))
    await scene.until(() => quorums(scene).every(quorum => quorum === 'roster'), 5000)
    await scene.ask(changeQuorum(up(scene, 2).member, 'visible'))
    await scene.until(() => quorums(scene).every(quorum => quorum === 'visible'), 5000)
    scene.world.crash(scene.world.at(1), 'kill')
    const killed = scene.ask(changeQuorum(up(scene, 0).member, 'roster'))
    await expect(killed).rejects.toThrow('Not every member agreed in time')
    scene.world.start(scene.world.at(1))
    const isReached = () => up(scene, 0).member.reached().length === 2
    await scene.until(() => scene.are('source') && isReached(), 20_000)
    await scene.ask(changeQuorum(up(scene, 0).member, 'roster'))
    await scene.until(() => quorums(scene).every(quorum => quorum === 'roster'), 5000)
    await remove(scene, 0, 2)
    expect(seated(scene.world.at(0))).toBe('6: ab')
    scene.check()
  })
})

describe('drawn lives of a roster', () => {
  for (const seed of ['1', '2', '3', '4', '5']) {
    it(`members come, go and are cut off, and in the end all know one roster (seed ${seed})`, async () => {
      await life(seed)
    })
  }
})

/** Members come, go and are cut off as drawn, and some of what is asked for is refused. */
async function life(seed: string): Promise<void> {
  const scene = await Scene.started({ members: 4, quorum: QUORUM, seed })
  const { world } = scene
  const random = new Random(`roster/${seed}`)
  for (let step = 0; step < 24; step++) {
    const entry = random.pick(world.members)
    const other = random.pick(world.members)
    switch (random.int(0, 7)) {
      case 0:
      case 1: {
        const side = world.members.filter(() => random.chance(0.5))
        world.partition([side, world.members.filter(one => !side.includes(one))])
        break
      }
      case 2:
        world.heal()
        break
      case 3:
        if (world.up().length > 2) world.crash(entry, random.chance(0.5) ? 'kill' : 'power')
        break
      case 4:
        for (const one of world.members) if (one.standing === 'member') world.start(one)
        break
      case 5:
      case 6:
        if (canChange(entry) && other !== entry && other.standing === 'member')
          removeFrom(world, entry, other)
        break
      case 7:
        if (canChange(entry)) {
          const down = world.members.find(
            ({ life, standing }) => life === null && standing === 'removed',
          )
          if (down !== undefined || world.members.length < 7)
            invite(world, entry, down ?? world.enrol())
        }
    }
    await scene.run(random.int(0, 4000))
  }
  world.heal()
  for (const one of world.members) world.start(one)
  await scene.run(45_000)
  scene.check()
  const standings = world.up().map(one => (one.member.roster.isRemoved ? 'removed' : seated(one)))
  const known = new Set(standings.filter(text => text !== 'removed'))
  expect([...known].length, standings.join(' ')).toBe(1)
  const open = world.up().filter(({ member }) => member.roster.voting.isOpen)
  expect(open.map(({ id }) => id)).toEqual([])
}
