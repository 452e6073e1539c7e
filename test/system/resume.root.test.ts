/**
 * A receiver that is killed in the middle of a large payload goes on where it was: the bytes that
 * come to it in total, counted by the kernel on its only line, are the payload and at most one
 * chunk more. 64 MiB; 256 MiB and 1 GiB in the larger sizes.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sized } from '../../sim/size.ts'
import { limits } from '../../src/base/limits.ts'
import { isRoot, Lab, type LabMember, until } from '../support/lab.ts'
import { hashOfFile, MiB, makeLargeFile } from '../support/large.ts'
import { bytesInto } from '../support/namespaces.ts'

const size = sized({ everyday: 64, ci: 256, deep: 1024 }) * MiB
const deadlineMs = sized({ everyday: 120_000, ci: 300_000, deep: 600_000 })

/** Ethernet, IP and TCP headers, noise tags, yamux and frame headers: measured 0.45 %. */
const framing = 1.006
/** Pings, probes and the handshakes of two starts: measured some 10 KiB a second. */
const restMax = MiB

describe.skipIf(!isRoot)('a receiver of a large payload, killed at half', () => {
  let lab: Lab
  let a: LabMember
  let b: LabMember
  let file: string
  let blob: string

  beforeAll(async () => {
    lab = Lab.create({ members: 2, namespaces: true })
    ;[a, b] = lab.members as [LabMember, LabMember]
    file = join(lab.folder, 'large')
    blob = makeLargeFile(file, size)
    await lab.form()
  }, deadlineMs)

  afterAll(async () => {
    await lab?.end()
  })

  test(
    'receives the payload and at most one chunk more in total, counted on the wire',
    async () => {
      const before = bytesInto(b.namespace!)
      const put = a.run(['put', 'large', file, '--wait', 'pending'])
      await until(
        'half of it is there',
        async () => bytesInto(b.namespace!) - before >= size / 2,
        deadlineMs,
        1,
      )
      await b.kill('SIGKILL')
      const kept = statSync(join(b.store, 'partial', blob)).size
      expect(kept).toBeGreaterThan(size / 4)
      expect(kept).toBeLessThan(size)
      expect((await put).code).toBe(0)

      await b.start()
      await until(
        'b has the payload',
        async () =>
          (await b.call<{ reasons: unknown[] }>('why', { id: 'large' })).reasons.length === 0,
        deadlineMs,
      )
      const received = bytesInto(b.namespace!) - before
      expect(received).toBeGreaterThan(size)
      expect(received).toBeLessThan((size + limits.chunkBytes) * framing + restMax)

      const out = join(lab.folder, 'out')
      expect((await b.run(['get', 'large', '-o', out])).code).toBe(0)
      expect(await hashOfFile(out)).toBe(blob)
    },
    deadlineMs * 2,
  )
})
