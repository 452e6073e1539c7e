/**
 * kill -9: a process writes and is killed at random points, again and again, on one store. All that it
 * was promised is there afterwards, whole, and the store says that it was not closed in order.
 */
import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { sized } from '../../sim/size.ts'
import { hashBytes } from '../../src/base/hash.ts'
import { openLevelStore } from '../../src/storage/level-store.ts'
import { verifyAll } from '../compliance/store.ts'
import { xorOf } from '../support/facts.ts'
import { tempFolders } from '../support/temp-folders.ts'
import { factsOf, largeOf } from '../support/writing-child.ts'

const KILLS = sized({ everyday: 6, ci: 20, deep: 200 })
const child = fileURLToPath(new URL('../support/writing-child.ts', import.meta.url))
const folders = tempFolders()

afterAll(async () => {
  await folders.remove()
})

/** Lets a process write until it has been promised so many things, kills it, answers the lines. */
async function writeAndKill(folder: string, first: number, promises: number): Promise<string[]> {
  const writing = spawn(process.execPath, [child, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const ended = new Promise(resolve => writing.on('close', resolve))
  writing.stdout.on('data', (piece: Buffer) => {
    output += piece.toString()
    if (output.split('\n').length > promises) writing.kill('SIGKILL')
  })
  await ended
  const lines = output.split('\n').slice(0, -1) // the last one may be cut
  expect(lines[0]).toBe('open')
  return lines.slice(1)
}

it('S003-12: every acknowledged write is present after kill -9 at random points', async () => {
  const folder = await folders.make()
  await (await openLevelStore(folder, { create: true })).close()
  const items = new Set<number>()
  const larges = new Set<number>()
  let random = 12345
  for (let kill = 0; kill < KILLS; kill++) {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    for (const line of await writeAndKill(folder, kill * 100_000, 2 + ((random >>> 16) % 120))) {
      const [kind, number] = line.split(' ')
      ;(kind === 'item' ? items : larges).add(Number(number))
    }
  }
  const store = await openLevelStore(folder)
  expect(store.report).toMatchObject({ clean: false, gap: false, factsMissing: 0, damages: [] })
  for (const number of items) {
    const facts = factsOf(number)
    const [summary] = await store.items([facts[0]!.id])
    expect(summary).toMatchObject({ facts: facts.length })
    expect((await store.facts(facts)).map(held => held?.fact)).toEqual(facts)
    expect(await store.hasPayloads(facts.map(fact => fact.blob!))).not.toContain(false)
  }
  for (const number of larges) {
    expect(await store.verifyPayload(hashBytes(largeOf(number)))).toBe('ok')
  }
  const { damages } = await verifyAll(store)
  expect(damages).toEqual([])
  const versions: string[] = []
  for await (const page of store.allItems()) {
    for (const { id, factsXor } of page) {
      const held = await store.factsOf(id)
      versions.push(...held.map(({ fact }) => fact.version))
      expect(factsXor).toBe(xorOf(held.map(({ fact }) => fact.version)))
    }
  }
  expect(store.counts().facts).toBe(versions.length)
  expect(items.size).toBeGreaterThan(KILLS)
  expect(larges.size).toBeGreaterThan(0)
  const uploads = (await readdir(join(folder, 'partial'))).filter(name => name.startsWith('upload'))
  expect(uploads).toEqual([])
  await store.close()
})
