/**
 * One member as users run it: a store folder and a daemon from `dist/`, driven by the command line
 * and its control socket. Whatever was started is ended when this process ends, by its own pid.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Place } from './place.ts'
import { until } from './pump.ts'
import { Connection } from './socket.ts'

const run = promisify(execFile)
const running = new Set<ChildProcess>()
const folders = new Set<string>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => process.exit(130))

/** A folder for what a run leaves on disk; it is gone at the end. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'veche-bench-'))
  folders.add(folder)
  return folder
}

/** Removes such a folder before the end. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  folders.delete(folder)
}

export interface DaemonOptions {
  readonly name: string
  readonly store: string
  readonly place: Place
  /** `dist/bin/main.js` of the build that is run. */
  readonly main: string
  /** Options of Node itself. */
  readonly nodeOptions: readonly string[]
}

/** One member; between `start` and `stop` its daemon runs and `client` is connected. */
export class Daemon {
  readonly options: DaemonOptions
  #child: ChildProcess | null = null
  #client: Connection | null = null
  #log = ''

  constructor(options: DaemonOptions) {
    this.options = options
  }

  get name(): string {
    return this.options.name
  }

  get store(): string {
    return this.options.store
  }

  get socket(): string {
    return join(this.store, 'control.sock')
  }

  get isRunning(): boolean {
    return this.#child !== null
  }

  /** Of the running daemon. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.name} does not run.`)
    return this.#child.pid
  }

  get client(): Connection {
    if (this.#client === null) throw new Error(`${this.name} is not connected.`)
    return this.#client
  }

  /** Makes the store: of a new network, or with the token of one. */
  async make(token: string | null): Promise<void> {
    const how = token === null ? ['init', '--network', 'bench'] : ['join', token]
    const where = ['--listen', '/ip4/127.0.0.1/tcp/0', '--name', this.name]
    const words = this.#words([], [...how, ...where, '--store', this.store, '--json'])
    const [command, rest] = this.options.place.command(words)
    await run(command, rest)
  }

  /** Starts the daemon; resolves, with milliseconds, when its socket has answered. */
  async start(): Promise<number> {
    const { place, nodeOptions, store } = this.options
    const words = this.#words(nodeOptions, ['start', '--store', store, '--no-mdns', '--json'])
    const [command, rest] = place.command(words)
    const beganMs = performance.now()
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    const keep = (text: Buffer) => {
      this.#log = (this.#log + text).slice(-20_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    running.add(child)
    child.once('exit', () => running.delete(child))
    this.#child = child
    const answers = () => this.#answers(child)
    await until(`${this.name} answers`, answers, { ms: 300_000, everyMs: 5 })
    return performance.now() - beganMs
  }

  /** Ends the daemon in order; resolves when it is gone. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#client?.close()
    this.#child = null
    this.#client = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
    await ended
    clearTimeout(timer)
  }

  async #answers(child: ChildProcess): Promise<boolean> {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${this.name} ended at its start:\n${this.#log}`)
    try {
      this.#client = await Connection.open(this.socket)
      await this.#client.status()
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return false
      throw error
    }
  }

  #words(nodeOptions: readonly string[], words: readonly string[]): readonly string[] {
    return [process.execPath, ...nodeOptions, this.options.main, ...words]
  }
}
