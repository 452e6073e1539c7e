/**
 * Members that come, go and come back, step by step, while links are cut and processes end.
 */
import { describe, expect, it } from 'vitest'
import { canChange, invite, leave, remove } from './membership.ts'
import { Scene } from './scene.ts'
import { takingPart } from './settled.ts'
import type { SimMember, UpMember } from './world.ts'

function open(entry: SimMember): UpMember {
  if (!canChange(entry)) throw new Error(`${entry.id} is not open`)
  return entry
}

const names = (scene: Scene) => takingPart(scene.world).map(({ id }) => id)

describe('members come and go', () => {
  it('who joins on one side of a cut is a member on both after the heal', async () => {
    const scene = await Scene.started({ members: 4 })
    scene.world.partition([scene.at(0, 1), scene.at(2, 3)])
    await scene.run(12_000)
    const fresh = scene.world.enrol()
    invite(scene.world, open(scene.world.at(0)), fresh)
    scene.world.join(fresh, scene.world.at(0))
    await scene.until(() => fresh.standing === 'member' && fresh.member !== null, 20_000)
    await scene.put(4, 'from the new one', 'x')
    scene.world.heal()
    await scene.settle(60_000)
    expect(scene.world.at(3).member!.roster.isMember(fresh.id)).toBe(true)
    expect(await scene.get(3, 'from the new one')).toBe('x')
  })

  it('seed 1010646: whom a member let in before it left is not let in by its return', async () => {
    const scene = await Scene.started({ members: 3 })
    const host = scene.world.at(2)
    const fresh = scene.world.enrol()
    invite(scene.world, open(host), fresh)
    scene.world.join(fresh, host)
    await scene.until(() => fresh.standing === 'member' && fresh.member !== null, 20_000)
    expect(fresh.isForgotten).toBe(false)
    leave(scene.world, open(host))
    await scene.until(() => host.member!.roster.isRemoved, 20_000)
    expect(fresh.isForgotten).toBe(true)
    scene.world.crash(host, 'kill')
    invite(scene.world, open(scene.world.at(0)), host)
    await scene.until(() => host.standing === 'member' && host.member !== null, 20_000)
    expect([host.isForgotten, fresh.isForgotten]).toEqual([false, true])
  })

  it('a member removed while it was away learns it at a door, and hands in what it has when it is invited again', async () => {
    const scene = await Scene.started({ members: 3 })
    const away = scene.world.at(2)
    scene.world.partition([scene.at(0, 1), scene.at(2)])
    await scene.until(() => scene.are('source', 2) && away.member!.reached().length === 0, 20_000)
    await scene.put(2, 'kept', 'kept')
    remove(scene.world, open(scene.world.at(0)), away)
    await scene.run(2000)
    scene.world.heal()
    await scene.until(() => away.member!.roster.isRemoved, 30_000)
    expect(scene.world.atlas.excused()['kept by removed members']).toBe(1)
    scene.world.crash(away, 'kill')
    invite(scene.world, open(scene.world.at(1)), away)
    await scene.until(() => away.standing === 'member' && away.member !== null, 20_000)
    await scene.settle(60_000)
    expect(await scene.get(0, 'kept')).toBe('kept')
  })

  it('two that were removed together while they were away do not hold each other for the network', async () => {
    const scene = await Scene.started({ members: 4 })
    scene.world.partition([scene.at(0, 1), scene.at(2, 3)])
    await scene.run(12_000)
    remove(scene.world, open(scene.world.at(0)), scene.world.at(2))
    remove(scene.world, open(scene.world.at(0)), scene.world.at(3))
    await scene.run(2000)
    scene.world.heal()
    await scene.until(() => names(scene).length === 2, 60_000)
    await scene.settle(30_000)
    expect(names(scene)).toEqual(['a', 'b'])
  })

  it('who leaves and loses its power before anybody heard of it is a member nowhere in the end', async () => {
    const scene = await Scene.started({ members: 3 })
    const gone = scene.world.at(2)
    scene.world.partition([scene.at(0, 1), scene.at(2)])
    leave(scene.world, open(gone))
    await scene.until(() => gone.member?.roster.isRemoved === true, 5000)
    scene.world.crash(gone, 'power')
    scene.world.heal()
    scene.world.start(gone)
    await scene.until(() => !scene.world.at(0).member!.roster.isMember(gone.id), 60_000)
    await scene.settle(30_000)
    expect(names(scene)).toEqual(['a', 'b'])
  })

  it('who came back, forgot it with its disk and leaves again is a member nowhere in the end (seed 198270803073)', async () => {
    const scene = await Scene.started({ members: 3 })
    const { world } = scene
    const gone = world.at(2)
    leave(world, open(gone))
    await scene.until(() => !world.at(0).member!.roster.isMember(gone.id), 10_000)
    world.crash(gone, 'kill')
    invite(world, open(world.at(0)), gone)
    await scene.until(() => gone.standing === 'member' && gone.member !== null, 20_000)
    world.crash(gone, 'power')
    world.replaceDisk(gone, 'new') // it knows the network as it was founded, and its first membership
    world.partition([scene.at(0, 1), scene.at(2)])
    world.start(gone)
    await scene.until(() => gone.member !== null, 1000)
    leave(world, open(gone))
    await scene.until(() => gone.member?.roster.isRemoved === true, 20_000)
    world.heal()
    const counts = () => scene.at(0, 1).filter(({ member }) => member!.roster.isMember(gone.id))
    expect(counts()).toHaveLength(2)
    await scene.until(() => counts().length === 0, 60_000)
    await scene.settle(30_000)
    expect(names(scene)).toEqual(['a', 'b'])
  })

  it('a member restored from an old copy has another incarnation, and holds all again before it is Source', async () => {
    const scene = await Scene.started({ members: 3 })
    const one = scene.world.at(0)
    await scene.put(0, 'old', 'old', { wait: 'majority' })
    const copy = one.disk.copy()
    const before = one.member!.incarnation
    for (let n = 0; n < 10; n++) await scene.put(0, `lost/${n}`, `${n}`, { wait: 'majority' })
    await scene.run(6000) // what is newer than the cut no Source is asked for
    expect(scene.world.atlas.mayDestroyAt(one)).toBe(true)
    scene.world.crash(one, 'power')
    scene.world.replaceDisk(one, copy!)
    let heldAsSource = -1
    scene.world.watchers.push({
      status: ({ id, disk }, _, to) => {
        if (id === one.id && to === 'source') heldAsSource = disk.holdings.size
      },
    })
    scene.world.start(one)
    await scene.until(() => scene.are('source', 0), 30_000)
    expect(one.member!.incarnation).not.toBe(before)
    expect(heldAsSource).toBe(scene.world.at(1).disk.holdings.size)
    await scene.settle()
  })
  it('two that removed each other while they were apart are two networks, until each has joined the other again', async () => {
    const scene = await Scene.started({ members: 2 })
    const { world } = scene
    const [a, b] = scene.at(0, 1) as [SimMember, SimMember]
    world.partition([[a], [b]])
    await scene.until(() => scene.are('source') && a.member!.reached().length === 0, 20_000)
    remove(world, open(a), b)
    remove(world, open(b), a)
    await scene.put(0, 'from a', 'a')
    await scene.put(1, 'from b', 'b')
    world.heal()
    await scene.run(30_000)
    expect([a, b].map(({ member }) => member!.roster.isRemoved)).toEqual([false, false])
    expect(scene.are('source')).toBe(true)
    leave(world, open(b))
    await scene.run(3000)
    world.crash(b, 'kill')
    invite(world, open(a), b)
    // It brings the removal of its host along.
    await scene.until(() => b.member !== null && a.member!.roster.isRemoved, 30_000)
    world.crash(a, 'kill')
    invite(world, open(b), a)
    await scene.until(() => a.member !== null && b.member!.roster.isMember(a.id), 30_000)
    await scene.settle(30_000)
    expect(await scene.get(0, 'from b')).toBe('b')
    expect(await scene.get(1, 'from a')).toBe('a')
  })
})
