/**
 * How often a member says which numbers of another it holds: at once when there is something new,
 * and else as seldom as what may be lost allows.
 */
import { beforeEach, expect, test } from 'vitest'
import { limits } from '../../../src/base/limits.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import type { AckVector, Envelope, Ping } from '../../../src/consensus/messages.ts'
import { decodeFrame } from '../../../src/wire/frame.ts'
import { BEGIN_MS, Lone, settled } from '../../support/lone-member.ts'
import { factOf } from '../../support/one-member.ts'

const OTHER = 'b'
let lone: Lone
let said: Envelope

beforeEach(async () => {
  lone = await Lone.open({ others: [OTHER] })
  await lone.start()
  lone.reach(OTHER, { status: 'source' })
  said = lone.envelope(OTHER, { status: 'source' })
})

/** Acknowledgments that were sent to the other since the last call. */
function acks(): AckVector[] {
  const found: AckVector[] = []
  for (const { frame } of lone.network.sent.splice(0)) {
    const decoded = decodeFrame(frame, limits.streamFrameBytesMax)
    if (!decoded.ok) throw new Error(decoded.sentence)
    for (const body of decoded.frame.bodies) if (body.kind === 'ack') found.push(body.vector)
  }
  return found
}

async function add(sequence: number): Promise<void> {
  const payload = new Uint8Array([sequence])
  const fact = factOf(`i/${sequence}`, payload)
  const added = stampOf(BEGIN_MS, sequence)
  await lone.member.adding.onAdds(said, {
    kind: 'adds',
    adds: [{ sequence, added, fact, payload }],
  })
  await settled()
}

/** The other pings, and says how far its numbers go. */
async function ping(sequence: number): Promise<void> {
  const { member, clock } = lone
  const wallMs = clock.wallMs()
  const lists = { answers: ['me'], reached: [], marked: [], addresses: [] }
  const counts = { sequence, floor: 1, configuration: 0, wallMs }
  const systemRoot = member.ledger.systemRoot()
  const body: Ping = { kind: 'ping', systemRoot, ...lists, ...counts }
  member.adding.onPing(said, body)
  await settled()
}

test('what was acknowledged is not said again with every ping, but after some seconds', async () => {
  await add(1)
  expect(acks()).toMatchObject([{ upTo: 1 }])
  for (let second = 0; second < 4; second++) {
    await ping(1)
    await lone.clock.pass(1000)
  }
  expect(acks()).toEqual([])
  await lone.clock.pass(1000)
  await ping(1)
  await ping(1)
  expect(acks()).toMatchObject([{ upTo: 1 }])
})

test('something new is acknowledged at once, and all is said again over a new link', async () => {
  await add(1)
  await add(3)
  expect(acks()).toMatchObject([
    { upTo: 1, ranges: [] },
    { upTo: 1, ranges: [[3, 3]] },
  ])
  await add(2)
  expect(acks()).toMatchObject([{ upTo: 3, ranges: [] }])
  await ping(3)
  expect(acks()).toEqual([])
  lone.network.listener?.disconnected(OTHER)
  lone.network.connected.add(OTHER)
  await ping(3)
  expect(acks()).toMatchObject([{ upTo: 3 }])
})
