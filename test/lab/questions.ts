/**
 * What the lab's clients ask for: puts, puts on a condition, uploads, deletes, reads of all kinds,
 * writes to the items of a split, and its resolution. Some items are hot, each member has some that
 * nobody else asks for, and every value is unique.
 */
import { createHash } from 'node:crypto'
import type { Properties, ShownItem } from '../../sim/checker/format.ts'
import type { JsonClient } from '../support/json-client.ts'
import type { Client, Clients, Told } from './clients.ts'
import type { Dice } from './dice.ts'

type Level = 'pending' | 'agreed' | 'majority'

interface Written {
  readonly version: string
  readonly level?: Level
  readonly heldBy?: readonly string[]
}

const LEVELS: readonly Level[] = ['majority', 'majority', 'agreed', 'pending']
const WISHES = [
  ...Array.from({ length: 10 }, () => 'put' as const),
  ...Array.from({ length: 4 }, () => 'condition' as const),
  'upload',
  'delete',
  ...Array.from({ length: 6 }, () => 'get' as const),
  'download',
  'head',
  'list',
] as const
const VALUE_BYTES = [16, 400] as const
const LARGE_BYTES = [20_000, 700_000] as const
const TAGS = ['blue', 'draft', 'old', 'zebra', 'ärger'] as const

export class Questions {
  readonly #clients: Clients
  readonly #items: number
  /** Split ids that clients came upon, with their items. */
  readonly #splits = new Map<string, readonly string[]>()
  #values = 0

  constructor(clients: Clients, items: number) {
    this.#clients = clients
    this.#items = items
  }

  /** An id is split: its items are asked for, too, and sometimes it is resolved. */
  split(id: string, items: readonly string[]): void {
    this.#splits.set(id, items)
  }

  /** Asks for something. */
  async act(client: Client): Promise<void> {
    const { dice } = client
    const id = this.#pickId(client)
    const items = this.#splits.get(id)
    if (items !== undefined && dice.chance(0.3)) return await this.#resolve(client, id, items)
    const target = items !== undefined && dice.chance(0.5) ? dice.pick(items) : id
    switch (dice.pick(WISHES)) {
      case 'put':
        return await this.put(client, target)
      case 'condition':
        return await this.#condition(client, target)
      case 'upload':
        return await this.#upload(client, target)
      case 'delete':
        return await this.#delete(client, target)
      case 'get':
        return await this.#get(client, target)
      case 'download':
        return await this.#download(client, target)
      case 'head':
        await this.#head(client, target)
        return
      case 'list':
        return await this.#list(client)
    }
  }

  async put(client: Client, id: string, wait?: Level, ifVersion?: string): Promise<void> {
    const { dice } = client
    const value = this.#value(client, id, dice.chance(0.01) ? LARGE_BYTES : VALUE_BYTES)
    const properties = propertiesOf(dice)
    const condition = ifVersion === undefined ? {} : { ifVersion }
    const question = { op: 'put', id, ...measured(value), properties, ...condition } as const
    const text = value.toString('utf8')
    const wish = { id, text, ...given(properties), ...condition, ...waiting(dice, wait) }
    const call = (connection: JsonClient) => connection.call<Written>('put', wish)
    await this.#clients.ask(client, question, call, written)
  }

