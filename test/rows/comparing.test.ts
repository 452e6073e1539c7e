/**
 * What comparing costs: of a million items of which ten differ, and without payloads of any size.
 */
import { describe, expect, it } from 'vitest'
import { Scene } from '../../sim/scene.ts'
import type { SimMember } from '../../sim/world.ts'
import { type Bytes, utf8 } from '../../src/base/bytes.ts'
import { hashForms } from '../../src/base/hash.ts'
import { limits } from '../../src/base/limits.ts'
import { stampOf } from '../../src/base/stamp.ts'
import { MerkleTree } from '../../src/merkle/tree.ts'
import type { Network } from '../../src/node/ports.ts'
import { encodeBody } from '../../src/wire/body.ts'
import { decodeFrame } from '../../src/wire/frame.ts'
import { sha } from '../merkle/entries.ts'
import { walked } from '../merkle/walking.ts'
import { factOf } from '../support/one-member.ts'

describe('two trees of a million items', () => {
  it('S003-10: that differ in ten are compared with messages and bytes bounded by log n × 10', () => {
    const count = 1_000_000
    const entries = new Uint8Array(count * 64)
    for (let i = 0; i < count; i++)
      hashForms.native.into(new Uint8Array([i, i >> 8, i >> 16]), 0, 3, entries, i * 64)
    const mine = new MerkleTree()
    mine.setEntries(entries)
    const theirs = mine.clone()
    const idHashOf = (i: number) =>
      Buffer.from(entries.subarray(i * 64, i * 64 + 32)).toString('hex')
    const changed = new Map<string, string | null>()
    for (let i = 0; i < 10; i++) {
      const idHash = i % 3 === 0 ? sha(`new ${i}`) : idHashOf(i * 99_991)
      changed.set(idHash, i % 3 === 1 ? null : sha(`leaf ${i}`))
    }
    for (const [idHash, leaf] of changed) theirs.set(idHash, leaf)
    const levels = Math.ceil(Math.log(count) / Math.log(16))
    const walk = walked(mine, theirs)
    if (walk.end.kind !== 'done') throw new Error(walk.end.kind)
    expect(walk.end.isComplete).toBe(true)
    const found = walk.end.differences.map(one => [one.idHash, one.theirs])
    expect(new Map(found as [string, string | null][])).toEqual(changed)
    expect(walk.rounds).toBeLessThanOrEqual(Math.ceil(levels / 2) + 1)
    expect(walk.bytes).toBeLessThan(2048 + 192 * levels * 10)
  })
})

type Image = ReturnType<Scene['world']['members'][number]['disk']['copy']>

/** Three disks that hold some items together, and some alone, all with payloads of one size. */
async function overlapping(size: number): Promise<Image[]> {
  const scene = await Scene.started({ members: 3, seed: 'prepared' })
  const put = (place: number, id: string) =>
    scene.put(place, id, `${id} ${place} `.padEnd(size, 'x'), { wait: 'pending' })
  for (let n = 0; n < 10; n++) await put(n % 3, `all/${n}`)
  await scene.settle()
  const [a, b, c] = scene.world.members as [SimMember, SimMember, SimMember]
  scene.world.partition([[a, b], [c]])
  await scene.run(15_000)
  for (let n = 0; n < 8; n++) await put(0, `two/${n}`)
  await put(2, 'all/1') // on both sides: versions of an item that both have
  await put(0, 'all/1')
  await scene.run(3000)
  scene.world.partition([[a], [b], [c]])
  await scene.run(15_000)
  for (const place of [0, 1, 2]) for (let n = 0; n < 8; n++) await put(place, `m${place}/${n}`)
  await scene.run(3000)
  return scene.world.members.map(({ disk }) => disk.copy())
}

