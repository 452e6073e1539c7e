/**
 * Clients: each sits at one member, asks for one thing at a time, thinks, and asks again. What they
 * ask for is in client-questions.ts; here is who asks when, and what becomes of it: question and
 * answer go into the history, and the checks are asked at every answer.
 *
 * A client whose member goes away while it waits is never seen again; another takes its place.
 */
import type { Bytes } from '../src/base/bytes.ts'
import type { ItemId } from '../src/base/fact.ts'
import { VecheError } from '../src/base/veche-error.ts'
import type { ItemPayload } from '../src/control/member-service.ts'
import type { ItemHeader, Level } from '../src/control/protocol.ts'
import type { Properties } from './checker/format.ts'
import { Questions } from './client-questions.ts'
import { History, isWrite, type Operation, type OperationKind, sha256 } from './history.ts'
import { Lines } from './history-lines.ts'
import type { Random } from './random.ts'
import type { SimMember, UpMember, World } from './world.ts'

/** How clients behave in a run. */
export interface Load {
  readonly clientsPerMember: number
  /** Between an answer and the next question. */
  readonly thinkMs: readonly [number, number]
  readonly items: number
  /** Weights of what is asked for. */
  readonly weights: Readonly<Record<Wish, number>>
  readonly valueBytes: readonly [number, number]
  /** Some values are much larger. */
  readonly largeChance: number
  readonly largeBytes: readonly [number, number]
}

export type Wish = 'put' | 'condition' | 'upload' | 'delete' | 'get' | 'head' | 'list'

