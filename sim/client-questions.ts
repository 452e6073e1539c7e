/**
 * What clients ask for: puts, puts on a condition, uploads that take their time, deletes, reads of
 * all kinds, writes to the items of a split, and its resolution. Some items are written by many,
 * most by few, and each member has some that nobody else asks for. Every value is unique.
 */
import { type Bytes, utf8 } from '../src/base/bytes.ts'
import type { ItemId } from '../src/base/fact.ts'
import { VecheError } from '../src/base/veche-error.ts'
import type { Level } from '../src/control/protocol.ts'
import type { Properties } from './checker/format.ts'
import { sha256 } from './history.ts'
import type { Random } from './random.ts'
import type { Client, Load, Workload } from './workload.ts'
import type { UpMember, World } from './world.ts'

const LEVELS: readonly Level[] = ['majority', 'majority', 'agreed', 'pending']
const GET_BYTES_MAX = 24 * 1024 * 1024
const LIST_MAX = 1000
const PIECE_BYTES = 64 * 1024
const TAGS = ['blue', 'draft', 'old', 'zebra', 'ärger'] as const

export class Questions {
  readonly #workload: Workload
  readonly #world: World
  readonly #load: Load
  /** Split ids that clients came upon, with their items. */
  readonly #splits = new Map<ItemId, readonly ItemId[]>()
  #values = 0

  constructor(workload: Workload, world: World, load: Load) {
    this.#workload = workload
    this.#world = world
    this.#load = load
  }

  /** An id is split: its items are asked for, too, and sometimes it is resolved. */
  split(id: ItemId, items: readonly ItemId[]): void {
    this.#splits.set(id, items)
  }

