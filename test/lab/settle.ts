/**
 * The end of a network's faults: everything runs and hears everything again. Then a Source must exist
 * within its time, every member must take a write, and all must come to one hash; how long each took
 * is measured, and what took too long is a finding. At last every member is dumped: what it shows
 * over its socket, and what lies in its files once its process is gone.
 */
import { readdirSync } from 'node:fs'
import type { DumpLine, ShownItem } from '../../sim/checker/format.ts'
import type { Status } from '../support/lab.ts'
import { MiB, memoryOf } from '../support/large.ts'
import type { Clients } from './clients.ts'
import type { Daemon } from './daemon.ts'
import { readStore } from './store/facts.ts'
import type { Tape } from './tape.ts'
import { wait, waitedMs } from './time.ts'

/** G5: a Source exists so long after the last fault. */
const SOURCE_MS = 10_000
const EQUAL_MS = 20_000
const WRITE_MS = 10_000
/** What was written during the faults goes over the wire at least this fast. */
const BYTES_PER_MS = 2000
/** How long to look on after the bound: whether it comes at all is worth knowing. */
const LOOK_ON = 3
const LOOK_EVERY_MS = 250
/** What a member of a small network with little in it may hold once the strangers have left. */
const DESCRIPTORS_MAX = 120
const RESIDENT_BYTES_MAX = 512 * MiB
/** Between two dumps in calm: nothing may change. */
const IDLE_MS = 3000

export interface Settled {
  /** From the last fault to the first Source; null: never. */
  readonly sourceMs: number | null
  /** From the last fault until all were equal; null: never. */
  readonly equalMs: number | null
  /** How long the daemons waited for a processor until then: bounds are longer by so much. */
  readonly waitedMs: number
}

export interface Ending {
  readonly daemons: readonly Daemon[]
  readonly clients: Clients
  readonly tape: Tape
  readonly findings: string[]
}

/** Since the heal: how long it is, and how long its daemons waited for a processor. */
class Since {
  readonly #at: number
  readonly #daemons: readonly Daemon[]
  readonly #waitedBefore: number

  constructor(daemons: readonly Daemon[], at: number) {
    this.#at = at
    this.#daemons = daemons
    this.#waitedBefore = this.#waited()
  }

