/**
 * A whole member that runs in this process, on a store in memory, with its real control socket and
 * its real network on loopback: what the fuzzers of the sockets speak to. It knows one more member,
 * whose key the fuzzer holds.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bytes } from '../../../src/base/bytes.ts'
import { hashText } from '../../../src/base/hash.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import { runMember } from '../../../src/node/daemon-run.ts'
import { systemFact, systemId } from '../../../src/node/driver/system.ts'
import { writeIdentity } from '../../../src/node/identity.ts'
import { generatePrivateKey, memberIdOf } from '../../../src/node/libp2p/keys.ts'
import type { Contact } from '../../../src/node/ports.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { RawClient } from '../../support/control.ts'

/** What may be in use more at the end than at the beginning: caches that fill, and what is on its way. */
const GROWTH_BYTES_MAX = 192 * 1024 * 1024

export interface Victim {
  readonly socket: string
  readonly contact: Contact
  readonly networkKey: Bytes
  /** The private key of the other member. */
  readonly memberKey: Bytes
  /** Throws when it died, answers no more, grew, or holds anything else than at the beginning. */
  check(): Promise<void>
  /** What it says is wrong, by reason. */
  problems(): Promise<readonly string[]>
  stop(): Promise<void>
}

/** Starts it, with some items of its own. */
export async function startVictim(): Promise<Victim> {
  const [privateKey, memberKey] = [await generatePrivateKey(), await generatePrivateKey()]
  const networkKey = new Uint8Array(randomBytes(32))
  const store = new MemoryStore()
  const self = memberIdOf(privateKey)
  const stamp = { at: stampOf(Date.now()), by: self }
  const identity = {
    privateKey,
    networkKey,
    name: 'victim',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
  }
  const facts = [self, memberIdOf(memberKey)].map(peer =>
    systemFact(systemId.member(peer, 1), { peer, number: 1, name: peer, addresses: [] }, stamp),
  )
  await writeIdentity(store, identity, facts)
  const folder = await mkdtemp(join(tmpdir(), 'veche-fuzz-'))
  const socket = join(folder, 'control.sock')
  const faults: unknown[] = []
  const running = await runMember({
    store,
    identity,
    mdns: false,
    socket,
    log: (level, sentence, fields) => {
      if (level === 'error') faults.push(`${sentence} ${JSON.stringify(fields)}`)
    },
    onFatal: error => faults.push(error),
  })
  const client = await RawClient.open(socket)
  for (let n = 0; n < 10; n++)
    await client.call('put', {
      id: `kept/${n}`,
      text: `text ${n}`,
      wait: 'agreed',
      timeoutMs: 10_000,
    })
  const print = async () => {
    const { result } = await client.call('list', {})
    const members = (await client.call('members')).result
    const names = ((members?.members ?? []) as { uuid: string }[]).map(({ uuid }) => uuid).sort()
    return JSON.stringify([hashText(JSON.stringify(result?.items)), names, store.counts()])
  }
  const before = await print()
  const memoryBefore = memory()
  return {
    socket,
    contact: { peer: self, addresses: running.addresses },
    networkKey,
    memberKey,
    async check() {
      const after = await print()
      if (faults.length > 0) throw new Error(`it failed: ${String(faults[0])}`)
      if (after !== before) throw new Error(`it changed: ${before} became ${after}`)
      const grown = memory() - memoryBefore
      if (grown > GROWTH_BYTES_MAX) throw new Error(`it grew by ${grown} bytes`)
    },
    async problems() {
      const { result } = await client.call('why')
      return ((result?.reasons ?? []) as { reason: string }[]).map(({ reason }) => reason)
    },
    async stop() {
      client.close()
      await running.stop()
      await rm(folder, { recursive: true })
    },
  }
}

function memory(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
