/**
 * The three members of the demo: real stores in one temporary folder, real daemons as processes of
 * their own, spoken with over their sockets as any program would. What is started here is stopped
 * here, however the demo ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isVecheError } from '../base/veche-error.ts'
import { type Client, connect } from '../client/client.ts'
import type { StatusResult } from '../control/protocol-network.ts'
import { loadDaemon } from './daemon.ts'
import { Door } from './demo-door.ts'
import { type Patience, until } from './demo-wait.ts'

/** A daemon that does not end when it is told to is killed after so long. */
const STOP_MS = 10_000

export interface DemoMember {
  readonly name: string
  readonly uuid: string
  readonly store: string
  readonly log: string
  readonly door: Door
  child: ChildProcess
  client: Client
}

export class DemoMembers {
  /** Holds the three stores and their logs. */
  readonly folder = mkdtempSync(join(tmpdir(), 'veche-demo-'))
  readonly all: DemoMember[] = []
  readonly #doors: Door[] = []
  readonly #children = new Set<ChildProcess>()
  #isLeft = false
  readonly #lastResort = () => this.#killAll()

  constructor() {
    process.on('exit', this.#lastResort)
  }

  /** Makes a store (the first by `init`, others by `join`) and starts its member. */
  async add(name: string, patience: Patience): Promise<DemoMember> {
    const { initStore, joinNetwork } = await loadDaemon()
    const door = await Door.open()
    this.#doors.push(door)
    const store = join(this.folder, name)
    const options = { store, name, listen: ['/ip4/127.0.0.1/tcp/0'], announce: [door.address] }
    const [first] = this.all
    const made =
      first === undefined
        ? await initStore({ ...options, network: 'demo' })
        : await joinNetwork({ ...options, token: (await first.client.invite()).token })
    door.leadTo(made.listen[0] ?? '')
    const log = join(this.folder, `${name}.log`)
    const started = await this.#start({ name, store, log, patience })
    const member = { name, uuid: made.uuid, store, log, door, ...started }
    this.all.push(member)
    return member
  }

  /** What the members say of themselves; `items` is what `veche ls` lists there. */
  statuses(): Promise<StatusResult[]> {
    return Promise.all(
      this.all.map(async ({ client }) => {
        const [status, { items }] = await Promise.all([client.status(), client.list()])
        return { ...status, items: items.length }
      }),
    )
  }

  /** A daemon that ended by itself ends the demo, with its last words. */
  assertRunning(): void {
    for (const { name, child, log } of this.all) {
      if (child.exitCode === null && child.signalCode === null) continue
      throw new Error(`The member ${name} ended by itself. Its last words: ${lastLine(log)}`)
    }
  }

  /**
   * Starts all members anew, each on the port of its door, and takes the doors away: what was
   * shown goes on without the process that showed it.
   */
  async release(patience: Patience): Promise<void> {
    await Promise.all(this.all.map(({ client }) => client.close()))
    await this.#stopAll()
    await this.#closeDoors()
    for (const member of this.all) {
      const { name, store, log, door } = member
      const more = ['--listen', door.address, '--no-announce']
      Object.assign(member, await this.#start({ name, store, log, patience, more }))
    }
  }

  /** Lets the daemons live on and forgets them; `remove` has nothing to do then. */
  async leave(): Promise<void> {
    await Promise.all(this.all.map(({ client }) => client.close()))
    for (const child of this.#children) child.unref()
    this.#children.clear()
    this.#isLeft = true
    process.off('exit', this.#lastResort)
  }

  /** Stops all daemons and removes all folders. */
  async remove(): Promise<void> {
    if (this.#isLeft) return
    await Promise.all(this.all.map(({ client }) => client.close()))
    await this.#stopAll()
    await this.#closeDoors()
    await rm(this.folder, { recursive: true, force: true })
    process.off('exit', this.#lastResort)
  }

  async #closeDoors(): Promise<void> {
    await Promise.all(this.#doors.splice(0).map(door => door.close()))
  }

  async #start(options: StartOptions): Promise<{ child: ChildProcess; client: Client }> {
    const { name, store, log, patience, more = [] } = options
    const child = spawnDaemon(['start', '--store', store, '--no-mdns', ...more], log)
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    let client: Client | undefined
    await until(`${name} answers on its socket`, patience, async () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`The member ${name} did not start. Its last words: ${lastLine(log)}`)
      client = await connect({ store }).catch((error: unknown) => {
        if (isVecheError(error, 'NOT_RUNNING')) return undefined
        throw error
      })
      return client !== undefined
    })
    return { child, client: client! }
  }

  async #stopAll(): Promise<void> {
    await Promise.all([...this.#children].map(stopped))
  }

  #killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

interface StartOptions {
  readonly name: string
  readonly store: string
  readonly log: string
  readonly patience: Patience
  readonly more?: readonly string[]
}

/** A group of its own: Ctrl-C on the terminal is for the demo, which then ends them in order. */
function spawnDaemon(args: readonly string[], log: string): ChildProcess {
  const name = import.meta.url.endsWith('.ts') ? './main.ts' : './main.js'
  const main = fileURLToPath(new URL(name, import.meta.url))
  const output = openSync(log, 'a')
  try {
    return spawn(process.execPath, [...process.execArgv, main, ...args], {
      detached: true,
      stdio: ['ignore', output, output],
    })
  } finally {
    closeSync(output)
  }
}

function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

function lastLine(log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? ''
}
