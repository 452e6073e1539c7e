/**
 * A large payload goes in by the command line, across to the other members and out again, and no
 * process on its way holds more of it than a few pieces. 64 MiB; 1 GiB with VECHE_DEEP=1.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab, type LabMember, until } from '../support/lab.ts'
import { forgetPeak, hashOfFile, MiB, makeLargeFile, memoryOf } from '../support/large.ts'

const isDeep = process.env.VECHE_DEEP === '1'
const size = (isDeep ? 1024 : 64) * MiB
/** What any process may hold more than before. */
const addedMax = 128 * MiB
const deadlineMs = isDeep ? 600_000 : 120_000

describe('a large payload', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember
  let file: string
  let blob: string

  beforeAll(async () => {
    lab = Lab.create({ members: 2, namespaces: false })
    ;[a, b] = lab.members as [LabMember, LabMember]
    file = join(lab.folder, 'large')
    blob = makeLargeFile(file, size)
    await lab.form()
  }, deadlineMs)

  afterAll(async () => {
    await lab?.end()
  })

  test(
    'goes in, across and out with at most 128 MiB of memory added in any process',
    async () => {
      const before = [a, b].map(({ pid }) => {
        forgetPeak(pid)
        return memoryOf(pid).now
      })
      const idle = await a.peak(['status'])
      const put = await a.peak(['put', 'large', file, '--wait', 'pending', '--json'])
      expect(JSON.parse(put.stdout)).toMatchObject({ size, blob })

      await until(
        'b has the payload',
        async () =>
          (await b.call<{ reasons: unknown[] }>('why', { id: 'large' })).reasons.length === 0,
        deadlineMs,
      )
      const out = join(lab.folder, 'out')
      const got = await b.peak(['get', 'large', '-o', out])
      expect(await hashOfFile(out)).toBe(blob)

      expect(put.peakBytes - idle.peakBytes).toBeLessThan(addedMax)
      expect(got.peakBytes - idle.peakBytes).toBeLessThan(addedMax)
      const added = [a, b].map(({ pid }, at) => memoryOf(pid).peak - before[at]!)
      expect(Math.max(...added)).toBeLessThan(addedMax)
    },
    deadlineMs * 2,
  )
})
