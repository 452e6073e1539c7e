/**
 * Clients: each sits at one member, asks for one thing at a time, thinks, and asks again. They put,
 * put on a condition, delete, read, write to the items of a split and resolve it. What they asked
 * and were told goes into the history; the checks are asked at every answer.
 */
import { type Bytes, utf8 } from '../src/base/bytes.ts'
import type { ItemId } from '../src/base/fact.ts'
import { VecheError } from '../src/base/veche-error.ts'
import type { ItemPayload } from '../src/control/member-service.ts'
import type { Level } from '../src/control/protocol.ts'
import { History, type Operation, type OperationKind, sha256 } from './history.ts'
import type { Random } from './random.ts'
import type { SimMember, UpMember, World } from './world.ts'

/** How clients behave in a run. */
export interface Load {
  readonly clientsPerMember: number
  /** Between an answer and the next question. */
  readonly thinkMs: readonly [number, number]
  readonly items: number
  /** Weights of what is asked for. */
  readonly weights: Readonly<Record<'put' | 'condition' | 'delete' | 'get', number>>
  readonly valueBytes: readonly [number, number]
  /** Some values are much larger. */
  readonly largeChance: number
  readonly largeBytes: readonly [number, number]
}

export const USUAL_LOAD: Load = {
  clientsPerMember: 2,
  thinkMs: [50, 400],
  items: 40,
  weights: { put: 5, condition: 2, delete: 0.5, get: 4 },
  valueBytes: [16, 300],
  largeChance: 0.01,
  largeBytes: [20_000, 700_000],
}

/** Who looks at every answer. */
export interface AnswerChecks {
  wrote(operation: Operation, at: SimMember): void
  read(operation: Operation, at: SimMember, found: ItemPayload): void
  notRead(operation: Operation, at: SimMember, error: VecheError): void
}

const LEVELS: readonly Level[] = ['majority', 'majority', 'agreed', 'pending']
const GET_BYTES_MAX = 24 * 1024 * 1024

export class Workload {
  readonly history = new History()
  readonly #world: World
  readonly #load: Load
  readonly #checks: AnswerChecks
  readonly #open = new Map<Operation, SimMember>()
  /** Clients that wait for an answer. */
  readonly #acting = new Map<string, SimMember>()
  /** Split ids that clients came upon. */
  readonly #splits = new Map<ItemId, readonly ItemId[]>()
  #stopped = false
  #values = 0

