/**
 * Fetching payloads that facts name and that are not here. Pieces are pulled from any reached
 * member that has them, several at once; what was written survives a kill and is not asked for
 * again; the whole is held against its hash before anybody sees it. The queue of what is wanted
 * lives in the store, so a restart goes on where it was.
 */
import type { Bytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import type { Hash } from '../../base/hash.ts'
import { limits } from '../../base/limits.ts'
import { isVecheError } from '../../base/veche-error.ts'
import type { PayloadWriter } from '../../storage/store.ts'
import type { Context } from './context.ts'

const RETRY_MS = 1000
/** A busy disk may take long for a piece; a link that breaks ends the wait at once. */
const PIECE_MS = 30_000
/** Who was waited for so long is silent; timers and clocks need not agree to the millisecond. */
const SILENT_MS = PIECE_MS / 2
/** Two pieces less than a chunk: so much may have come and not be written (PayloadWriter). */
const WINDOW = Math.floor(limits.chunkBytes / limits.pieceBytes) - 2

interface Wanted {
  readonly blob: Hash
  readonly size: number
  tryAt: number
  fetching: boolean
  /** Members that said they do not have it, with the moment they said so. */
  readonly absentAt: Map<MemberId, number>
  /** Pieces of several members made a whole that is not it: it is taken from one at a time. */
  isDoubtful: boolean
  /** Whose pieces lie in the partial file of a doubtful one. */
  partOf: MemberId | null
  /** Members that gave a whole that is not it, with the moment. */
  readonly badAt: Map<MemberId, number>
  readonly waiters: (() => void)[]
}

export class Payloads {
  readonly #context: Context
  readonly #wanted = new Map<Hash, Wanted>()
  readonly #onHave: (blobs: readonly Hash[]) => void
  /** Members that let a question for a piece run out, with the moment. */
  readonly #silentAt = new Map<MemberId, number>()
  #active = 0
  /** Bytes of large payloads received since the start, counted as they arrive. */
  receivedBytes = 0

  constructor(context: Context, onHave: (blobs: readonly Hash[]) => void) {
    this.#context = context
    this.#onHave = onHave
  }

  /** Takes up what was wanted before a restart. */
  async load(): Promise<void> {
    for (let after: Hash | null = null; ; ) {
      const page = await this.#context.store.wanted(after, limits.pageMax)
      for (const { blob, size } of page) this.want(blob, size)
      const last = page.at(-1)
      if (last === undefined) return
      after = last.blob
    }
  }

  /** A payload that is not here and that a fact names. */
  want(blob: Hash, size: number): void {
    if (this.#wanted.has(blob)) return
    this.#wanted.set(blob, {
      blob,
      size,
      tryAt: 0,
      fetching: false,
      absentAt: new Map(),
      isDoubtful: false,
      partOf: null,
      badAt: new Map(),
      waiters: [],
    })
  }

  /** It came another way. */
  have(blobs: readonly Hash[]): void {
    for (const blob of blobs) {
      this.#context.problems.clear(`damage/payload/${blob}`)
      const wanted = this.#wanted.get(blob)
      if (wanted === undefined) continue
      this.#wanted.delete(blob)
      for (const wake of wanted.waiters) wake()
    }
  }

  isWanted(blob: Hash): boolean {
    return this.#wanted.has(blob)
  }

  /** Payloads that are not here. */
  missing(): readonly { readonly blob: Hash; readonly size: number }[] {
    return [...this.#wanted.values()]
  }

  /** When a missing payload is tried again, in milliseconds from now. */
  nextTryMs(blob: Hash): number {
    const wanted = this.#wanted.get(blob)
    return wanted === undefined ? 0 : Math.max(0, Math.round(wanted.tryAt - this.#context.now()))
  }

  /** Tries a payload next, and resolves when it is here (or at once if it is not wanted). */
  async hurry(blob: Hash): Promise<void> {
    const wanted = this.#wanted.get(blob)
    if (wanted === undefined) return
    wanted.tryAt = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    wanted.waiters.push(resolve)
    this.#wanted.delete(blob)
    const rest = [...this.#wanted]
    this.#wanted.clear()
    this.#wanted.set(blob, wanted)
    for (const [key, value] of rest) this.#wanted.set(key, value)
    this.tick()
    await promise
  }

  /** Begins fetches that are due; called with every tick. */
  tick(): void {
    const now = this.#context.now()
    if (this.#wanted.size === 0 || this.#context.reached().length === 0) return
    if (this.#context.store.isFull()) return // what is left of the disk is for facts
    for (const wanted of this.#wanted.values()) {
      if (this.#active >= limits.payloadFetchesMax) return
      if (wanted.fetching || wanted.tryAt > now) continue
      wanted.fetching = true
      this.#active += 1
      this.#context.background(
        this.#fetch(wanted).finally(() => {
          wanted.fetching = false
          wanted.tryAt = this.#context.now() + RETRY_MS
          this.#active -= 1
          this.#toTheEnd(wanted)
        }),
      )
    }
  }

  /** What nobody has now keeps nothing else waiting. */
  #toTheEnd(wanted: Wanted): void {
    if (this.#wanted.get(wanted.blob) !== wanted) return
    this.#wanted.delete(wanted.blob)
    this.#wanted.set(wanted.blob, wanted)
  }

  async #fetch(wanted: Wanted): Promise<void> {
    const { blob } = wanted
    const only = wanted.isDoubtful ? this.#oneHolder(wanted) : null
    if (only === undefined) return
    const writer = await this.#writer(wanted, only)
    let whole = false
    let written: Hash | undefined
    try {
      whole = await this.#pull(wanted, writer, only)
      if (whole) written = await writer.finish()
    } catch (error) {
      if (!isVecheError(error, 'DISK_FULL')) throw error
      whole = false // what came is kept; it goes on when there is room, see `tick`
    } finally {
      if (!whole) await writer.close('keep')
    }
    if (!whole) return
    if (written === undefined) return this.#mismatch(wanted, only)
    this.#context.problems.clear(`payload/${blob}`)
    await this.#context.ledger.record([{ kind: 'have', blob }])
    this.have([blob])
    this.#onHave([blob])
    this.tick()
  }

  /** Goes on where an earlier writing stopped, but never mixes a doubtful one of two members. */
  async #writer(wanted: Wanted, only: MemberId | null): Promise<PayloadWriter> {
    const { store } = this.#context
    if (only !== null && only !== wanted.partOf) {
      const mixed = await store.payloadWriter(wanted)
      await mixed.close('remove')
      wanted.partOf = only
    }
    return await store.payloadWriter(wanted)
  }

  /** Whoever gave all of it is named, told, and not asked for a while; of many, nobody is. */
  #mismatch(wanted: Wanted, only: MemberId | null): void {
    const { blob, size } = wanted
    wanted.isDoubtful = true
    wanted.partOf = null
    const problem = {
      reason: 'payload-damaged',
      sentence: `A payload of ${size} bytes did not match its hash after it was fetched.`,
      nextStep: 'Nothing: it is fetched again from the beginning, from one member at a time.',
    } as const
    if (only === null) return this.#context.problems.set(`payload/${blob}`, problem)
    wanted.badAt.set(only, this.#context.now())
    this.#context.problems.set(`payload/${blob}`, { ...problem, member: only })
    this.#context.blame(only, `gave a payload that does not match its hash (${blob})`)
    // A question for what lies behind the end says so (docs/protocol-wire.md); no answer matters.
    const doubt = { kind: 'askChunk', blob, offset: size, length: 1 } as const
    this.#context.background(this.#context.links.ask(only, doubt, { lane: 'bulk' }))
  }

  /**
   * The member that a doubtful payload is taken from. Who began it goes on, unless it said that it
   * does not have it; then who was not asked yet comes first, and who said so longest ago.
   */
  #oneHolder(wanted: Wanted): MemberId | undefined {
    const { partOf, absentAt } = wanted
    const holders = this.#mayHave(wanted)
    if (partOf !== null && holders.includes(partOf)) return partOf
    const saidSo = (peer: MemberId) => absentAt.get(peer) ?? Number.NEGATIVE_INFINITY
    return holders.reduce<MemberId | undefined>(
      (first, peer) => (first === undefined || saidSo(peer) < saidSo(first) ? peer : first),
      undefined,
    )
  }

  /** Pulls pieces in order, a window of them on the way; true when all bytes are written. */
  async #pull(wanted: Wanted, writer: PayloadWriter, only: MemberId | null): Promise<boolean> {
    const ahead: { readonly offset: number; readonly bytes: Promise<Bytes | undefined> }[] = []
    let asked = writer.offset
    let written = writer.offset
    let turn = 0
    const isShort = this.#context.agreement.planted.has('drop-last-piece')
    const dropped = isShort ? wanted.size % limits.pieceBytes : 0
    while (written < wanted.size - dropped) {
      while (ahead.length < WINDOW && asked < wanted.size) {
        const length = Math.min(limits.pieceBytes, wanted.size - asked)
        ahead.push({
          offset: asked,
          bytes: this.#piece(wanted, asked, length, { turn: turn++, only }),
        })
        asked += length
      }
      const bytes = await ahead.shift()!.bytes
      if (bytes === undefined) {
        await Promise.all(ahead.map(piece => piece.bytes))
        return false
      }
      await writer.write(bytes)
      written += bytes.length
    }
    return true
  }

  /** One piece from one of the members that may have it, in turn. */
  async #piece(
    wanted: Wanted,
    offset: number,
    length: number,
    { turn, only }: { readonly turn: number; readonly only: MemberId | null },
  ): Promise<Bytes | undefined> {
    const { blob } = wanted
    // Who does not have it leaves the list for a while, so the list itself cannot end the search.
    for (let attempt = 0; attempt <= this.#context.agreement.peers.size; attempt++) {
      const holders = this.#mayHave(wanted).filter(peer => only === null || peer === only)
      if (holders.length === 0) return undefined
      const peer = holders[(turn + attempt) % holders.length]!
      const askedAt = this.#context.now()
      const answer = await this.#context.links.ask(
        peer,
        { kind: 'askChunk', blob, offset, length },
        { lane: 'bulk', timeoutMs: PIECE_MS },
      )
      if (answer?.kind !== 'chunk' || answer.bytes === null || answer.bytes.length !== length) {
        const now = this.#context.now()
        wanted.absentAt.set(peer, now)
        if (now - askedAt >= SILENT_MS) this.#silentAt.set(peer, now)
        if (answer !== undefined && wanted.partOf === peer) wanted.partOf = null
        continue
      }
      this.receivedBytes += answer.bytes.length
      return answer.bytes
    }
    return undefined
  }

  #mayHave(wanted: Wanted): MemberId[] {
    const now = this.#context.now()
    return this.#context.reached().filter(peer => {
      // Each wait for it takes one of a few places: others are asked meanwhile.
      const silentAt = this.#silentAt.get(peer)
      if (silentAt !== undefined && now - silentAt < PIECE_MS) return false
      const badAt = wanted.badAt.get(peer)
      if (badAt !== undefined && now - badAt < limits.badCopyMs) return false
      const absentAt = wanted.absentAt.get(peer)
      return absentAt === undefined || now - absentAt >= RETRY_MS
    })
  }
}