  async #condition(client: Client, id: string): Promise<void> {
    const head = await this.#head(client, id)
    if (head !== null && !client.isRetired) await this.put(client, id, undefined, head)
  }

  async #upload(client: Client, id: string): Promise<void> {
    const { dice } = client
    const value = this.#value(client, id, LARGE_BYTES)
    const properties = propertiesOf(dice)
    const question = { op: 'upload', id, ...measured(value), properties } as const
    const wish = { id, size: value.length, ...given(properties), ...waiting(dice) }
    const call = (connection: JsonClient) => connection.upload<Written>(wish, value)
    await this.#clients.ask(client, question, call, written)
  }

  async #delete(client: Client, id: string): Promise<void> {
    const { dice } = client
    const head = dice.chance(0.3) ? await this.#head(client, id) : null
    if (client.isRetired) return
    const condition = head === null ? {} : { ifVersion: head }
    const wish = { id, ...condition, ...waiting(dice) }
    const call = (connection: JsonClient) => connection.call<Written>('delete', wish)
    await this.#clients.ask(client, { op: 'delete', id, ...condition }, call, written)
  }

  async #resolve(client: Client, id: string, items: readonly string[]): Promise<void> {
    const { dice } = client
    this.#splits.delete(id)
    if (dice.chance(0.3)) {
      const wish = { id, keep: dice.pick(items), ...waiting(dice) }
      const call = (connection: JsonClient) => connection.call<Written>('resolve', wish)
      await this.#clients.ask(client, { op: 'resolve', id }, call, written)
      return
    }
    const value = this.#value(client, id, VALUE_BYTES)
    const properties = propertiesOf(dice)
    const question = { op: 'resolve', id, ...measured(value), properties } as const
    const text = value.toString('utf8')
    const wish = { id, text, ...given(properties), ...waiting(dice) }
    const call = (connection: JsonClient) => connection.call<Written>('resolve', wish)
    await this.#clients.ask(client, question, call, written)
  }

  async #get(client: Client, id: string): Promise<void> {
    type Answer = { version: string; base64: string }
    const call = (connection: JsonClient) => connection.call<Answer>('get', { id, as: 'base64' })
    await this.#clients.ask(client, { op: 'get', id }, call, ({ version, base64 }) => ({
      version,
      blob: sha256(Buffer.from(base64, 'base64')),
    }))
  }

  async #download(client: Client, id: string): Promise<void> {
    const call = (connection: JsonClient) => connection.download({ id })
    await this.#clients.ask(client, { op: 'get', id }, call, ({ header, bytes }) => ({
      version: header.version as string,
      blob: sha256(bytes),
    }))
  }

  async #head(client: Client, id: string): Promise<string | null> {
    const call = (connection: JsonClient) => connection.call<ShownItem>('head', { id })
    const tell = ({ version, blob }: ShownItem) => ({ version, blob })
    const found = await this.#clients.ask(client, { op: 'head', id }, call, tell)
    return found?.version ?? null
  }

  async #list(client: Client): Promise<void> {
    const { dice, daemon } = client
    const prefix = dice.pick(['', 'item/', 'item/1', `own/${daemon.name}`])
    const call = (connection: JsonClient) =>
      connection.call<{ items: ShownItem[] }>('list', { prefix, limit: 1000 })
    await this.#clients.ask(client, { op: 'list', id: prefix }, call, ({ items }) => ({
      version: null,
      reads: items.map(({ id, version, blob }) => ({ id, version, blob })),
    }))
  }

  #pickId({ dice, daemon }: Client): string {
    const at = Math.floor(this.#items * dice.unit() ** 2)
    return dice.chance(0.1) ? `own/${daemon.name}/${at % 3}` : `item/${at}`
  }

  #value({ name, dice }: Client, id: string, size: readonly [number, number]): Buffer {
    this.#values += 1
    return Buffer.from(`${name}:${this.#values}:${id}:`.padEnd(dice.int(...size), '.'))
  }
}

function written({ version, level, heldBy }: Written): Told {
  return { version, level: level ?? null, heldBy: heldBy ?? [] }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function measured(value: Buffer): { blob: string; size: number } {
  return { blob: sha256(value), size: value.length }
}

/** Mostly none, in the form in which the product keeps them. */
function propertiesOf(dice: Dice): Properties {
  const bare = { type: 'text/plain', tags: [], description: '', meta: null, dependsOn: [] }
  if (dice.chance(0.8)) return bare
  const some = <T>(list: readonly T[]) => list.filter(() => dice.chance(0.4))
  return {
    type: dice.pick(['text/plain', 'application/octet-stream', 'x/y; z=1']),
    tags: some(TAGS),
    description: dice.pick(['', 'one line', 'two\nlines']),
    meta: dice.pick([null, { count: dice.int(0, 9), deep: [true, null, 0.5] }, ['a', { b: 1 }]]),
    dependsOn: some(['item/0', 'item/1', 'item/11', 'nowhere']),
  }
}

/** As a client may hand them in: lists in any order, some entries twice. */
function given({ meta, ...properties }: Properties): Record<string, unknown> {
  const tangled = (list: readonly string[]) => [...list].reverse().concat(list.slice(0, 1))
  const tags = tangled(properties.tags)
  const dependsOn = tangled(properties.dependsOn)
  return { ...properties, tags, dependsOn, ...(meta === null ? {} : { meta }) }
}

function waiting(dice: Dice, wait: Level = dice.pick(LEVELS)) {
  return { wait, timeoutMs: dice.int(50, 2500) }
}
