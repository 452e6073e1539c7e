/**
 * A steady load spread over three real daemons costs none of them its Source status and loses
 * nothing, and the five-second check is alive: it counts while all is well, and ends every Source
 * when matches are no longer noted. 6 s at 1,000 writes/s; 10 s and 60 s in the larger sizes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sized } from '../../sim/size.ts'
import { JsonClient } from '../support/json-client.ts'
import { Lab, status, until } from '../support/lab.ts'

/** Longer than the period of the check. */
const seconds = sized({ everyday: 6, ci: 10, deep: 60 })
const writesPerSecond = 1000

/** Starts a write every so often, whatever became of those before; resolves when all are answered. */
async function load(client: JsonClient, prefix: string, perSecond: number): Promise<number> {
  const begin = performance.now()
  const writes: Promise<unknown>[] = []
  for (let passed = 0; passed < seconds; passed = (performance.now() - begin) / 1000) {
    while (writes.length < passed * perSecond) {
      const id = `${prefix}/${writes.length}`
      writes.push(client.call('put', { id, text: `${id} `.repeat(20), timeoutMs: 30_000 }))
    }
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  const levels = await Promise.all(writes)
  const majority = levels.filter(put => (put as { level: string }).level === 'majority')
  expect(majority.length).toBe(levels.length)
  return writes.length
}

describe('three real daemons', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = Lab.create({ members: 3, namespaces: false })
    await lab.form()
  })

  afterAll(async () => {
    await lab?.end()
  })

  test(
    '1,000 writes/s spread over them cost none its Source status, and none is lost',
    async () => {
      const clients = await Promise.all(lab.members.map(({ socket }) => JsonClient.open(socket)))
      await Promise.all(clients.map(client => client.call('watch')))
      const counts = await Promise.all(
        clients.map((client, at) => load(client, `load/${at}`, writesPerSecond / 3)),
      )
      const written = counts.reduce((sum, count) => sum + count, 0)
      expect(written).toBeGreaterThanOrEqual(seconds * writesPerSecond * 0.99)
      await lab.allSource(lab.members, 60_000)
      for (const client of clients) {
        const statuses = client.notifications.filter(({ params }) => params.kind === 'status')
        expect(statuses).toEqual([])
        client.close()
      }
      const all = await Promise.all(lab.members.map(status))
      expect(all.map(({ items }) => items)).toEqual([written, written, written])
      expect(new Set(all.map(({ hash }) => hash)).size).toBe(1)
    },
    (seconds + 120) * 1000,
  )

  test('the check counts every 5 s, and finds the others', async () => {
    const checks: number[] = []
    const { lastCheck } = await status(lab.members[0]!)
    await until(
      'two checks were made',
      async () => {
        const { at, marked, of } = (await status(lab.members[0]!)).lastCheck
        if (at !== null && at - (checks.at(-1) ?? lastCheck.at ?? 0) > 1000) {
          checks.push(at)
          expect([marked, of]).toEqual([2, 2])
        }
        return checks.length === 2
      },
      20_000,
    )
    for (const [at, check] of checks.slice(1).entries()) {
      expect(check - checks[at]!).toBeGreaterThan(4500)
      expect(check - checks[at]!).toBeLessThan(6000)
    }
  })
})

describe('three real daemons that note no matches', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = Lab.create({ members: 3, namespaces: false })
    await lab.form([], { VECHE_TEST_FLAGS: 'suppress-marks' })
  })

  afterAll(async () => {
    await lab?.end()
  })

  test('S003-29, S003-30: every Source steps down within 10 s', async () => {
    const clients = await Promise.all(lab.members.map(({ socket }) => JsonClient.open(socket)))
    await Promise.all(clients.map(client => client.call('watch')))
    const hasSteppedDown = (client: JsonClient) =>
      client.notifications.some(
        ({ params }) => params.kind === 'status' && params.status !== 'source',
      )
    await until('all stepped down', async () => clients.every(hasSteppedDown), 10_000, 20)
    for (const client of clients) client.close()
  })
})
