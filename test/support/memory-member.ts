/**
 * An honest MemberService in memory, for tests of the socket, the client and the command line: one
 * member that is alone in its network, so that every write is at `majority` at once. Chains,
 * conditions, deletes, links, splits (made by hand with `collide`) and the event log behave as the
 * contract says; nothing is agreed with anybody. `hold` makes writes wait, for tests of slowness.
 */
import { type Bytes, compareText, concatBytes, utf8 } from '../../src/base/bytes.ts'
import { hashBytes, hashText, ZERO_HASH } from '../../src/base/hash.ts'
import { limits } from '../../src/base/limits.ts'
import { stampOf } from '../../src/base/stamp.ts'
import { VecheError } from '../../src/base/veche-error.ts'
import type {
  EventStream,
  ItemPayload,
  ItemStream,
  MemberService,
  PutContent,
  PutRequest,
  ResolveRequest,
  UploadRequest,
  VerifyOptions,
} from '../../src/control/member-service.ts'
import type {
  Collision,
  DeleteParams,
  HeadParams,
  HistoryParams,
  ItemHeader,
  ListParams,
  PutResult,
} from '../../src/control/protocol.ts'
import type {
  MemberStatus,
  QuorumParams,
  QuorumResult,
  StatusParams,
  StatusResult,
  VerifyResult,
  WatchParams,
} from '../../src/control/protocol-network.ts'
import { EventLog } from './event-log.ts'

interface Version extends ItemPayload {
  readonly parents: readonly string[]
}

export const TWIN_UUID = '12D3KooWTwinTwinTwinTwinTwinTwinTwinTwinTwinTwinTwin'

export class MemoryMember implements MemberService {
  readonly #chains = new Map<string, Version[]>()
  readonly #splits = new Map<string, readonly string[]>()
  readonly log = new EventLog()
  #nowMs = 1_700_000_000_000
  /** Writes and reads wait for this before they answer. */
  hold: Promise<void> = Promise.resolve()
  /** Calls of `put` and `upload` that were begun. */
  writesBegun = 0

