/**
 * Payloads that are said to be damaged: each is held against its hash, and set aside and wanted anew
 * where it does not match. Never by what a damaged record or file says of itself: sizes are as facts
 * give them.
 */
import type { Hash } from '../../base/hash.ts'
import type { Member } from './member.ts'

export class PayloadMending {
  readonly #member: Member
  /** Takes a payload out of the way and wants it anew, durably. */
  readonly #setAside: (blob: Hash, size: number) => Promise<void>
  /** Payloads to be held against their hash. */
  readonly #blobs = new Set<Hash>()
  #isRunning = false

  constructor(member: Member, setAside: (blob: Hash, size: number) => Promise<void>) {
    this.#member = member
    this.#setAside = setAside
  }

  isAtWork(blob: Hash): boolean {
    return this.#blobs.has(blob)
  }

  /** Holds a payload against its hash; a damaged one is set aside and wanted anew. */
  mend(blob: Hash): void {
    this.#blobs.add(blob)
    if (this.#isRunning) return
    this.#isRunning = true
    this.#member.background(this.#run())
  }

  async #run(): Promise<void> {
    const { payloads, store } = this.#member
    try {
      while (this.#blobs.size > 0) {
        const damaged = new Set<Hash>()
        const blobs = [...this.#blobs]
        for (const blob of blobs) {
          const verdict = await store.verifyPayload(blob)
          if (verdict === 'ok' || (verdict === 'absent' && payloads.isWanted(blob))) continue
          damaged.add(blob)
        }
        const sizes = await this.#sizesOf(damaged)
        const unnamed = new Set<Hash>()
        for (const blob of damaged) {
          const size = sizes.get(blob)
          if (size === undefined) unnamed.add(blob)
          else await this.#setAside(blob, size)
        }
        await this.#setAsideUnnamed(unnamed)
        for (const blob of blobs) this.#blobs.delete(blob)
      }
    } finally {
      this.#isRunning = false
    }
  }

  /**
   * Takes damaged payloads out of the way that no fact named. One that came since found its payload
   * here and did not want it; one that comes later wants it itself. So they go in order with the
   * changes, and are looked for once more.
   */
  async #setAsideUnnamed(blobs: ReadonlySet<Hash>): Promise<void> {
    const { ledger, payloads, store } = this.#member
    for (const blob of blobs) await ledger.inOrder(() => store.setAsidePayload(blob))
    for (const [blob, size] of await this.#sizesOf(blobs)) {
      if (payloads.isWanted(blob) || (await store.verifyPayload(blob)) === 'ok') continue
      await this.#setAside(blob, size)
    }
  }

  /**
   * Sizes as facts give them: what a damaged record or file says is no witness. An item whose own
   * record is damaged is not among all items until it is made anew: its facts name payloads, too.
   */
  async #sizesOf(blobs: ReadonlySet<Hash>): Promise<ReadonlyMap<Hash, number>> {
    if (blobs.size === 0) return new Map()
    return await this.#member.mending.read(() => this.#readSizes(blobs))
  }

  async #readSizes(blobs: ReadonlySet<Hash>): Promise<ReadonlyMap<Hash, number>> {
    const sizes = new Map<Hash, number>()
    const { store } = this.#member
    for await (const page of store.allItems()) {
      for (const { id } of page) {
        for (const { fact } of await store.factsOf(id)) {
          if (fact.blob !== null && blobs.has(fact.blob)) sizes.set(fact.blob, fact.size)
        }
      }
      if (sizes.size === blobs.size) break
    }
    return sizes
  }
}
