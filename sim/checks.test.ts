/**
 * The checks themselves: each guarantee is broken on purpose, by a hand that reaches into the
 * world, and the check must say so. A check that never fails proves nothing.
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../src/base/bytes.ts'
import { refKey } from '../src/base/fact.ts'
import type { AgreementState } from '../src/consensus/agreement/state.ts'
import { Answers } from './answers.ts'
import type { Disk } from './disk.ts'
import { checkEnding } from './ending.ts'
import { sha256 } from './history.ts'
import { naiveRoot } from './naive.ts'
import { Scene } from './scene.ts'
import type { Guarantee } from './verdict.ts'

async function settled(): Promise<Scene> {
  const scene = await Scene.started({ members: 3 })
  for (let n = 0; n < 5; n++) await scene.put(n % 3, `item/${n}`, `${n}`, { wait: 'majority' })
  await scene.settle()
  return scene
}

async function endingOf(scene: Scene): Promise<Guarantee[]> {
  await scene.ask(checkEnding(scene.world, scene.history, scene.verdict))
  return [...new Set(scene.verdict.violations.map(violation => violation.guarantee))]
}

/** An operation at a member, as if it had just been answered. */
function answered(scene: Scene, id: string, version: string, blob: string | null) {
  const begun = { client: 'x', member: 'a', kind: 'put', id, beganAtMs: 0, blob } as const
  const operation = scene.history.begin(begun)
  operation.outcome = { kind: 'done', version, level: 'majority', heldBy: ['a', 'b'], of: 3 }
  return operation
}

/** Bends the agreement of every member, again and again. */
function onEveryMember(scene: Scene, bend: (agreement: AgreementState) => void): void {
  for (const { member } of scene.world.up()) bend(member.agreement)
  scene.world.timeline.after(1, () => onEveryMember(scene, bend))
}

function forget({ holdings }: Disk, id: string): void {
  for (const [key, { fact }] of holdings) if (fact.id === id) holdings.delete(key)
}

describe('a broken guarantee is noticed', () => {
  it('nothing, when nothing is broken', async () => {
    expect(await endingOf(await settled())).toEqual([])
  })

  it('G1: an acknowledged write that no disk has', async () => {
    const scene = await settled()
    for (const { disk } of scene.world.members) forget(disk, 'item/2')
    expect(await endingOf(scene)).toContain('G1')
  })

  it('G1: a write that was told to be on more than half, and is on one disk', async () => {
    const scene = await settled()
    await scene.put(0, 'three', 'disks', { wait: 'majority' })
    await scene.settle()
    for (const { disk } of scene.world.members.slice(1)) forget(disk, 'three')
    expect(await endingOf(scene)).toContain('G1')
  })

  it('G2: an acknowledged write that one disk does not have', async () => {
    const scene = await settled()
    forget(scene.world.at(1).disk, 'item/2')
    const broken = await endingOf(scene)
    expect(broken).toContain('G2')
    expect(broken).not.toContain('G1')
  })

  it('G1: an answer that promises more disks than there are', async () => {
    const scene = await settled()
    const { id, version, blob } = await scene.put(0, 'one', 'two', { wait: 'majority' })
    for (const { disk } of scene.world.members.slice(1))
      disk.holdings.delete(refKey({ id, version }))
    const answers = new Answers(scene.world, scene.verdict, () => scene.history)
    answers.wrote(answered(scene, id, version, blob), scene.world.at(0))
    expect(scene.verdict.first?.guarantee).toBe('G1')
  })

  it('G2: a world that does not come together', async () => {
    const scene = await settled()
    scene.world.partition([scene.at(0), scene.at(1, 2)])
    await scene.put(0, 'apart', 'left')
    await expect(scene.settle(5000)).rejects.toThrow(/not within 5000 ms/)
  })

  it('G3: a hash that is not that of the facts', async () => {
    const scene = await settled()
    const { disk } = scene.world.at(2)
    const [key, holding] = [...disk.holdings].find(([, { fact }]) => fact.id === 'item/1')!
    disk.holdings.set(key, { ...holding, fact: { ...holding.fact, by: 'somebody else' } })
    expect(await endingOf(scene)).toEqual(['G3'])
  })

  it('G4: a Source without what most participants held', async () => {
    const scene = await settled()
    for (const entry of scene.world.members) scene.world.crash(entry, 'power')
    for (const { disk } of scene.world.members) {
      for (const holding of [...disk.holdings.values()]) {
        const { fact } = holding
        const ghost = { ...fact, id: 'ghost' }
        if (fact.id !== 'item/0' || disk === scene.world.at(0).disk) continue
        const state = { kind: 'pending', order: 1, fresh: false } as const
        disk.holdings.set(refKey(ghost), { ...holding, state, fact: { ...ghost, by: 'nobody' } })
      }
    }
    await scene.run(5000)
    scene.world.startAll()
    await scene.until(() => scene.are('source'), 20_000)
    expect(scene.verdict.first?.guarantee).toBe('G4')
  })

  it('G5: ten seconds without a Source', async () => {
    const scene = await settled()
    onEveryMember(scene, agreement => {
      agreement.source = null
    })
    await scene.run(12_000)
    expect(scene.verdict.first?.guarantee).toBe('G5')
  })

  it('G6: with quorum roster, Sources on both sides of a cut', async () => {
    const scene = await Scene.started({ members: 3, quorum: 'roster' })
    scene.world.partition([scene.at(0), scene.at(1, 2)])
    onEveryMember(scene, agreement => {
      agreement.source ??= { since: 0, checkAt: Number.POSITIVE_INFINITY }
    })
    await scene.run(8000)
    expect(scene.verdict.first?.guarantee).toBe('G6')
  })

  it('G7: a version that was shown and is not any more', async () => {
    const scene = await settled()
    const answers = new Answers(scene.world, scene.verdict, () => scene.history)
    const at = scene.world.at(0)
    for (const shown of ['new', 'old']) {
      const version = sha256(utf8(shown))
      const header = { id: 'item/0', version, blob: sha256(utf8(shown)) } as never
      const operation = answered(scene, 'item/0', version, sha256(utf8(shown)))
      answers.read(operation, at, { header, payload: utf8(shown) })
    }
    expect(scene.verdict.first?.guarantee).toBe('G7')
  })

  it('G8: bytes that do not match their hash, and bytes that nobody wrote', async () => {
    for (const blob of [sha256(utf8('other')), sha256(utf8('bytes'))]) {
      const scene = await settled()
      const answers = new Answers(scene.world, scene.verdict, () => scene.history)
      const operation = answered(scene, 'item/0', 'v', null)
      const header = { id: 'item/0', version: 'v', blob } as never
      answers.read(operation, scene.world.at(0), { header, payload: utf8('bytes') })
      expect(scene.verdict.first?.guarantee).toBe('G8')
    }
  })

  it('life: a process that ends by itself', async () => {
    const scene = await settled()
    const { store } = scene.world.at(1).member!
    store.commit = () => Promise.reject(new Error('no disk fails like this'))
    await expect(scene.put(1, 'x', 'x')).rejects.toThrow()
    expect(scene.verdict.first?.guarantee).toBe('life')
  })

  it('the naive root of nothing is the hash of an empty store', async () => {
    const scene = await Scene.started({ members: 1 })
    expect(naiveRoot([])).toBe(scene.root(0))
  })
})