  async status(params: StatusParams): Promise<StatusResult> {
    const hash = hashText([...this.#chains.keys()].join('\n'))
    const facts = [...this.#chains.values()].reduce((sum, chain) => sum + chain.length, 0)
    return {
      uuid: TWIN_UUID,
      name: 'twin',
      network: 'test',
      status: 'source',
      synchronized: true,
      hash,
      cut: this.#nowMs - 2000,
      ...(params.liveHash ? { liveHash: hash } : {}),
      items: this.#chains.size,
      facts,
      pending: 0,
      unsettled: 0,
      lastCheck: { marked: 0, of: 0, at: null },
      members: [this.#self(hash)],
      problems: [],
      version: '0.0.0-twin',
    }
  }

  #self(hash: string): MemberStatus {
    return {
      uuid: TWIN_UUID,
      name: 'twin',
      status: 'source',
      hash,
      cut: this.#nowMs - 2000,
      lastHeardMs: 0,
      rttMs: 0,
      inSync: true,
      reached: true,
      address: '/ip4/127.0.0.1/tcp/1',
    }
  }

  async put(request: PutRequest): Promise<PutResult> {
    this.writesBegun++
    checkId(request.id)
    const split = this.#splits.get(request.id)
    if (split !== undefined && !request.merge) throw splitError(request.id, split)
    this.#checkHead(request.id, request.ifVersion)
    const result = this.#append(request.id, request)
    await this.hold
    return result
  }

  async delete(params: DeleteParams): Promise<PutResult> {
    this.#head(params.id)
    this.#checkHead(params.id, params.ifVersion)
    return this.#append(params.id, null)
  }

  async upload(request: UploadRequest, source: AsyncIterable<Bytes>): Promise<PutResult> {
    this.writesBegun++
    checkId(request.id)
    const pieces: Bytes[] = []
    for await (const piece of source) pieces.push(piece)
    const payload = concatBytes(pieces)
    if (payload.length !== request.size) throw new Error('the source gave another length')
    return this.put({ ...request, payload })
  }

  async get(params: HeadParams, payloadBytesMax: number): Promise<ItemPayload> {
    const found = this.#find(params)
    await this.hold
    const { size } = found.header
    if (size > payloadBytesMax)
      throw new VecheError('TOO_LARGE', `The payload has ${size} bytes: use download.`, { size })
    return found
  }

  async download(params: HeadParams): Promise<ItemStream> {
    const { header, payload } = this.#find(params)
    return { header, stream: piecesOf(payload) }
  }

  async head(params: HeadParams) {
    return { ...this.#find(params).header, dependedOnBy: this.#dependedOnBy(params.id) }
  }

  async list(params: ListParams) {
    const ids = [...this.#chains.keys()].sort(compareText)
    const wanted = ids.filter(
      id =>
        id.startsWith(params.prefix ?? '') &&
        (params.after === undefined || compareText(id, params.after) > 0) &&
        (params.deleted || this.#last(id)?.header.deleted !== true),
    )
    const page = wanted.slice(0, params.limit)
    return {
      items: page.map(id => this.#last(id)!.header),
      ...(wanted.length > page.length ? { next: page.at(-1)! } : {}),
    }
  }

  async history(params: HistoryParams) {
    const chain = [...(this.#chains.get(params.id) ?? [])].reverse()
    if (chain.length === 0) throw notFound(params.id)
    const from =
      params.after === undefined
        ? 0
        : chain.findIndex(({ header }) => header.version === params.after) + 1
    const page = chain.slice(from, from + (params.limit ?? limits.pageMax))
    return {
      facts: page.map(({ header: { deleted, ...header }, parents }) => ({
        ...header,
        parents,
        deleted: deleted ?? false,
      })),
    }
  }

  async links({ id }: { readonly id: string }) {
    const { dependsOn } = this.#head(id).header
    return {
      dependsOn: dependsOn.map(to => ({ id: to, missing: this.#last(to) === undefined })),
      dependedOnBy: this.#dependedOnBy(id),
    }
  }

  async collisions() {
    return { collisions: [...this.#splits].map(([id, ids]) => this.#collision(id, ids)) }
  }

  async resolve(request: ResolveRequest) {
    const ids = this.#splits.get(request.id)
    if (ids === undefined)
      throw new VecheError(
        'BAD_REQUEST',
        `${request.id} is not split: there is nothing to resolve.`,
      )
    const content = request.kind === 'content' ? request.content : this.#branch(ids, request.keep)
    this.#splits.delete(request.id)
    const { version } = this.#append(request.id, content)
    for (const id of ids) this.#append(id, null)
    this.log.add({ kind: 'resolved', id: request.id, version })
    return { id: request.id, version }
  }

  async watch({ since, prefix }: WatchParams): Promise<EventStream> {
    return this.log.watch(since, prefix ?? '')
  }

  async why() {
    return { inSync: true, reasons: [] }
  }

  async verify({ progress, signal }: VerifyOptions): Promise<VerifyResult> {
    const facts = [...this.#chains.values()].flat()
    progress({ phase: 'payloads', done: 0, of: facts.length })
    await this.hold
    signal.throwIfAborted()
    progress({ phase: 'payloads', done: facts.length, of: facts.length })
    return {
      ok: true,
      items: this.#chains.size,
      facts: facts.length,
      payloads: facts.length,
      hash: hashText([...this.#chains.keys()].join('\n')),
      damages: [],
      danglingLinks: [],
    }
  }

  async invite({ uses }: { readonly uses?: number }) {
    const expires = this.#nowMs + 3_600_000
    return { token: 'veche1-twin', expires, addresses: [], uses: uses ?? 1 }
  }

  async members() {
    return { members: [this.#self(ZERO_HASH)] }
  }

  async leave() {
    return { uuid: TWIN_UUID, unshared: 0, unsharedPayloads: 0 }
  }

  async remove({ member }: { readonly member: string }): Promise<never> {
    throw new VecheError('NOT_FOUND', `There is no member ${member}.`)
  }

  async quorum({ set }: QuorumParams): Promise<QuorumResult> {
    return { quorum: set ?? 'visible' }
  }

  /** Two branches of one item, as a heal would bring them. */
  collide(id: string, branches: Readonly<Record<string, string>>): void {
    const ids = Object.keys(branches)
    for (const [branch, text] of Object.entries(branches))
      this.#append(branch, { payload: utf8(text), type: 'text/plain' })
    this.#splits.set(id, ids)
    const collision = this.#collision(id, ids)
    const versions = collision.branches.map(branch => branch.version)
    this.log.add({ kind: 'collision', versions, ...collision })
  }

  #collision(id: string, ids: readonly string[]): Collision {
    const branches = ids.map(branch => {
      const { version, at, by, size } = this.#last(branch)!.header
      return { id: branch, version, at, by, size }
    })
    return { id, branches }
  }

  #branch(ids: readonly string[], keep: string): PutContent {
    const found = ids.find(id => id === keep || this.#last(id)?.header.version === keep)
    if (found === undefined) throw notFound(keep)
    const { header, payload } = this.#last(found)!
    return { payload, type: header.type }
  }

  #last(id: string): Version | undefined {
    return this.#chains.get(id)?.at(-1)
  }

  #head(id: string): Version {
    checkId(id)
    const ids = this.#splits.get(id)
    if (ids !== undefined) throw splitError(id, ids)
    const last = this.#last(id)
    if (last === undefined || last.header.deleted) throw notFound(id)
    return last
  }

  #find({ id, version, at }: HeadParams): Version {
    if (version === undefined && at === undefined) return this.#head(id)
    const chain = this.#chains.get(id) ?? []
    const found = chain.findLast(({ header }) =>
      version === undefined ? header.at <= at! : header.version === version,
    )
    if (found === undefined || found.header.deleted) throw notFound(id)
    return found
  }

  #checkHead(id: string, ifVersion: string | null | undefined): void {
    const last = this.#last(id)?.header
    const head = last === undefined || last.deleted ? null : last.version
    if (ifVersion !== undefined && ifVersion !== head)
      throw new VecheError('VERSION_MISMATCH', `The head of ${id} is ${head}.`, { head })
  }

  #dependedOnBy(id: string): string[] {
    const ids = [...this.#chains.keys()].sort(compareText)
    return ids.filter(from => this.#last(from)!.header.dependsOn.includes(id))
  }

  /** `null` deletes. */
  #append(id: string, content: PutContent | null): PutResult {
    const chain = this.#chains.get(id) ?? []
    const parents = chain.length === 0 ? [] : [chain.at(-1)!.header.version]
    const payload = content?.payload ?? new Uint8Array()
    const blob = content === null ? null : hashBytes(payload)
    const dataHash =
      content === null ? ZERO_HASH : hashText(JSON.stringify({ ...content, payload: blob }))
    const at = ++this.#nowMs
    const header: ItemHeader = {
      id,
      version: hashText((parents[0] ?? id) + dataHash),
      position: chain.length + 1,
      dataHash,
      blob,
      size: payload.length,
      type: content?.type ?? '',
      tags: content?.tags ?? [],
      description: content?.description ?? '',
      meta: content?.meta ?? null,
      dependsOn: content?.dependsOn ?? [],
      at,
      stamp: stampOf(at),
      by: TWIN_UUID,
      state: 'agreed',
      ...(content === null ? { deleted: true as const } : {}),
    }
    this.#chains.set(id, [...chain, { header, payload, parents }])
    const { version, size, by } = header
    this.log.add({ kind: content === null ? 'deleted' : 'added', id, version, at, by, size })
    return { id, version, dataHash, blob, size, level: 'majority', heldBy: [TWIN_UUID], of: 1 }
  }
}

function checkId(id: string): void {
  const wrong =
    id === '' ||
    utf8(id).length > limits.idBytesMax ||
    [...id].some(char => char.charCodeAt(0) < 0x20) ||
    id.split('/').some(segment => segment === '.' || segment === '..') ||
    /~(?!~)/.test(id.replaceAll('~~', '').replace(/(~[0-9a-f])+$/, ''))
  if (wrong) throw new VecheError('BAD_REQUEST', 'This is no id.', { parameter: 'id' })
}

async function* piecesOf(payload: Bytes): AsyncGenerator<Bytes, void, void> {
  for (let at = 0; at < payload.length; at += limits.chunkBytes)
    yield payload.subarray(at, at + limits.chunkBytes)
}

function notFound(id: string): VecheError {
  return new VecheError('NOT_FOUND', `There is no item ${id}.`)
}

function splitError(id: string, ids: readonly string[]): VecheError {
  return new VecheError('SPLIT', `${id} was split into ${ids.join(', ')}.`, { ids })
}
