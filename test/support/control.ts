/**
 * A control socket over the twin in memory, and a raw client that speaks to it in bytes, as an
 * independent program would, without our own client.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ControlServer, startControlServer } from '../../src/control/server.ts'
import { MemoryMember } from './memory-member.ts'

export interface ControlFixture {
  readonly folder: string
  readonly path: string
  readonly member: MemoryMember
  readonly server: ControlServer
  /** What the server reported as faults. */
  readonly reports: unknown[]
  stop(): Promise<void>
}

export interface FixtureOptions {
  readonly member?: MemoryMember
  readonly lineBytesMax?: number
  readonly watchStuckMs?: number
}

/** A folder with a served socket in it. */
export async function startFixture(options: FixtureOptions = {}): Promise<ControlFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'veche-control-'))
  const path = join(folder, 'control.sock')
  const { member = new MemoryMember(), ...rest } = options
  const reports: unknown[] = []
  const server = await startControlServer({
    path,
    service: member,
    report: (sentence, error) => reports.push([sentence, error]),
    ...rest,
  })
  return {
    folder,
    path,
    member,
    server,
    reports,
    async stop() {
      await server.close(0)
      await rm(folder, { recursive: true })
    },
  }
}

export type RawAnswer = {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: {
    readonly code: number
    readonly message: string
    readonly data: Record<string, unknown>
  }
}

/** Bytes in, lines out; every wait ends with the connection. */
export class RawClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #isOver = false
  #wake: () => void = () => undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', piece => {
      this.#received = Buffer.concat([this.#received, piece])
      this.#wake()
    })
    socket.on('error', () => socket.destroy()) // a cut connection is what some tests wait for
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.#isOver = true
        this.#wake()
      })
  }

  static async open(path: string): Promise<RawClient> {
    const socket = connect({ path, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text)
  }

  /** Sends one request; `params` as they are. */
  request(id: unknown, method: string, params?: unknown): void {
    this.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
  }

  /** Sends one request and reads one answer. */
  async call(method: string, params?: unknown): Promise<RawAnswer> {
    this.request('call', method, params)
    return this.answer()
  }

  async answer(): Promise<RawAnswer> {
    for (;;) {
      const end = this.#received.indexOf(10)
      if (end >= 0) {
        const line = this.#received.subarray(0, end).toString()
        this.#received = this.#received.subarray(end + 1)
        return JSON.parse(line)
      }
      await this.#more()
    }
  }

  /** What was answered and not yet read, of a connection that is over. */
  rest(): RawAnswer[] {
    const lines = this.#received.toString().split('\n')
    this.#received = Buffer.alloc(0)
    return lines.filter(line => line !== '').map(line => JSON.parse(line))
  }

  async bytes(size: number): Promise<Buffer> {
    while (this.#received.length < size) await this.#more()
    const bytes = this.#received.subarray(0, size)
    this.#received = this.#received.subarray(size)
    return bytes
  }

  /** Resolves when the other side has ended. */
  async over(): Promise<void> {
    while (!this.#isOver) await this.#change()
  }

  async #more(): Promise<void> {
    if (this.#isOver) throw new Error('the connection is over')
    await this.#change()
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  close(): void {
    this.socket.destroy()
  }
}