/** What they send to each other from their start until the first of them is elected. */
async function untilElection(images: readonly Image[]) {
  const scene = await Scene.open({ members: images.length, seed: 'compared' })
  const { network, members } = scene.world
  const bytes: Record<string, number> = {}
  let all = 0
  let elected: string | null = null
  const see = (frame: Bytes) => {
    if (elected !== null) return
    all += frame.length
    const decoded = decodeFrame(frame, limits.streamFrameBytesMax)
    if (!decoded.ok) throw new Error(decoded.sentence)
    for (const body of decoded.frame.bodies)
      bytes[body.kind] = (bytes[body.kind] ?? 0) + encodeBody(body).length
  }
  const portOf = network.port.bind(network)
  network.port = (self, life) => {
    const port = portOf(self, life)
    const send: Network['send'] = (peer, lane, frame) => {
      see(frame)
      return port.send(peer, lane, frame)
    }
    const publish: Network['publish'] = frame => {
      see(frame)
      port.publish(frame)
    }
    return { ...port, send, publish }
  }
  scene.world.watchers.push({
    status: (_entry, _from, to, why) => {
      if (to === 'source') elected ??= why
    },
  })
  for (const [at, image] of images.entries()) members[at]!.disk.keep(image, scene.world.nowMs)
  scene.world.startAll()
  await scene.until(() => elected !== null, 10_000)
  expect(elected).toMatch(/^holds exactly/)
  return { all, bytes }
}

/** Three disks of which each lacks what both others hold, so that nobody is elected as it is. */
async function rotating(size: number): Promise<Image[]> {
  const scene = await Scene.started({ members: 3, seed: 'rotating' })
  const { members, nowMs } = scene.world
  scene.world.partition(members.map(entry => [entry]))
  await scene.run(15_000)
  for (const [lacking] of members.entries())
    for (let n = 0; n < 4; n++) {
      const payload = utf8(`${lacking} ${n} `.padEnd(size, 'x'))
      const at = stampOf(nowMs, lacking * 4 + n)
      const fact = factOf(`lacked/${lacking}/${n}`, payload, at)
      for (const { member } of scene.world.up().filter(({ id }) => id !== members[lacking]!.id)) {
        const writer = await scene.ask(member.store.payloadWriter({ blob: fact.blob!, size }))
        await scene.ask(writer.write(payload))
        await scene.ask(writer.finish())
        const received = [{ fact, payload: null, added: at }]
        const options = { from: 'c', stampRule: 'smaller' } as const
        const [taken] = await scene.ask(member.ledger.receive(received, options))
        expect(taken?.kind).toBe('stored')
      }
    }
  await scene.run(3000)
  return members.map(({ disk }) => disk.copy())
}

/** All but the facts that one of them already fetches while another is being elected. */
function compared({ bytes }: Awaited<ReturnType<typeof untilElection>>): Record<string, number> {
  const { facts: _, ...rest } = bytes
  return rest
}

describe('a counter-sync', () => {
  it('S003-22: takes the same bytes on the wire, whatever the size of the payloads', async () => {
    const small = compared(await untilElection(await overlapping(300)))
    expect(Object.keys(small)).toEqual(expect.arrayContaining(['askWalk', 'walked', 'items']))
    for (const size of [16_000, 60_000])
      expect(compared(await untilElection(await overlapping(size)))).toEqual(small)
  })

  it('S003-22: that must fetch facts carries payloads of at most 16 KiB with them, and no others', async () => {
    const [small, larger, large, largest] = [
      await untilElection(await rotating(300)),
      await untilElection(await rotating(16_000)),
      await untilElection(await rotating(20_000)),
      await untilElection(await rotating(60_000)),
    ]
    expect(largest).toEqual(large)
    expect(larger.bytes.facts! - small.bytes.facts!).toBeGreaterThanOrEqual(4 * (16_000 - 300))
    expect(larger.bytes).toEqual({ ...small.bytes, facts: expect.any(Number) })
    const { facts: _, ...compared } = small.bytes
    expect(large.bytes).toMatchObject(compared)
    expect(large.bytes.chunk).toBeUndefined()
  })
})
