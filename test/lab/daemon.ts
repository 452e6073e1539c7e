/**
 * One real daemon of the lab: its process in its namespace, its store on its own disk, its clock and
 * the slowness of its disk in files that change while it runs. It knows whether it is meant to run:
 * a daemon that ends by itself, with no fault that explains it, is a finding.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { JsonClient } from '../support/json-client.ts'
import { LabMember, type Status } from '../support/lab.ts'
import type { LoopDisk } from './disk.ts'
import { deadline } from './time.ts'
import type { Extras } from './tools.ts'

/** A daemon that does not answer so long after its start hangs, also on a busy machine. */
const START_MS = 90_000
const CALL_MS = 60_000
/** A member of the lab's small networks that needs more than this leaks, and ends. */
const HEAP_MIB = 256
/** A member that starts further ahead is ahead for good (PROTOCOL 4): what it stamps must wait. */
const AHEAD_AT_START_S = 45

export interface DaemonOptions {
  readonly name: string
  readonly namespace: string
  readonly address: string
  readonly disk: LoopDisk
  readonly extras: Extras
  /** Of what the lab itself writes beside the disks. */
  readonly folder: string
  readonly endedAlone: (daemon: Daemon, log: string) => void
}

export class Daemon {
  readonly name: string
  readonly member: LabMember
  readonly disk: LoopDisk
  /** Its uuid; empty until the network is formed. */
  id = ''
  /** A fault is at work on its process or its disk: no other one may. */
  isBusy = false
  /** It may end by itself: its disk fails it. */
  mayEnd = false
  readonly #options: DaemonOptions
  #clockS = 0

  constructor(options: DaemonOptions) {
    const { name, namespace, address, disk } = options
    this.#options = options
    this.name = name
    this.disk = disk
    this.member = new LabMember({ name, namespace, address, store: join(disk.folder, 'store') })
    this.clock(0)
    this.slow('0')
  }

  /** Whether its process is there, also when it stands still. */
  get isUp(): boolean {
    const child = this.member.daemon
    return child !== null && child.exitCode === null && child.signalCode === null
  }

  async start(): Promise<void> {
    if (this.isUp) return
    if (this.#clockS > AHEAD_AT_START_S) this.clock(AHEAD_AT_START_S)
    const starting = this.member.start(this.#env(), ['--no-mdns'], START_MS)
    const child = this.member.daemon!
    child.once('exit', () => {
      // Who ended it on purpose took it off the member first.
      if (this.member.daemon !== child) return
      this.member.daemon = null
      if (!this.mayEnd) this.#options.endedAlone(this, this.member.log)
    })
    try {
      await starting
    } catch (error) {
      if (!this.mayEnd || this.isUp) throw error
    }
  }

  async kill(): Promise<void> {
    await this.member.kill('SIGKILL')
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.member.daemon?.kill(signal)
  }

  /** Sets its wall clock so many seconds beside the true one. */
  clock(seconds: number): void {
    this.#clockS = seconds
    writeFileSync(this.#file('clock'), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`)
  }

  /** How its disk syncs: milliseconds more for each, `fail`, or `lie`. */
  slow(what: string): void {
    writeFileSync(this.#file('fsync'), what)
  }

  /** One call on a connection of its own. */
  async call<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const client = await JsonClient.open(this.member.socket)
    try {
      return await deadline(client.call<T>(method, params), CALL_MS, `${method} at ${this.name}`)
    } finally {
      client.close()
    }
  }

  status(): Promise<Status> {
    return this.call<Status>('status')
  }

  /** Its status, or null while nobody answers. */
  async statusOrNull(): Promise<Status | null> {
    try {
      return await this.status()
    } catch (error) {
      if (isUnreached(error)) return null
      throw error
    }
  }

  #file(what: string): string {
    return join(this.#options.folder, `${this.name}.${what}`)
  }

  #env(): Record<string, string> {
    const { faketime, fsyncShim } = this.#options.extras
    const preloaded = [faketime, fsyncShim].filter(path => path !== null)
    return {
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --max-old-space-size=${HEAP_MIB}`,
      LD_PRELOAD: preloaded.join(' '),
      FAKETIME_TIMESTAMP_FILE: this.#file('clock'),
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
      VECHE_LAB_FSYNC: this.#file('fsync'),
    }
  }
}

/** Whether an error says that no daemon is there to answer. */
export function isUnreached(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  const codes = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EIO']
  return (code !== undefined && codes.includes(code)) || /^the socket closed/.test(message)
}
