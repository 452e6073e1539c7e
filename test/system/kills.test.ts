/**
 * A daemon that is ended at any moment, by SIGKILL or by Ctrl-C, has every write that it had
 * acknowledged, and its tree is that of its journal. 6 kills; 20 and 1,000 in the larger sizes.
 */
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { naiveRoot } from '../../sim/naive.ts'
import { sized } from '../../sim/size.ts'
import { type HeldFact, isSystemId } from '../../src/base/fact.ts'
import { stampOf } from '../../src/base/stamp.ts'
import { rebuild } from '../../src/node/ledger/rebuild.ts'
import { openLevelStore } from '../../src/storage/level-store.ts'
import type { Store } from '../../src/storage/store.ts'
import { JsonClient, RpcFailure } from '../support/json-client.ts'
import { Lab, type LabMember, status } from '../support/lab.ts'

const kills = sized({ everyday: 6, ci: 20, deep: 1000 })
const interrupts = sized({ everyday: 2, ci: 3, deep: 200 })
/** Items that are written again and again, so that chains grow, too. */
const itemsMax = 200

interface Acknowledged {
  readonly id: string
  readonly version: string
  readonly blob: string | null
}

/** Writes of all kinds, 16 at a time, until the connection ends. */
class Writers {
  readonly acknowledged: Acknowledged[] = []
  readonly #client: JsonClient
  #count = 0

  constructor(client: JsonClient) {
    this.#client = client
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: 16 }, () => this.#writer()))
  }

  async #writer(): Promise<void> {
    while (!this.#client.socket.destroyed) {
      const id = `load/${randomInt(itemsMax)}`
      const size = this.#count++ % 10 === 0 ? 20_000 : 200
      try {
        const put =
          this.#count % 15 === 0
            ? await this.#client.call<Acknowledged>('delete', { id })
            : await this.#client.call<Acknowledged>('put', {
                id,
                text: `${Math.random()}`.padEnd(size, 'x'),
              })
        this.acknowledged.push(put)
      } catch (error) {
        // A delete of what was never put is refused; a lost connection ends the load.
        const isRefusal = error instanceof RpcFailure && error.code === 'NOT_FOUND'
        if (!isRefusal && !isEnd(error)) throw error
      }
    }
  }
}

function isEnd(error: unknown): boolean {
  return (
    (error instanceof RpcFailure && error.code === 'STOPPING') ||
    (error instanceof Error && error.message === 'the socket closed')
  )
}

/** Opens the store of an ended daemon and holds it against what was acknowledged. */
async function inspect(member: LabMember, acknowledged: readonly Acknowledged[]): Promise<void> {
  const store = await openLevelStore(member.store, { create: false })
  try {
    expect(store.report).toMatchObject({ gap: false, factsMissing: 0, pendingMissing: 0 })
    const facts = await store.facts(acknowledged)
    expect(acknowledged.filter((_, at) => facts[at] === undefined)).toEqual([])
    const blobs = acknowledged.flatMap(({ blob }) => (blob === null ? [] : [blob]))
    expect((await store.hasPayloads(blobs)).every(has => has)).toBe(true)
    await inspectRoot(store)
  } finally {
    await store.close()
  }
}

async function inspectRoot(store: Store): Promise<void> {
  const { lastCut } = store.report
  if (lastCut === null) return
  const held: HeldFact[] = []
  for await (const page of store.allItems()) {
    for (const { id } of page) if (!isSystemId(id)) held.push(...(await store.factsOf(id)))
  }
  const limit = stampOf(lastCut.cut)
  const settled = held.filter(({ state }) => state.kind === 'agreed' && state.added <= limit)
  expect(naiveRoot(settled.map(({ fact }) => fact))).toBe(lastCut.root)
  expect((await rebuild(store, lastCut.cut)).sets.settled.root()).toBe(lastCut.root)
}

describe('a daemon that is ended at random moments under load', () => {
  let lab: Lab
  let member: LabMember
  const all = new Map<string, Acknowledged>()

  beforeAll(async () => {
    lab = Lab.create({ members: 1, namespaces: false })
    member = lab.members[0]!
    await lab.form()
  })

  afterAll(async () => {
    await lab?.end()
  })

  /** One life under load; answers how the daemon ended. */
  async function life(signal: NodeJS.Signals): Promise<number | null> {
    if (member.daemon === null) await member.start()
    const client = await JsonClient.open(member.socket)
    const writers = new Writers(client)
    const running = writers.run()
    const { promise, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, randomInt(10, 400))
    await promise
    const code = await member.kill(signal)
    client.close()
    await running
    for (const one of writers.acknowledged) all.set(one.id + one.version, one)
    await inspect(member, writers.acknowledged)
    return code
  }

  test(
    `S003-12: after kill -9 the rebuilt root is that of the journal's last cut, and every acknowledged write is there`,
    async () => {
      for (let at = 0; at < kills; at++) await life('SIGKILL')
      expect(all.size).toBeGreaterThan(kills)
      await inspect(member, [...all.values()])
    },
    sized({ everyday: 120_000, ci: 300_000, deep: 3_600_000 }),
  )

  test(
    'Ctrl-C at any moment under load loses nothing and ends in order',
    async () => {
      for (let at = 0; at < interrupts; at++) expect(await life('SIGINT')).toBe(0)
      await inspect(member, [...all.values()])
    },
    sized({ everyday: 120_000, deep: 1_800_000 }),
  )

  test(
    'Ctrl-C at any moment of the start leaves a whole store',
    async () => {
      for (let at = 0; at < interrupts; at++) {
        const { promise, resolve } = Promise.withResolvers<void>()
        setTimeout(resolve, randomInt(0, 1200))
        const started = member.start().then(
          () => undefined,
          () => undefined, // it was told to end: that it did is what is wanted
        )
        await promise
        await member.kill('SIGINT')
        await started
      }
      await inspect(member, [...all.values()])
      await member.start()
      await lab.allSource()
      const { items } = await status(member)
      expect(items).toBeLessThanOrEqual(itemsMax)
      expect(await member.call('verify')).toMatchObject({ ok: true, damages: [] })
    },
    sized({ everyday: 120_000, deep: 1_800_000 }),
  )
})
