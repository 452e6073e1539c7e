/**
 * Writing items: the user's bytes and properties become a content, the payload becomes durable with
 * or before the fact, and the answer says which level was reached (PROTOCOL 11).
 */
import type { Bytes } from '../../base/bytes.ts'
import type { Content, ItemId } from '../../base/fact.ts'
import { hashBytes } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { VecheError } from '../../base/veche-error.ts'
import { normaliseProperties } from '../../consensus/items/properties.ts'
import type { PutRequest, ResolveRequest, UploadRequest } from '../../control/member-service.ts'
import type {
  DeleteParams,
  PropertyParams,
  PutResult,
  ResolveResult,
  WriteOptions,
} from '../../control/protocol.ts'
import { type Reached, waitOf } from '../driver/levels.ts'
import type { Member } from '../driver/member.ts'
import type { UserWrite, Written } from '../ledger/changes.ts'
import { checkId } from './reading.ts'

export class Writing {
  readonly #member: Member

  constructor(member: Member) {
    this.#member = member
  }

  async put(request: PutRequest): Promise<PutResult> {
    const { payload, merge } = request
    this.#checkWrite(request.id)
    const stored = await this.#store(payload)
    const content = contentOf(request, { blob: stored.blob, size: payload.length })
    const intent = { kind: 'put', content, merge: merge ?? false } as const
    return await this.#write(request.id, intent, stored.inline, request)
  }

  async delete(params: DeleteParams): Promise<PutResult> {
    this.#checkWrite(params.id)
    return await this.#write(params.id, { kind: 'delete' }, null, params)
  }

  async upload(request: UploadRequest, source: AsyncIterable<Bytes>): Promise<PutResult> {
    this.#checkWrite(request.id)
    const blob = await this.#take(request.size, source)
    const content = contentOf(request, { blob, size: request.size })
    await this.#member.ledger.record([{ kind: 'have', blob }])
    const intent = { kind: 'put', content, merge: request.merge ?? false } as const
    return await this.#write(request.id, intent, null, request)
  }

  async resolve(request: ResolveRequest): Promise<ResolveResult> {
    this.#checkWrite(request.id)
    if (request.kind === 'keep') {
      const intent = { kind: 'resolveKeep', keep: request.keep } as const
      const { id, version } = await this.#write(request.id, intent, null, request)
      return { id, version }
    }
    const stored = await this.#store(request.content.payload)
    const size = request.content.payload.length
    const content = contentOf(request.content, { blob: stored.blob, size })
    const intent = { kind: 'resolvePut', content } as const
    const { id, version } = await this.#write(request.id, intent, stored.inline, request)
    return { id, version }
  }

  #checkWrite(id: ItemId): void {
    checkId(id)
    if (this.#member.stopped) throw new VecheError('STOPPING', 'The daemon is stopping.')
    if (this.#member.roster.isRemoved) {
      const sentence = 'This member left its network or was removed: it reads, but takes no writes.'
      throw new VecheError('REMOVED', sentence)
    }
    if (this.#member.store.isFull()) {
      const sentence =
        'The disk of this member is nearly full: free some space, or write elsewhere.'
      throw new VecheError('DISK_FULL', sentence)
    }
  }

  async #write(
    id: ItemId,
    intent: UserWrite['intent'],
    payload: Bytes | null,
    options: WriteOptions,
  ): Promise<PutResult> {
    const { ifVersion } = options
    const condition = ifVersion === undefined ? {} : { ifVersion }
    const write: UserWrite = { id, intent, ...condition, payload }
    const written = await this.#member.ledger.write(write)
    const reached = await this.#member.levels.wait(written, waitOf(options))
    return this.#result(written, reached)
  }

  #result(written: Written, reached: Reached): PutResult {
    const { id, version, dataHash, blob, size } = written.fact
    return { id, version, dataHash, blob, size, ...reached }
  }

  /** A small payload goes with its fact; a larger one is a file before the fact names it. */
  async #store(payload: Bytes): Promise<{ blob: string; inline: Bytes | null }> {
    if (payload.length <= limits.inlinePayloadBytesMax) {
      return { blob: hashBytes(payload), inline: payload }
    }
    const blob = await this.#take(payload.length, pieces(payload))
    await this.#member.ledger.record([{ kind: 'have', blob }])
    return { blob, inline: null }
  }

  async #take(size: number, source: AsyncIterable<Bytes>): Promise<string> {
    const writer = await this.#member.store.payloadWriter(null)
    let bytes = 0
    try {
      for await (const piece of source) {
        bytes += piece.length
        if (bytes > size) break
        await writer.write(piece)
      }
    } catch (error) {
      await writer.close('remove')
      throw error
    }
    if (bytes !== size) {
      await writer.close('remove')
      const sentence = `The upload has ${bytes} bytes and not ${size}: nothing was stored.`
      throw new VecheError('BAD_REQUEST', sentence, { parameter: 'size' })
    }
    const blob = await writer.finish()
    if (blob === undefined) throw new VecheError('INTERNAL', 'The payload could not be stored.')
    return blob
  }
}

function contentOf(
  properties: PropertyParams,
  payload: { readonly blob: string; readonly size: number },
): Content {
  const { type, tags, description, meta, dependsOn } = properties
  const given = { type, tags, description, meta, dependsOn }
  const present = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  )
  const normalised = normaliseProperties(present)
  if (!normalised.ok) throw new VecheError('BAD_REQUEST', normalised.sentence)
  return { ...payload, ...normalised.properties }
}

async function* pieces(payload: Bytes): AsyncGenerator<Bytes> {
  for (let at = 0; at < payload.length; at += limits.pieceBytes) {
    yield payload.subarray(at, at + limits.pieceBytes)
  }
}
