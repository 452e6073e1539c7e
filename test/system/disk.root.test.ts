/**
 * A disk that is full: writes are refused before anything is half done, reads go on, what others
 * hold is told honestly, and with room again everything goes on, also after a restart. The disk is
 * a small file system in memory.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JsonClient, RpcFailure } from '../support/json-client.ts'
import { isRoot, Lab, type LabMember, status, until } from '../support/lab.ts'
import { MiB, makeLargeFile } from '../support/large.ts'

function mount(...args: readonly string[]): void {
  const ran = spawnSync(args[0]!, args.slice(1), { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`${args.join(' ')}: ${ran.stderr}`)
}

describe.skipIf(!isRoot)('a member on a full disk', () => {
  let lab: Lab
  let whole: LabMember
  let full: LabMember
  let filler: string

  beforeAll(async () => {
    lab = Lab.create({ members: 2, namespaces: false })
    ;[whole, full] = lab.members as [LabMember, LabMember]
    const disk = join(lab.folder, 'disk')
    mkdirSync(disk)
    mount('mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk)
    full.store = join(disk, 'store')
    filler = join(disk, 'filler')
    await lab.form()
    await full.json(['put', 'kept', '-'], 'kept')
    await lab.allSource()
  })

  afterAll(async () => {
    await Promise.all(lab.members.map(member => member.kill()))
    mount('umount', join(lab.folder, 'disk'))
    await lab.end()
  })

  /** Leaves less than what is kept for facts, and enough for some of them. */
  function fill(leave: number): void {
    const { bavail, bsize } = statfsSync(full.store)
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leave)))
  }

  test('refuses writes with DISK_FULL, keeps what it acknowledged, and reads', async () => {
    const client = await JsonClient.open(full.socket)
    const acknowledged: string[] = []
    let refusal: unknown
    for (let at = 0; at < 100 && refusal === undefined; at++) {
      const id = `mass/${at}`
      const put = client.upload({ id, size: MiB, wait: 'pending' }, randomBytes(MiB))
      await put.then(
        () => acknowledged.push(id),
        error => {
          refusal = error
        },
      )
    }
    expect(refusal).toBeInstanceOf(RpcFailure)
    expect((refusal as RpcFailure).code).toBe('DISK_FULL')
    expect(acknowledged.length).toBeGreaterThan(20)
    fill(2 * MiB)
    await until('it says what is wrong', async () => {
      const { reasons } = await full.call<{ reasons: { reason: string }[] }>('why')
      return reasons.some(({ reason }) => reason === 'disk-full')
    })
    for (const [method, params] of [
      ['put', { id: 'small', text: 'x' }],
      ['put', { id: 'kept', text: 'x' }],
      ['delete', { id: 'kept' }],
    ] as const) {
      expect((await client.refusal(method, params)).code).toBe('DISK_FULL')
    }
    expect(await client.call('get', { id: 'kept' })).toMatchObject({ text: 'kept' })
    for (const id of acknowledged) expect((await client.download({ id })).bytes.length).toBe(MiB)
    client.close()
  })

  test('counts as a holder only of what it holds, and stays a member', async () => {
    const file = join(lab.folder, 'large')
    makeLargeFile(file, 32 * MiB)
    const put = await whole.json<{ level: string; heldBy: string[] }>(['put', 'large', file])
    expect(put).toMatchObject({ level: 'agreed', heldBy: [(await status(whole)).uuid] })
    const small = await whole.json<{ level: string }>(['put', 'small', '-'], 'small')
    expect(['agreed', 'majority']).toContain(small.level)
    expect(await full.call('get', { id: 'kept' })).toMatchObject({ text: 'kept' })
  })

  test('goes on when there is room again, and after a restart', async () => {
    await full.kill('SIGKILL')
    rmSync(filler)
    mount('mount', '-o', 'remount,size=256m', join(lab.folder, 'disk'))
    await full.start()
    await lab.allSource()
    await until('the large payload came', async () => {
      const { reasons } = await full.call<{ reasons: unknown[] }>('why', { id: 'large' })
      return reasons.length === 0
    })
    expect(await full.call('verify')).toMatchObject({ ok: true, damages: [] })
    const put = await full.json<{ level: string }>(['put', 'again', '-'], 'again')
    expect(put.level).toBe('majority')
  })
})