  constructor(world: World, load: Load, checks: AnswerChecks) {
    this.#world = world
    this.#load = load
    this.#checks = checks
    world.watchers.push({ gone: member => this.#gone(member) })
  }

  start(): void {
    for (const member of this.#world.members) {
      for (let at = 1; at <= this.#load.clientsPerMember; at++) {
        const name = `${member.id}${at}`
        this.#later(name, member, this.#world.random.fork(`client/${name}`))
      }
    }
  }

  /** No more questions; those that are open are still answered. */
  stop(): void {
    this.#stopped = true
  }

  get openCount(): number {
    return this.#open.size
  }

  #later(name: string, entry: SimMember, random: Random): void {
    this.#world.timeline.after(random.between(...this.#load.thinkMs), () => {
      if (this.#stopped) return
      const { member, service } = entry
      if (member === null || service === null || entry.life?.isStill === true) {
        this.#later(name, entry, random)
        return
      }
      this.#acting.set(name, entry)
      void this.#act(name, { ...entry, member, service }, random).then(() => {
        this.#acting.delete(name)
        this.#later(name, entry, random)
      })
    })
  }

  async #act(client: string, at: UpMember, random: Random): Promise<void> {
    const id = this.#pickId(random)
    const what = weighted(random, this.#load.weights)
    const branches = this.#splits.get(id)
    if (branches !== undefined && random.chance(0.3))
      return await this.#resolve(client, at, id, random)
    const target = branches !== undefined && random.chance(0.5) ? random.pick(branches) : id
    if (what === 'get') return await this.#get(client, at, target)
    if (what === 'delete') return await this.#delete(client, at, target, random)
    await this.#put(client, at, target, random, what === 'condition')
  }

  async #put(
    client: string,
    at: UpMember,
    id: ItemId,
    random: Random,
    isConditional: boolean,
  ): Promise<void> {
    const ifVersion = isConditional ? await this.#headOf(at, id) : undefined
    const payload = this.#value(client, id, random)
    const condition = ifVersion === undefined ? {} : { ifVersion }
    await this.#ask({ client, at, kind: 'put', id, payload }, () =>
      at.service.put({ id, payload, type: 'text/plain', ...condition, ...waiting(random) }),
    )
  }

  async #delete(client: string, at: UpMember, id: ItemId, random: Random): Promise<void> {
    await this.#ask({ client, at, kind: 'delete', id, payload: null }, () =>
      at.service.delete({ id, ...waiting(random) }),
    )
  }

  async #resolve(client: string, at: UpMember, id: ItemId, random: Random): Promise<void> {
    this.#splits.delete(id)
    const payload = this.#value(client, id, random)
    const content = { payload, type: 'text/plain' }
    await this.#ask({ client, at, kind: 'resolve', id, payload }, () =>
      at.service.resolve({ kind: 'content', id, content, ...waiting(random) }),
    )
  }

  async #get(client: string, at: UpMember, id: ItemId): Promise<void> {
    const asked = { client, at, kind: 'get', id, payload: null } as const
    const found = await this.#ask(asked, async () => {
      const got = await at.service.get({ id }, GET_BYTES_MAX)
      return { version: got.header.version, got }
    })
    if (found !== null) this.#checks.read(found.operation, at, found.answer.got)
  }

  async #headOf(at: UpMember, id: ItemId): Promise<string | undefined> {
    try {
      return (await at.service.head({ id })).version
    } catch (error) {
      if (error instanceof VecheError) return undefined
      throw error
    }
  }

  /** Asks, and writes down what came of it; null unless it was done. */
  async #ask<Answer extends { readonly version: string }>(
    asked: {
      readonly client: string
      readonly at: UpMember
      readonly kind: OperationKind
      readonly id: ItemId
      readonly payload: Bytes | null
    },
    question: () => Promise<Answer>,
  ): Promise<{ operation: Operation; answer: Answer } | null> {
    const { client, at, kind, id, payload } = asked
    const operation = this.history.begin({
      client,
      member: at.id,
      kind,
      id,
      beganAtMs: this.#world.nowMs,
      blob: payload === null ? null : sha256(payload),
    })
    this.#open.set(operation, at)
    this.#world.trace(at.id, `asked ${operation.sequence} ${kind} ${id}`)
    const { life } = at
    try {
      const answer = await question()
      this.#end(operation, { kind: 'done', version: answer.version, ...promisedBy(answer) })
      if (kind !== 'get') this.#checks.wrote(operation, at)
      return { operation, answer }
    } catch (error) {
      if (!(error instanceof VecheError)) throw error
      if (life?.alive === false) return null
      this.#end(operation, { kind: 'refused', code: error.code, sentence: error.message })
      if (error.code === 'SPLIT') this.#splits.set(id, error.data.ids as ItemId[])
      if (kind === 'get') this.#checks.notRead(operation, at, error)
      return null
    }
  }

  #end(operation: Operation, outcome: Operation['outcome']): void {
    this.#open.delete(operation)
    operation.endedAtMs = this.#world.nowMs
    operation.outcome = outcome
    const told =
      outcome.kind === 'done'
        ? `${outcome.level ?? ''} ${outcome.version}`
        : outcome.kind === 'refused'
          ? outcome.code
          : ''
    this.#world.trace(operation.member, `told ${operation.sequence} ${outcome.kind} ${told}`)
  }

  /** Whatever was open at a process that is gone may have happened or not; its clients go on. */
  #gone(member: SimMember): void {
    for (const [operation, at] of this.#open) {
      if (at.id !== member.id) continue
      this.#end(operation, { kind: 'unknown' })
    }
    for (const [client, at] of this.#acting) {
      if (at !== member) continue
      this.#acting.delete(client)
      const { length } = this.history.operations
      this.#later(client, member, this.#world.random.fork(`client/${client}/${length}`))
    }
  }

  #pickId(random: Random): ItemId {
    // A few items are written by many, most by few.
    const at = Math.floor(this.#load.items * random.unit() ** 2)
    return `item/${at}`
  }

  #value(client: string, id: ItemId, random: Random): Bytes {
    const { largeChance, largeBytes, valueBytes } = this.#load
    const size = random.int(...(random.chance(largeChance) ? largeBytes : valueBytes))
    this.#values += 1
    return utf8(`${client}:${this.#values}:${id}:`.padEnd(size, '.'))
  }
}

function waiting(random: Random): { readonly wait: Level; readonly timeoutMs: number } {
  return { wait: random.pick(LEVELS), timeoutMs: random.int(100, 5000) }
}

function promisedBy(answer: object): {
  readonly level: Level | null
  readonly heldBy: readonly string[]
} {
  const { level, heldBy } = answer as { level?: Level; heldBy?: readonly string[] }
  return { level: level ?? null, heldBy: heldBy ?? [] }
}

function weighted<Name extends string>(
  random: Random,
  weights: Readonly<Record<Name, number>>,
): Name {
  const entries = Object.entries(weights) as [Name, number][]
  let rest = random.unit() * entries.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [name, weight] of entries) {
    rest -= weight
    if (rest < 0) return name
  }
  return entries[0]![0]
}
