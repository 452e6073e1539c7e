/**
 * Opening a folder: what is refused, with which code, and what the sentence names.
 */
import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { utf8 } from '../../src/base/bytes.ts'
import { openLevelStore } from '../../src/storage/level-store.ts'
import { markerText } from '../../src/storage/store-folder.ts'
import { tempFolders } from '../support/temp-folders.ts'

const folders = tempFolders()
const writingChild = fileURLToPath(new URL('../support/writing-child.ts', import.meta.url))

afterEach(async () => {
  await folders.remove()
})

async function madeStore(): Promise<string> {
  const folder = await folders.make()
  await (await openLevelStore(folder, { create: true })).close()
  return folder
}

describe('a folder that is no store', () => {
  it.each(['empty', 'absent', 'with other files'])(
    '%s is refused and left as it is',
    async kind => {
      const parent = await folders.make()
      const folder = kind === 'absent' ? join(parent, 'none') : parent
      if (kind === 'with other files') await writeFile(join(folder, 'letter.txt'), 'dear')
      await expect(openLevelStore(folder)).rejects.toMatchObject({ code: 'NOT_A_STORE' })
      expect(await readdir(parent)).toEqual(kind === 'with other files' ? ['letter.txt'] : [])
    },
  )

  it('becomes one only when it is asked for', async () => {
    const folder = join(await folders.make(), 'deep', 'store')
    const store = await openLevelStore(folder, { create: true })
    expect(store.report.clean).toBe(true)
    await store.close()
    await (await openLevelStore(folder)).close()
  })

  it('is no place for a new store when parts of an old one lie there', async () => {
    const folder = await madeStore()
    await writeFile(join(folder, 'veche.json'), '')
    await expect(openLevelStore(folder)).rejects.toMatchObject({ code: 'DAMAGED' })
    const other = await folders.make()
    await mkdir(join(other, 'blobs'))
    await expect(openLevelStore(other, { create: true })).rejects.toMatchObject({
      code: 'NOT_A_STORE',
    })
  })
})

describe('making a store', () => {
  it('that was interrupted is finished by the next opening', async () => {
    const folder = await folders.make()
    await writeFile(join(folder, 'veche.json'), markerText('new'))
    const store = await openLevelStore(folder)
    expect(store.report).toMatchObject({ clean: true, gap: false })
    await store.close()
    expect(await readFile(join(folder, 'veche.json'), 'utf8')).toBe(markerText('made'))
  })

  it('keeps the folder to its owner', async () => {
    const folder = join(await folders.make(), 'mine')
    const store = await openLevelStore(folder, { create: true })
    const { statSync } = await import('node:fs')
    expect(statSync(folder).mode & 0o077).toBe(0)
    await store.close()
  })
})

describe('a store of another version', () => {
  it('that is newer is refused before anything is touched', async () => {
    const folder = await folders.make()
    const marker = markerText('made').replace('"format":2', '"format":3')
    await writeFile(join(folder, 'veche.json'), marker)
    const opening = openLevelStore(folder)
    await expect(opening).rejects.toMatchObject({ code: 'NEWER_FORMAT', data: { format: 3 } })
    await expect(openLevelStore(folder)).rejects.toThrow('install the newer version')
    expect(await readdir(folder)).toEqual(['veche.json'])
  })
})

describe('a store in use', () => {
  it('by this process is refused, by any path, and stays usable and locked', async () => {
    const folder = await madeStore()
    const alias = join(await folders.make(), 'alias')
    await symlink(folder, alias)
    const store = await openLevelStore(folder)
    for (const path of [folder, alias, `${folder}/.`]) {
      await expect(openLevelStore(path)).rejects.toMatchObject({
        code: 'IN_USE',
        data: { pid: process.pid },
      })
    }
    await store.commit([{ kind: 'meta', key: 'x', value: utf8('y') }])
    expect(await openElsewhere(folder)).toContain('"IN_USE"')
    await store.close()
    await (await openLevelStore(alias)).close()
  })

  it('by another process is refused and names its pid; after kill -9 it is free again', async () => {
    const folder = await madeStore()
    const writing = spawn(process.execPath, [writingChild, folder, '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise(resolve => writing.on('close', resolve))
    await new Promise(resolve => writing.stdout.once('data', resolve))
    await expect(openLevelStore(folder)).rejects.toMatchObject({
      code: 'IN_USE',
      data: { pid: writing.pid },
    })
    await expect(openLevelStore(folder)).rejects.toThrow(`process ${writing.pid}`)
    writing.kill('SIGKILL')
    await ended
    const store = await openLevelStore(folder)
    expect(store.report).toMatchObject({ clean: false, gap: false })
    await store.close()
  })

  it('whose holder is dead is taken over: only a process that lives holds a lock', async () => {
    const folder = await madeStore()
    await writeFile(join(folder, 'lock'), '999999999 0\n')
    const store = await openLevelStore(folder)
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(`${process.pid} 1\n`)
    await store.close()
    expect(await readdir(folder)).not.toContain('lock')
  })
})

/** What another process is told that opens the store. */
async function openElsewhere(folder: string): Promise<string> {
  const module = new URL('../../src/storage/level-store.ts', import.meta.url).href
  const script = `
    const { openLevelStore } = await import(${JSON.stringify(module)})
    try { await openLevelStore(${JSON.stringify(folder)}); console.log('open') }
    catch (error) { console.log(JSON.stringify({ code: error.code, data: error.data })) }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script])
  let output = ''
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString()
  })
  await new Promise(resolve => child.on('close', resolve))
  return output
}

describe('a folder that is taken away from under an open store', () => {
  it('kills the store once, with a sentence that says so, and nothing throws', async () => {
    const folder = await madeStore()
    const store = await openLevelStore(folder)
    const faults: Error[] = []
    store.onFault(error => faults.push(error))
    expect(store.isFull()).toBe(false)
    await rm(folder, { recursive: true })
    await expect.poll(() => store.isFull(), { timeout: 5000 }).toBe(true)
    expect(store.isFull()).toBe(true)
    expect(faults.map(({ message }) => message)).toEqual([expect.stringContaining('is gone')])
    await expect(store.commit([])).rejects.toThrow('is gone')
    await store.close()
  })
})

describe('a folder without permission', () => {
  it.skipIf(process.getuid?.() !== 0)(
    'is refused with NO_PERMISSION (needs root to give it up)',
    async () => {
      const folder = await madeStore()
      const module = new URL('../../src/storage/level-store.ts', import.meta.url).href
      const script = `
      const { openLevelStore } = await import(${JSON.stringify(module)})
      process.setgid(65534); process.setuid(65534)
      try { await openLevelStore(${JSON.stringify(folder)}); console.log('open') }
      catch (error) { console.log(error.code, error.message) }`
      const child = spawn(process.execPath, ['--input-type=module', '-e', script])
      let output = ''
      child.stdout.on('data', (piece: Buffer) => {
        output += piece.toString()
      })
      await new Promise(resolve => child.on('close', resolve))
      expect(output).toMatch(/^NO_PERMISSION .*give the user who runs Veche the right/)
    },
  )
})
