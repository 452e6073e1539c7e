/**
 * The clients of a lab: each sits at one member's control socket, asks for one thing at a time,
 * thinks, and asks again. Question and answer go on the tape around each call, so that its order is
 * the order of what happened. A client whose answer is lost is never seen again; another takes its
 * place. Nothing of ours is between them and the socket.
 */
import type { DoneLine, InvokeLine, Properties } from '../../sim/checker/format.ts'
import { JsonClient, RpcFailure } from '../support/json-client.ts'
import { type Daemon, isUnreached } from './daemon.ts'
import type { Dice } from './dice.ts'
import { Questions } from './questions.ts'
import type { Tape } from './tape.ts'
import { deadline, type Phase, wait } from './time.ts'

/** Beyond what the question itself may take: a member may stand still meanwhile. */
const ANSWER_MS = 30_000
const CONNECT_MS = 5000

export interface Load {
  readonly clientsPerMember: number
  readonly thinkMs: readonly [number, number]
  readonly items: number
}

export interface Client {
  readonly name: string
  readonly daemon: Daemon
  readonly dice: Dice
  connection: JsonClient | null
  /** Its answer was lost. */
  isRetired: boolean
}

export interface Question {
  readonly op: InvokeLine['op']
  readonly id: string
  /** Of the value to write. */
  readonly blob?: string
  readonly size?: number
  readonly ifVersion?: string
  readonly properties?: Properties
}

/** What an answer tells. */
export type Told = Pick<DoneLine, 'version'> &
  Partial<Pick<DoneLine, 'blob' | 'level' | 'heldBy' | 'reads'>>

export class Clients {
  readonly #tape: Tape
  readonly #load: Load
  readonly #dice: Dice
  readonly #questions: Questions
  readonly #names = new Map<string, number>()
  /** Answers that no fault explains. */
  readonly strange: string[] = []
  #requests = 0

  constructor(tape: Tape, load: Load, dice: Dice) {
    this.#tape = tape
    this.#load = load
    this.#dice = dice
    this.#questions = new Questions(this, load.items)
  }

  /** All clients of all members, until the phase is over and the last answer is there. */
  async run(daemons: readonly Daemon[], phase: Phase): Promise<void> {
    const seats = daemons.flatMap(daemon =>
      Array.from({ length: this.#load.clientsPerMember }, (_, at) => ({
        daemon,
        slot: `${daemon.name}c${at + 1}`,
      })),
    )
    await Promise.all(seats.map(({ daemon, slot }) => this.#seat(daemon, slot, phase)))
  }

  /** One write by a new client, which must be done. */
  async probe(daemon: Daemon): Promise<void> {
    const client = this.#client(daemon, `${daemon.name}p`)
    await this.#connect(client)
    if (client.connection === null) throw new Error(`${daemon.name} takes no connection`)
    await this.#questions.put(client, `probe/${daemon.name}`, 'majority')
    client.connection?.close()
  }

  /** Asks, and writes down what came of it; null unless it was done. */
  async ask<Answer>(
    client: Client,
    question: Question,
    get: (connection: JsonClient) => Promise<Answer>,
    tell: (answer: Answer) => Told,
  ): Promise<Answer | null> {
    const { name, daemon } = client
    this.#requests += 1
    const request = `r${this.#requests}`
    const { op, id, blob = null, size = 0, ...more } = question
    const asked = { request, client: name, member: daemon.id, op, id, blob, size, ...more }
    this.#tape.write({ kind: 'invoke', ...asked })
    try {
      const answer = await deadline(get(client.connection!), ANSWER_MS, `${op} at ${daemon.name}`)
      const told = { blob: null, level: null, heldBy: [], ...tell(answer) }
      this.#tape.write({ kind: 'done', request, ...told })
      return answer
    } catch (error) {
      if (error instanceof RpcFailure && error.code !== 'INTERNAL') {
        const head = 'head' in error.data ? { head: error.data.head as string | null } : {}
        this.#tape.write({ kind: 'refused', request, code: error.code, ...head })
        if (error.code === 'SPLIT') this.#questions.split(id, error.data.ids as string[])
        return null
      }
      const sentence = error instanceof Error ? error.message : String(error)
      if (error instanceof RpcFailure) {
        if (!daemon.mayEnd) this.strange.push(`${op} at ${daemon.name}: ${sentence}`)
      } else if (!isUnreached(error) && !sentence.startsWith('not within')) throw error
      this.#tape.write({ kind: 'unknown', request })
      client.isRetired = true
      client.connection?.close()
      return null
    }
  }

  async #seat(daemon: Daemon, slot: string, phase: Phase): Promise<void> {
    while (!phase.isOver) {
      const client = this.#client(daemon, slot)
      while (!phase.isOver && !client.isRetired) {
        await phase.wait(client.dice.int(...this.#load.thinkMs))
        if (phase.isOver) break
        await this.#connect(client)
        if (client.connection === null) await wait(200)
        else await this.#questions.act(client)
      }
      client.connection?.close()
    }
  }

  #client(daemon: Daemon, slot: string): Client {
    const generation = (this.#names.get(slot) ?? 0) + 1
    this.#names.set(slot, generation)
    const dice = this.#dice.child(`${slot}.${generation}`)
    return { name: `${slot}.${generation}`, daemon, dice, connection: null, isRetired: false }
  }

  async #connect(client: Client): Promise<void> {
    if (client.connection !== null && !client.connection.socket.destroyed) return
    client.connection = null
    const opening = JsonClient.open(client.daemon.member.socket)
    try {
      client.connection = await deadline(opening, CONNECT_MS, 'a connection')
    } catch (error) {
      const isLate = error instanceof Error && error.message.startsWith('not within')
      if (isLate)
        opening.then(late => late.close()).catch(() => undefined) // told by who waits
      else if (!isUnreached(error)) throw error
    }
  }
}
