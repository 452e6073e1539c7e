/**
 * A program that is a member itself: no daemon, no socket. Two members run in this one process and
 * share a small state of keys and values; in earnest, each would run on a machine of its own.
 *
 *     node shared-state.ts
 *
 * With a folder in place of 'memory' the state would be there again at the next start.
 */
import { type EmbeddedMember, isVecheError, type Json, type OpenOptions, open } from 'veche'

/** Keys and values that are the same in every program that shares them. */
class SharedState {
  readonly #member: EmbeddedMember
  readonly #values = new Map<string, Json>()
  readonly #following: Promise<void>

  private constructor(member: EmbeddedMember) {
    this.#member = member
    this.#following = this.#follow()
  }

  /** Begins a state, or joins one with the token of `invite`. */
  static async open(options: Partial<OpenOptions>): Promise<SharedState> {
    const listen = ['/ip4/127.0.0.1/tcp/0'] // this machine only; leave it out to be reached
    // Where two set one key apart, the later one counts: a state, unlike a text, needs no person.
    const policy = 'latest'
    return new SharedState(await open({ store: 'memory', listen, mdns: false, policy, ...options }))
  }

  async invite(): Promise<string> {
    return (await this.#member.invite()).token
  }

  /** What is known here now; never waits. */
  get(key: string): Json | undefined {
    return this.#values.get(key)
  }

  /** Resolves when more than half of the members have it. */
  async set(key: string, value: Json): Promise<void> {
    await this.#member.put({ id: key, json: value })
  }

  /** One number over the whole state: equal hashes, equal states. */
  async hash(): Promise<string> {
    return (await this.#member.status({ liveHash: true })).liveHash ?? ''
  }

  async close(): Promise<void> {
    await this.#member.close()
    await this.#following
  }

  /** Takes over every change, from the beginning on, whoever made it. */
  async #follow(): Promise<void> {
    for await (const event of this.#member.watch({ since: '0' })) {
      if (event.kind === 'deleted') this.#values.delete(event.id)
      if (event.kind !== 'added') continue
      const item = await this.#member.get({ id: event.id }).catch(orNothing)
      if (item?.json !== undefined) this.#values.set(event.id, item.json)
    }
  }
}

/** An event tells of the past: its item may be deleted by now, or this member closed. */
function orNothing(error: unknown): undefined {
  if (!isVecheError(error, 'NOT_FOUND') && !isVecheError(error, 'CLOSED')) throw error
}

/** Looks until it is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 20))
}

const kitchen = await SharedState.open({ name: 'kitchen' })
await kitchen.set('lamp', { on: true, colour: 'warm' })

const hall = await SharedState.open({ name: 'hall', join: await kitchen.invite() })
await until(() => hall.get('lamp') !== undefined)
console.log('The hall has joined and sees the lamp:', hall.get('lamp'))

await hall.set('door', 'open')
await until(() => kitchen.get('door') === 'open')
console.log('The kitchen sees the door:', kitchen.get('door'))

await until(async () => (await kitchen.hash()) === (await hall.hash()))
console.log('One hash:', (await hall.hash()).slice(0, 10))

await kitchen.close()
await hall.close()
