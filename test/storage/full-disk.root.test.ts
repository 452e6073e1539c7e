/**
 * A disk that fills up: a small disk in memory is mounted for it, which needs root.
 */
import { spawnSync } from 'node:child_process'
import { open, readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LevelStore, openLevelStore } from '../../src/storage/level-store.ts'
import { verifyAll } from '../compliance/store.ts'
import { agreedAt, chain, itemBatch, someBytes } from '../support/facts.ts'
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()
const DISK = '48m'

function run(command: string, ...parts: string[]): void {
  const { status, stderr } = spawnSync(command, parts, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${parts.join(' ')}: ${stderr}`)
}

/** Takes all but so many bytes of the disk away, from outside. */
async function fillUp(path: string, leave: number): Promise<void> {
  const { bavail, bsize } = await statfs(join(path, '..'))
  const file = await open(path, 'w')
  const piece = new Uint8Array(1024 * 1024)
  for (let rest = bavail * bsize - leave; rest > 0; ) {
    const { bytesWritten } = await file.write(piece, 0, Math.min(piece.length, rest))
    rest -= bytesWritten
  }
  await file.close()
}

async function write(store: LevelStore, name: string): Promise<void> {
  await store.commit(itemBatch(chain(name, 4), at => agreedAt(at)))
}

describe.skipIf(process.getuid?.() !== 0)('a full disk', () => {
  let disk: string
  let folder: string

  beforeEach(async () => {
    disk = await folders.make()
    run('mount', '-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk)
    folder = join(disk, 'store')
  })

  afterEach(async () => {
    run('umount', '-l', disk)
    await folders.remove()
  })

  it('is said while there is still a reserve: uploads are refused, reads and small writes go on', async () => {
    const before = await openLevelStore(folder, { create: true })
    await write(before, 'before')
    expect(before.isFull()).toBe(false)
    await before.close()
    await fillUp(join(disk, 'filler'), 1024 * 1024)
    const store = await openLevelStore(folder)
    expect(store.isFull()).toBe(true)
    const writer = await store.payloadWriter(null)
    await expect(writer.write(someBytes(1000, 1))).rejects.toMatchObject({ code: 'DISK_FULL' })
    await writer.close('remove')
    await write(store, 'from the reserve')
    expect(await store.factsOf('before')).toHaveLength(4)
    await rm(join(disk, 'filler'))
    expect(store.isFull()).toBe(false)
    await write(store, 'after')
    await store.close()
    const again = await openLevelStore(folder)
    expect(again.report).toMatchObject({ clean: true, gap: false })
    expect(again.counts()).toMatchObject({ items: 3, facts: 12 })
    await again.close()
  })

  it('to the last byte kills the store, loses nothing it promised, and opens when there is room', async () => {
    const store = await openLevelStore(folder, { create: true })
    const faults: Error[] = []
    store.onFault(error => faults.push(error))
    await fillUp(join(disk, 'filler'), 300_000)
    const promised: string[] = []
    const failure = await writeUntilItFails(store, promised)
    expect(failure).toMatchObject({ code: 'DISK_FULL' })
    expect(faults).toEqual([failure])
    await expect(write(store, 'late')).rejects.toBe(failure)
    await store.close()
    await rm(join(disk, 'filler'))
    const again = await openLevelStore(folder)
    expect(again.report.gap).toBe(false)
    expect(promised.length).toBeGreaterThan(0)
    for (const name of promised) expect(await again.factsOf(name)).toHaveLength(4)
    expect((await verifyAll(again)).damages).toEqual([])
    await again.close()
  })

  it('at the opening is said with DISK_FULL, and the store opens when there is room', async () => {
    await (await openLevelStore(folder, { create: true })).close()
    await fillUp(join(disk, 'filler'), 0)
    await expect(openLevelStore(folder)).rejects.toMatchObject({ code: 'DISK_FULL' })
    await expect(openLevelStore(join(disk, 'new'), { create: true })).rejects.toMatchObject({
      code: 'DISK_FULL',
    })
    await rm(join(disk, 'filler'))
    const store = await openLevelStore(folder)
    expect(store.report.gap).toBe(false)
    await store.close()
  })

  it('while closing is said, and the folder is free again all the same', async () => {
    const store = await openLevelStore(folder, { create: true })
    await write(store, 'a')
    await fillUp(join(disk, 'filler'), 0)
    await expect(store.close()).rejects.toMatchObject({ code: 'DISK_FULL' })
    await rm(join(disk, 'filler'))
    const again = await openLevelStore(folder)
    expect(again.report).toMatchObject({ clean: false, gap: false })
    await again.close()
  })

  it('in the middle of a payload leaves no payload, and no fault', async () => {
    const store = await openLevelStore(folder, { create: true })
    const writer = await store.payloadWriter(null)
    await writer.write(someBytes(1000, 1))
    await writeFile(join(disk, 'filler'), new Uint8Array(0))
    await fillUp(join(disk, 'filler'), 0)
    await expect(writer.write(someBytes(1_000_000, 2))).rejects.toMatchObject({ code: 'DISK_FULL' })
    await writer.close('remove')
    await rm(join(disk, 'filler'))
    const last = await store.payloadWriter(null)
    await last.write(someBytes(1000, 3))
    await writeFile(join(disk, 'filler'), new Uint8Array(0))
    await fillUp(join(disk, 'filler'), 0)
    await last.write(someBytes(1000, 4)) // the disk was looked at a moment ago, and had room
    await expect(last.finish()).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(await readdir(join(folder, 'partial'))).toEqual([])
    await rm(join(disk, 'filler'))
    await write(store, 'after')
    await store.close()
  })
})

async function writeUntilItFails(store: LevelStore, promised: string[]): Promise<unknown> {
  for (let at = 0; at < 10_000; at++) {
    try {
      await write(store, `item ${at}`)
      promised.push(`item ${at}`)
    } catch (error) {
      return error
    }
  }
  return undefined
}