  /** Asks for something. */
  async act(client: Client, at: UpMember): Promise<void> {
    const { random } = client
    const id = this.#pickId(client)
    const wish = weighted(random, this.#load.weights)
    const items = this.#splits.get(id)
    if (items !== undefined && random.chance(0.3)) return await this.#resolve(client, at, id, items)
    const target = items !== undefined && random.chance(0.5) ? random.pick(items) : id
    switch (wish) {
      case 'put':
        return await this.put(client, at, target)
      case 'condition':
        return await this.put(client, at, target, await headOf(at, target))
      case 'upload':
        return await this.#upload(client, at, target)
      case 'delete':
        return await this.#delete(client, at, target)
      case 'get':
        return await this.#get(client, at, target)
      case 'head':
        return await this.#head(client, at, target)
      case 'list':
        return await this.#list(client, at)
    }
  }

  async put(client: Client, at: UpMember, id: ItemId, ifVersion?: string): Promise<void> {
    // Its process may have gone while the client read the head.
    if (client.isRetired) return
    const { random } = client
    const payload = this.#value(client, id)
    const properties = propertiesOf(random)
    const condition = ifVersion === undefined ? {} : { ifVersion }
    const question = { client, at, kind: 'put', id, payload, properties, ...condition } as const
    const wish = { id, payload, ...given(properties), ...condition, ...waiting(random) }
    await this.#workload.ask(question, () => at.service.put(wish), same)
  }

  /** The bytes come in pieces, with pauses: whatever happens may happen in the middle. */
  async #upload(client: Client, at: UpMember, id: ItemId): Promise<void> {
    const { random } = client
    const payload = this.#value(client, id)
    const properties = propertiesOf(random)
    const { timeline } = this.#world
    const { life } = at
    async function* pieces(): AsyncGenerator<Bytes> {
      for (let from = 0; from < payload.length; from += PIECE_BYTES) {
        await timeline.wait(random.between(0, 100))
        if (life?.alive !== true) return
        yield payload.subarray(from, from + PIECE_BYTES)
      }
    }
    const wish = { id, size: payload.length, ...given(properties), ...waiting(random) }
    await this.#workload.ask(
      { client, at, kind: 'upload', id, payload, properties },
      () => at.service.upload(wish, pieces()),
      same,
    )
  }

  async #delete(client: Client, at: UpMember, id: ItemId): Promise<void> {
    const ifVersion = client.random.chance(0.3) ? await headOf(at, id) : undefined
    if (client.isRetired) return
    const condition = ifVersion === undefined ? {} : { ifVersion }
    const question = { client, at, kind: 'delete', id, payload: null, ...condition } as const
    const wish = { id, ...condition, ...waiting(client.random) }
    await this.#workload.ask(question, () => at.service.delete(wish), same)
  }

  async #resolve(
    client: Client,
    at: UpMember,
    id: ItemId,
    items: readonly ItemId[],
  ): Promise<void> {
    const { random } = client
    this.#splits.delete(id)
    if (random.chance(0.3)) {
      const wish = { kind: 'keep', id, keep: random.pick(items), ...waiting(random) } as const
      const question = { client, at, kind: 'resolve', id, payload: null } as const
      await this.#workload.ask(question, () => at.service.resolve(wish), same)
      return
    }
    const payload = this.#value(client, id)
    const properties = propertiesOf(random)
    const content = { payload, ...given(properties) }
    const wish = { kind: 'content', id, content, ...waiting(random) } as const
    const question = { client, at, kind: 'resolve', id, payload, properties } as const
    await this.#workload.ask(question, () => at.service.resolve(wish), same)
  }

  async #get(client: Client, at: UpMember, id: ItemId): Promise<void> {
    const found = await this.#workload.ask(
      { client, at, kind: 'get', id, payload: null },
      () => at.service.get({ id }, GET_BYTES_MAX),
      ({ header, payload }) => ({ version: header.version, read: sha256(payload) }),
    )
    if (found !== null) this.#workload.checks().read(found.operation, at, found.answer)
  }

  async #head(client: Client, at: UpMember, id: ItemId): Promise<void> {
    await this.#workload.ask(
      { client, at, kind: 'head', id, payload: null },
      () => at.service.head({ id }),
      ({ version, blob }) => ({ version, read: blob }),
    )
  }

  async #list(client: Client, at: UpMember): Promise<void> {
    const prefix = client.random.pick(['', 'item/', 'item/1', `own/${at.id}`])
    await this.#workload.ask(
      { client, at, kind: 'list', id: prefix, payload: null },
      () => at.service.list({ prefix, limit: LIST_MAX }),
      ({ items }) => ({ version: null, listed: items }),
    )
  }

  #pickId({ random, entry }: Client): ItemId {
    const at = Math.floor(this.#load.items * random.unit() ** 2)
    return random.chance(0.1) ? `own/${entry.id}/${at % 3}` : `item/${at}`
  }

  #value({ name, random }: Client, id: ItemId): Bytes {
    const { largeChance, largeBytes, valueBytes } = this.#load
    const size = random.int(...(random.chance(largeChance) ? largeBytes : valueBytes))
    this.#values += 1
    return utf8(`${name}:${this.#values}:${id}:`.padEnd(size, '.'))
  }
}

async function headOf(at: UpMember, id: ItemId): Promise<string | undefined> {
  try {
    return (await at.service.head({ id })).version
  } catch (error) {
    if (error instanceof VecheError) return undefined
    throw error
  }
}

/** Mostly none, in the form in which the product keeps them. */
function propertiesOf(random: Random): Properties {
  const bare = { type: 'text/plain', tags: [], description: '', meta: null, dependsOn: [] }
  if (random.chance(0.8)) return bare
  const some = <T>(list: readonly T[]) => list.filter(() => random.chance(0.4))
  return {
    type: random.pick(['text/plain', 'application/octet-stream', 'x/y; z=1']),
    tags: some(TAGS),
    description: random.pick(['', 'one line', 'two\nlines']),
    meta: random.pick([
      null,
      { count: random.int(0, 9), deep: [true, null, 0.5] },
      ['a', { b: 1 }],
    ]),
    dependsOn: some(['item/0', 'item/1', 'item/11', 'nowhere']),
  }
}

/** As a client may hand them in: lists in any order, some entries twice. */
function given(properties: Properties): Properties {
  const tangled = (list: readonly string[]) => [...list].reverse().concat(list.slice(0, 1))
  const { tags, dependsOn } = properties
  return { ...properties, tags: tangled(tags), dependsOn: tangled(dependsOn) }
}

function same<Answer>(answer: Answer): Answer {
  return answer
}

function waiting(random: Random): { readonly wait: Level; readonly timeoutMs: number } {
  return { wait: random.pick(LEVELS), timeoutMs: random.int(100, 5000) }
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
