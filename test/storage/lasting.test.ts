/**
 * What no other member could give back (who this member is, its network's key, its vote) lies in two
 * places: one of them may be damaged in any way, and the member is the same.
 */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../src/base/bytes.ts'
import { type Identity, readIdentity, writeIdentity } from '../../src/node/identity.ts'
import { openLevelStore } from '../../src/storage/level-store.ts'
import { LASTING_META_KEYS } from '../../src/storage/store.ts'
import { verifyAll } from '../compliance/store.ts'
import { copyOf, cutFile, flipBit, removeFile } from '../support/damage.ts'
import { someBytes } from '../support/facts.ts'
import { memberFact } from '../support/lone-member.ts'
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()
const identity: Identity = {
  privateKey: someBytes(68, 1),
  networkKey: someBytes(32, 2),
  name: 'one',
  listen: ['/ip4/127.0.0.1/tcp/4001'],
  announce: [],
}
const vote = utf8('a vote')

let whole: string

beforeAll(async () => {
  whole = await folders.make()
  const store = await openLevelStore(whole, { create: true })
  await writeIdentity(store, identity, [memberFact('me')])
  await store.commit([{ kind: 'meta', key: 'roster/vote', value: vote }])
  await store.close()
})

afterAll(async () => {
  await folders.remove()
})

/** Does something to the records of a closed store that are kept twice. */
async function spoil(folder: string, how: 'flipped' | 'gone' | 'under another letter') {
  const db = new Level<string, Uint8Array>(join(folder, 'db'), { valueEncoding: 'view' })
  for (const name of LASTING_META_KEYS) {
    const record = Uint8Array.from((await db.get(`m${name}`))!)
    if (how === 'flipped') record[record.length - 1]! ^= 4
    if (how === 'flipped') await db.put(`m${name}`, record)
    else await db.del(`m${name}`)
    if (how === 'under another letter') await db.put(`o${name}`, record)
  }
  await db.close()
}

const file = (folder: string) => join(folder, 'lasting')

describe('the identity of a member', () => {
  it.each(['flipped', 'gone', 'under another letter'] as const)(
    'is the same with its records %s, which is told and mended',
    async how => {
      const folder = await copyOf(whole, await folders.make())
      await spoil(folder, how)
      const store = await openLevelStore(folder)
      expect(await readIdentity(store)).toEqual(identity)
      expect(await store.meta('roster/vote')).toEqual(vote)
      const told = store.report.damages.map(({ sentence }) => sentence).join(' ')
      for (const name of LASTING_META_KEYS) expect(told).toContain(name)
      await verifyAll(store)
      expect((await verifyAll(store)).damages).toEqual([])
      await store.close()
      const again = await openLevelStore(folder)
      expect(again.report.damages).toEqual([])
      await again.close()
    },
  )

  it.each([
    ['flipped', (path: string) => flipBit(path, 0.5)],
    ['cut', (path: string) => cutFile(path, 0.5)],
    ['emptied', (path: string) => cutFile(path, 0)],
    ['gone', removeFile],
  ] as const)('is the same with its second copy %s, which is written anew', async (how, damage) => {
    const folder = await copyOf(whole, await folders.make())
    const before = await readFile(file(folder), 'latin1')
    await damage(file(folder))
    const store = await openLevelStore(folder)
    expect(await readIdentity(store)).toEqual(identity)
    expect(store.report.damages).toHaveLength(how === 'gone' ? 0 : 1)
    expect(await readFile(file(folder), 'latin1')).toBe(before)
    await damage(file(folder))
    expect((await verifyAll(store)).damages).toHaveLength(how === 'gone' ? 0 : 1)
    expect(await readFile(file(folder), 'latin1')).toBe(before)
    await store.close()
  })

  it('that is lost in both places is refused in words, never made anew', async () => {
    const folder = await copyOf(whole, await folders.make())
    await spoil(folder, 'under another letter')
    await removeFile(file(folder))
    const store = await openLevelStore(folder)
    await expect(readIdentity(store)).rejects.toMatchObject({ code: 'DAMAGED' })
    await store.close()
  })

  it('follows every change: a newer vote is in both places', async () => {
    const folder = await copyOf(whole, await folders.make())
    const store = await openLevelStore(folder)
    await store.commit([{ kind: 'meta', key: 'roster/vote', value: utf8('a newer vote') }])
    await store.close()
    expect((await stat(file(folder))).mode & 0o777).toBe(0o600)
    await spoil(folder, 'flipped')
    const again = await openLevelStore(folder)
    expect(await again.meta('roster/vote')).toEqual(utf8('a newer vote'))
    await again.close()
  })
})
