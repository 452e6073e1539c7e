/**
 * One network of the lab, from its making to its verdict: members formed by the command line as a
 * user would, each in its namespace on its own disk; a time of faults under load; the heal; the
 * dumps; the checker. Whatever happens, its processes are ended and its disks unmounted at the end.
 */
import { cpSync, createReadStream, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { checkHistory, type Verdict, verdictText } from '../../sim/checker/check.ts'
import { readHistory } from '../../sim/checker/read.ts'
import { until } from '../support/lab.ts'
import { ip, makeNamespace } from '../support/namespaces.ts'
import { Clients } from './clients.ts'
import { Daemon } from './daemon.ts'
import { Dice } from './dice.ts'
import { LoopDisk } from './disk.ts'
import type { World } from './faults/fault.ts'
import { isGood, type Outcome } from './figures.ts'
import { Links } from './links.ts'
import { drawPlan, harm, smallPlan } from './nemesis.ts'
import { type Settled, settle } from './settle.ts'
import { Tape } from './tape.ts'
import { Phase } from './time.ts'
import { type Extras, run } from './tools.ts'

const BRIDGE = 'lab'
/** Forming is no part of what is judged: it may take its time on a busy machine. */
const FORM_MS = 120_000
/** The lab judges times itself, by the load of the machine; beyond this the checker does, too. */
const WRITE_MS_MAX = 60_000

export interface NetworkOptions {
  readonly seed: string
  readonly members: number
  /** Of faults. */
  readonly seconds: number
  /** Takes everything that the network writes; what is left there tells of a failure. */
  readonly folder: string
  readonly extras: Extras
  readonly isSmall: boolean
  /** Disks lie about syncing. */
  readonly isCanary: boolean
}

/** Makes a network, harms it, heals it and judges it. */
export async function runNetwork(options: NetworkOptions): Promise<Outcome> {
  const { seed, members, seconds, folder } = options
  mkdirSync(folder, { recursive: true })
  const findings: string[] = []
  const tape = new Tape(join(folder, 'history.jsonl'))
  const daemons: Daemon[] = []
  let settled: Settled | null = null
  let verdict: Verdict | null = null
  try {
    settled = await live(options, { tape, daemons, findings })
  } catch (error) {
    findings.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  tape.close()
  if (settled !== null) verdict = await judge(tape.path)
  const outcome = { seed, members, seconds, counts: tape.counts, settled, verdict, findings }
  const told = verdict === null ? 'no verdict' : verdictText(verdict)
  writeFileSync(join(folder, 'verdict.txt'), `${[told, ...findings].join('\n')}\n`)
  await end(folder, daemons, isGood(outcome))
  return outcome
}

interface Made {
  readonly tape: Tape
  readonly daemons: Daemon[]
  readonly findings: string[]
}

async function live(options: NetworkOptions, made: Made): Promise<Settled> {
  const { seed, members, seconds, extras, isSmall, isCanary } = options
  const { tape, daemons, findings } = made
  const dice = new Dice(`lab ${seed}`)
  await makeMembers(options, made)
  await form(daemons)
  tape.write({
    kind: 'begin',
    format: 1,
    run: `lab seed ${seed}, ${members} members, ${seconds} s`,
    members: daemons.map(({ id }) => id),
    quorum: 'visible',
    records: { holds: false, statuses: false, samples: true },
    // An old copy put back may lack what its member alone had acknowledged as pending.
    mayDestroyAll: true,
    bounds: {
      sourceMs: WRITE_MS_MAX,
      debtMs: WRITE_MS_MAX,
      writeMs: WRITE_MS_MAX,
      rosterLagMs: 5000,
      persistMs: 2000,
    },
  })
  const links = new Links(
    daemons.map(({ name, member: { namespace, address } }) => ({
      name,
      namespace: namespace!,
      address,
    })),
  )
  const load = {
    clientsPerMember: dice.int(3, 8),
    thinkMs: dice.pick([
      [20, 200],
      [50, 400],
    ] as const),
    items: dice.pick([8, 40, 120]),
  }
  const clients = new Clients(tape, load, dice.child('clients'))
  const phase = new Phase(seconds * 1000)
  const world: World = { daemons, links, tape, phase, extras, findings }
  if (isCanary) for (const daemon of daemons) daemon.slow('lie')
  const plan = isSmall ? smallPlan(members) : drawPlan(dice.child('plan'), extras, members)
  const healed = async () => {
    await harm(world, plan, dice.child('harm')).finally(() => phase.end())
    // A daemon that ended by itself was told of; the others go on with it.
    await Promise.all(daemons.map(daemon => daemon.start()))
    return performance.now()
  }
  const asking = clients.run(daemons, phase).finally(() => phase.end())
  const [harmed, asked] = await Promise.allSettled([healed(), asking])
  for (const one of [harmed, asked]) if (one.status === 'rejected') throw one.reason
  const healedAt = (harmed as PromiseFulfilledResult<number>).value
  const settled = await settle({ daemons, clients, tape, findings }, healedAt)
  findings.push(...clients.strange)
  return settled
}

async function makeMembers(options: NetworkOptions, { daemons, findings }: Made): Promise<void> {
  const { members, folder, extras } = options
  ip('link', 'add', BRIDGE, 'type', 'bridge')
  ip('link', 'set', BRIDGE, 'up')
  const endedAlone = ({ name }: Daemon, log: string) => {
    findings.push(`${name} ended by itself: ${log.slice(-2000)}`)
  }
  for (let at = 0; at < members; at++) {
    const name = `m${at + 1}`
    const namespace = `lab-${at + 1}`
    const address = `10.77.1.${at + 1}`
    makeNamespace({ tag: BRIDGE, namespace, at, address })
    const disk = await LoopDisk.create(folder, name)
    daemons.push(new Daemon({ name, namespace, address, disk, extras, folder, endedAlone }))
  }
}

/** `init`, `invite`, `join`, `start`, as a user would. */
async function form(daemons: readonly Daemon[]): Promise<void> {
  const [first, ...others] = daemons
  await first!.member.json(['init', '--name', first!.name, '--network', 'lab'])
  await first!.start()
  for (const { member, name } of others) {
    const isSource = async () => (await first!.statusOrNull())?.status === 'source'
    await until('the inviting member is Source', isSource, FORM_MS)
    const { token } = await first!.member.json<{ token: string }>(['invite'])
    await member.json(['join', token, '--name', name])
  }
  await Promise.all(others.map(daemon => daemon.start()))
  const areSource = async () => {
    const statuses = await Promise.all(daemons.map(daemon => daemon.statusOrNull()))
    // Who has not heard of the last ones yet counts a majority without them.
    return statuses.every(
      status =>
        status?.status === 'source' &&
        status.unsettled === 0 &&
        status.members.length === daemons.length,
    )
  }
  await until('all members are Source and know each other', areSource, FORM_MS)
  for (const daemon of daemons) daemon.id = (await daemon.status()).uuid
}

async function judge(path: string): Promise<Verdict> {
  const lines: string[] = []
  const input = createReadStream(path)
  for await (const line of createInterface({ input })) lines.push(line)
  return checkHistory(readHistory(lines))
}

/** Ends and unmounts everything; keeps logs, history and stores of what failed. */
async function end(folder: string, daemons: readonly Daemon[], isGood: boolean): Promise<void> {
  for (const { name, member, disk } of daemons) {
    await member.kill('SIGKILL')
    if (!isGood) {
      writeFileSync(join(folder, `${name}.log`), member.log)
      // A fault that was under way when the lab itself failed may have its disk shut down.
      await disk.comeBack()
      const isSocket = (path: string) => path.endsWith('.sock')
      const to = join(folder, `${name}.store`)
      cpSync(member.store, to, { recursive: true, filter: path => !isSocket(path) })
    }
    await disk.unmount()
    rmSync(`${disk.folder}.img`, { force: true })
    rmSync(disk.folder, { recursive: true, force: true })
    await run('ip', ['netns', 'del', member.namespace!])
  }
  await run('ip', ['link', 'del', BRIDGE])
}