  get ms(): number {
    return Math.round(performance.now() - this.#at)
  }

  get waitedMs(): number {
    return Math.round(this.#waited() - this.#waitedBefore)
  }

  #waited(): number {
    return waitedMs(this.#daemons.filter(({ isUp }) => isUp).map(({ member }) => member.pid))
  }
}

/** Waits until all is well, and dumps everybody. The last fault ended at `healedAt`. */
export async function settle(ending: Ending, healedAt: number): Promise<Settled> {
  const { daemons, clients, findings, tape } = ending
  const since = new Since(daemons, healedAt)
  const told = { findings, tell: () => differences(daemons) }
  const anySource = async () => (await all(daemons)).some(isSource)
  const sourceMs = await reach({ ...told, what: 'a Source', boundMs: SOURCE_MS, since }, anySource)
  for (const daemon of daemons) {
    const asked = new Since(daemons, performance.now())
    await clients.probe(daemon)
    const what = `the answer to a write at ${daemon.name}`
    await reach({ ...told, what, boundMs: WRITE_MS, since: asked }, async () => true)
  }
  const boundMs = Math.round(EQUAL_MS + tape.counts.bytes / BYTES_PER_MS)
  const equal = { ...told, what: 'one hash at all members', boundMs, since }
  const equalMs = await reach(equal, () => areEqual(daemons))
  const waited = since.waitedMs
  for (const daemon of daemons) sample(tape, daemon)
  for (const daemon of daemons) tape.write({ ...(await shown(daemon)), facts: null })
  await wait(IDLE_MS)
  await dumpAll(ending)
  return { sourceMs, equalMs, waitedMs: waited }
}

interface Awaited {
  readonly what: string
  readonly boundMs: number
  readonly since: Since
  readonly findings: string[]
  /** What stands in the way. */
  readonly tell: () => Promise<string[]>
}

/** When something holds, in ms since the heal; null if it does not even long after its bound. */
async function reach(awaited: Awaited, holds: () => Promise<boolean>): Promise<number | null> {
  const { what, boundMs, since, findings, tell } = awaited
  let isLate = false
  for (;;) {
    const atMs = since.ms
    const mayMs = boundMs + since.waitedMs
    if (await holds()) {
      if (atMs > mayMs) findings.push(`${what} took ${atMs} ms, at most ${mayMs} ms`)
      return atMs
    }
    if (atMs > mayMs && !isLate) {
      isLate = true
      findings.push(`${what} is not there after ${atMs} ms:`, ...(await tell()))
    }
    if (atMs > mayMs * LOOK_ON) return null
    await wait(LOOK_EVERY_MS)
  }
}

function sample(tape: Tape, daemon: Daemon): void {
  const { pid } = daemon.member
  const measures = [
    ['open files and sockets', readdirSync(`/proc/${pid}/fd`).length, DESCRIPTORS_MAX],
    ['resident bytes', memoryOf(pid).now, RESIDENT_BYTES_MAX],
  ] as const
  for (const [what, value, limit] of measures) {
    tape.write({ kind: 'sample', member: daemon.id, what, value, limit })
  }
}

function all(daemons: readonly Daemon[]): Promise<(Status | null)[]> {
  return Promise.all(daemons.map(daemon => daemon.statusOrNull()))
}

function isSource(status: Status | null): boolean {
  return status?.status === 'source'
}

async function areEqual(daemons: readonly Daemon[]): Promise<boolean> {
  const statuses = await all(daemons)
  const [first] = statuses
  const isCalm = statuses.every(
    status =>
      status !== null &&
      isSource(status) &&
      status.hash === first?.hash &&
      status.unsettled === 0 &&
      status.pending === 0,
  )
  if (!isCalm) return false
  const missing = await Promise.all(daemons.map(lacking))
  return missing.every(reasons => reasons.length === 0)
}

interface Why {
  readonly reasons: readonly { readonly reason: string; readonly sentence: string }[]
}

/** Why a member lacks something that it should have. */
async function lacking(daemon: Daemon): Promise<string[]> {
  const { reasons } = await daemon.call<Why>('why')
  return reasons
    .filter(({ reason }) => ['payload-missing', 'payload-damaged', 'gap'].includes(reason))
    .map(({ sentence }) => `${daemon.name}: ${sentence}`)
}

async function differences(daemons: readonly Daemon[]): Promise<string[]> {
  const statuses = await all(daemons)
  const told = statuses.map((status, at) => {
    if (status === null) return `${daemons[at]!.name} does not answer`
    const { hash, pending, unsettled, facts, problems } = status
    const said = problems.map(({ sentence }) => sentence).join(' ')
    const what = `${status.status}, hash ${hash.slice(0, 12)}, ${facts} facts, ${pending} pending`
    return `${daemons[at]!.name} is ${what}, ${unsettled} unsettled. ${said}`
  })
  return [...told, ...(await Promise.all(daemons.map(lacking))).flat()]
}

type Shown = Omit<DumpLine, 'seq' | 'atMs' | 'facts'>

/** What a member shows over its socket, all of it. */
async function shown(daemon: Daemon): Promise<Shown> {
  const { status, members, cut, hash } = await daemon.status()
  const items: ShownItem[] = []
  for (let after: string | undefined; ; ) {
    const params = { deleted: true, ...(after === undefined ? {} : { after }) }
    const page = await daemon.call<{ items: ShownItem[]; next?: string }>('list', params)
    for (const { id, version, blob } of page.items) items.push({ id, version, blob })
    after = page.next
    if (after === undefined) break
  }
  const roster = members.map(({ uuid }) => uuid)
  const known = status as Shown['status']
  return {
    kind: 'dump',
    member: daemon.id,
    moment: 'settled',
    status: known,
    roster,
    cut,
    hash,
    items,
  }
}

/** Ends every process, half of them in order and half not, and reads what lies in the files. */
async function dumpAll({ daemons, tape, findings }: Ending): Promise<void> {
  const dumps = await Promise.all(daemons.map(shown))
  for (const [at, daemon] of daemons.entries()) {
    const signal = at % 2 === 0 ? 'SIGTERM' : 'SIGKILL'
    const code = await daemon.member.kill(signal)
    if (signal === 'SIGTERM' && code !== 0) {
      findings.push(`${daemon.name} was asked to stop and ended with ${code}`)
    }
  }
  for (const [at, daemon] of daemons.entries()) {
    const { facts, damaged } = readStore(daemon.member.store)
    for (const key of damaged) findings.push(`${daemon.name}: the record ${key} is damaged`)
    tape.write({ ...dumps[at]!, facts })
  }
}