export const USUAL_LOAD: Load = {
  clientsPerMember: 2,
  thinkMs: [50, 400],
  items: 40,
  weights: { put: 5, condition: 2, upload: 0.3, delete: 0.5, get: 4, head: 0.5, list: 0.1 },
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

/** Who asks. */
export interface Client {
  readonly name: string
  /** Which of the clients of its member, whoever sits there now. */
  readonly slot: string
  readonly entry: SimMember
  readonly random: Random
  /** It waits for an answer, or for what it needs to ask. */
  isActing: boolean
  /** It is gone with its member's process. */
  isRetired: boolean
}

/** A question as it is written down. */
export interface Question {
  readonly client: Client
  readonly at: UpMember
  readonly kind: OperationKind
  readonly id: ItemId
  /** The value to write. */
  readonly payload: Bytes | null
  readonly ifVersion?: string
  readonly properties?: Properties
}

/** What an answer tells of what was read or written. */
export interface Told {
  /** null for a list. */
  readonly version: string | null
  readonly level?: Level
  readonly heldBy?: readonly string[]
  readonly of?: number
  /** SHA-256 of what was read. */
  readonly read?: string | null
  readonly listed?: readonly ItemHeader[]
}

export class Workload {
  readonly history = new History()
  readonly lines: Lines
  readonly #world: World
  readonly #load: Load
  readonly #checks: AnswerChecks
  readonly #questions: Questions
  readonly #open = new Map<Operation, Client>()
  readonly #clients = new Map<string, Client>()
  #stopped = true

  constructor(world: World, load: Load, checks: AnswerChecks) {
    this.#world = world
    this.#load = load
    this.#checks = checks
    this.lines = new Lines(() => world.nowMs)
    this.#questions = new Questions(this, world, load)
    world.watchers.push({
      opened: member => this.#join(member),
      gone: member => this.#gone(member),
    })
  }

  start(): void {
    this.#stopped = false
    for (const member of this.#world.members) this.#join(member)
  }

  /** No more questions; those that are open are still answered. */
  stop(): void {
    this.#stopped = true
  }

  get openCount(): number {
    return this.#open.size
  }

  /** One more write by a new client, whether or not the others have stopped. */
  async write(entry: UpMember, id: ItemId): Promise<void> {
    const client = this.#client(`${entry.id}0`, entry)
    client.isActing = true
    await this.#questions.put(client, entry, id)
  }

  checks(): AnswerChecks {
    return this.#checks
  }

  /** Asks, and writes down what came of it; null unless it was done. */
  async ask<Answer>(
    question: Question,
    get: () => Promise<Answer>,
    tell: (answer: Answer) => Told,
  ): Promise<{ operation: Operation; answer: Answer } | null> {
    const { client, at, kind, id } = question
    const operation = this.#begin(question)
    try {
      const answer = await get()
      if (client.isRetired) return null
      this.#done(operation, tell(answer))
      if (isWrite(kind)) this.#checks.wrote(operation, at)
      return { operation, answer }
    } catch (error) {
      if (!(error instanceof VecheError)) throw error
      if (client.isRetired) return null
      this.#refused(operation, error)
      if (error.code === 'SPLIT') this.#questions.split(id, error.data.ids as ItemId[])
      if (kind === 'get') this.#checks.notRead(operation, at, error)
      return null
    }
  }

  /** Clients of a member that has none yet. */
  #join(member: SimMember): void {
    if (this.#stopped) return
    for (let at = 1; at <= this.#load.clientsPerMember; at++) {
      const slot = `${member.id}${at}`
      if (!this.#clients.has(slot)) this.#later(this.#client(slot, member))
    }
  }

  #client(slot: string, entry: SimMember): Client {
    const before = this.#clients.get(slot)
    const generation = before === undefined ? 1 : Number(before.name.slice(slot.length + 1)) + 1
    const name = `${slot}.${generation}`
    const random = this.#world.random.fork(`client/${name}`)
    const client = { name, slot, entry, random, isActing: false, isRetired: false }
    this.#clients.set(slot, client)
    return client
  }

  #later(client: Client): void {
    this.#world.timeline.after(client.random.between(...this.#load.thinkMs), () => {
      if (this.#stopped || client.isRetired) return
      const { member, service, life } = client.entry
      if (member === null || service === null || life?.isStill === true) return this.#later(client)
      client.isActing = true
      void this.#questions.act(client, { ...client.entry, member, service }).then(() => {
        client.isActing = false
        if (!client.isRetired) this.#later(client)
      })
    })
  }

  #begin({ client, at, kind, id, payload, ifVersion, properties }: Question): Operation {
    const blob = payload === null ? null : sha256(payload)
    const asked = { client: client.name, member: at.id, kind, id, blob }
    const operation = this.history.begin({ ...asked, beganAtMs: this.#world.nowMs })
    this.#open.set(operation, client)
    this.lines.write({
      kind: 'invoke',
      request: requestOf(operation),
      client: client.name,
      member: at.id,
      op: kind,
      id,
      blob,
      size: payload?.length ?? 0,
      ...(ifVersion === undefined ? {} : { ifVersion }),
      ...(properties === undefined ? {} : { properties }),
    })
    this.#world.trace(at.id, `asked ${operation.sequence} ${kind} ${id}`)
    return operation
  }

  #done(operation: Operation, told: Told): void {
    const { version, level = null, heldBy = [], of = null, read = null, listed } = told
    this.lines.write({
      kind: 'done',
      request: requestOf(operation),
      version,
      blob: read,
      level,
      heldBy,
      ...(listed === undefined
        ? {}
        : { reads: listed.map(({ id, version, blob }) => ({ id, version, blob })) }),
    })
    this.#end(
      operation,
      version === null ? { kind: 'listed' } : { kind: 'done', version, level, heldBy, of },
    )
  }

  #refused(operation: Operation, { code, message, data }: VecheError): void {
    const head = data.head as string | null | undefined
    const named = code === 'VERSION_MISMATCH' && head !== undefined ? { head } : {}
    this.lines.write({ kind: 'refused', request: requestOf(operation), code, ...named })
    this.#end(operation, { kind: 'refused', code, sentence: message })
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

  /** Whatever was open at a process that is gone may have happened or not; others ask on. */
  #gone(member: SimMember): void {
    for (const [operation, { entry }] of this.#open) {
      if (entry !== member) continue
      this.lines.write({ kind: 'unknown', request: requestOf(operation) })
      this.#end(operation, { kind: 'unknown' })
    }
    for (const client of [...this.#clients.values()]) {
      if (client.entry !== member || !client.isActing) continue
      client.isRetired = true
      this.#later(this.#client(client.slot, member))
    }
  }
}

function requestOf({ sequence }: Operation): string {
  return `r${sequence}`
}
