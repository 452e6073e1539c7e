/**
 * A network of daemons on this machine: made as a user makes one, with `init`, `invite` and `join`.
 * Also when its members hold all: never by asking for an item, which a member would fetch then.
 */
import { join } from 'node:path'
import { Daemon, makeFolder, removeFolder } from './daemon.ts'
import { machineLoopback, type Place } from './place.ts'
import { pump, until } from './pump.ts'
import type { Connection, Status } from './socket.ts'
import { textOf } from './texts.ts'

export interface MembersOptions {
  readonly count: number
  readonly place?: Place
  /** The command line of the build that runs. */
  readonly main: string
  readonly nodeOptions?: readonly string[]
  /** Where stores are made; absent: a folder that is removed at the end. */
  readonly folder?: string
}

/** A network and its daemons, all running. */
export class Members {
  readonly place: Place
  readonly all: Daemon[] = []
  readonly folder: string
  readonly #options: MembersOptions
  #made = 0

  private constructor(options: MembersOptions) {
    this.#options = options
    this.place = options.place ?? machineLoopback
    this.folder = options.folder ?? makeFolder()
  }

  static async form(options: MembersOptions): Promise<Members> {
    const members = new Members(options)
    for (let at = 0; at < options.count; at++) {
      const daemon = members.fresh(at)
      await daemon.make(at === 0 ? null : await members.invite(0))
      await daemon.start()
      await until(`${daemon.name} is Source`, async () => isSource(await daemon.client.status()))
    }
    await members.agree()
    return members
  }

  client(at: number): Connection {
    return this.all[at]!.client
  }

  /** A daemon with an empty store of its own in this place; not made, not started. */
  fresh(at: number): Daemon {
    const { main, nodeOptions = [] } = this.#options
    const name = `m${at + 1}`
    const store = join(this.folder, `${name}-${++this.#made}`)
    const daemon = new Daemon({ name, store, place: this.place, main, nodeOptions })
    this.all[at] = daemon
    return daemon
  }

  /** A token for one more member. */
  async invite(by: number): Promise<string> {
    return (await this.client(by).call<{ token: string }>('invite')).token
  }

  /** Status of all that run. */
  statuses(): Promise<Status[]> {
    return Promise.all(this.all.filter(one => one.isRunning).map(one => one.client.status()))
  }

  /** Waits until all that run are Source, hold the same, and nothing is under way. */
  agree(ms = 120_000): Promise<number> {
    const holds = async () => {
      const all = await this.statuses()
      const { hash, facts } = all[0]!
      return all.every(
        one => isSource(one) && one.hash === hash && one.facts === facts && one.unsettled === 0,
      )
    }
    return until('all members agree', holds, { ms, everyMs: 200 })
  }

  /** Puts items `from` to `to` through the members named, as fast as it goes. */
  async load(
    what: { readonly prefix: string; readonly from: number; readonly to: number },
    by: readonly number[],
    make: (id: string) => string = textOf,
  ): Promise<void> {
    const { prefix, from, to } = what
    await pump({ inFlight: 128, calls: to - from }, n => {
      const id = `${prefix}/${from + n}`
      return this.client(by[n % by.length]!).put(id, make(id))
    })
  }

  /** Ends all daemons and removes their stores. */
  async end(): Promise<void> {
    await Promise.all(this.all.map(daemon => daemon.stop()))
    if (this.#options.folder === undefined) removeFolder(this.folder)
  }
}

export function isSource({ status }: Status): boolean {
  return status === 'source'
}

/** Whether a member holds so many facts, with their payloads. */
export async function holdsAll(client: Connection, facts: number): Promise<boolean> {
  if ((await client.status()).facts < facts) return false
  const { reasons } = await client.call<{ reasons: { reason: string }[] }>('why')
  return !reasons.some(({ reason }) => reason === 'payload-missing')
}
