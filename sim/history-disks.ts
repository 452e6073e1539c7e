/**
 * What every disk keeps for certain, as it becomes so: a `hold` line for each user fact whose
 * presence, state or payload changed durably, and dumps of what survives when a process is gone.
 * It listens at the store's port and reads the tables that a crash leaves; it asks no member.
 *
 * When what survived is not what the next life opens, a hand of the run put something else there
 * (an old copy, a new disk, damage): that is written down as the fault that it is.
 */
import { createHash } from 'node:crypto'
import type { Bytes } from '../src/base/bytes.ts'
import { type Fact, type FactState, isSystemId, refKey } from '../src/base/fact.ts'
import type { MemoryStore } from '../src/storage/memory-store.ts'
import type { Write } from '../src/storage/store.ts'
import type { DumpFact, FoundPayload, HoldLine } from './checker/format.ts'
import type { Lines } from './history-lines.ts'
import type { SimMember } from './world.ts'

type Image = NonNullable<ReturnType<SimMember['disk']['copy']>>

interface Holding {
  readonly id: string
  readonly version: string
  readonly blob: string | null
  state: HoldLine['state']
  payload: boolean
}

/** One member's disk. */
interface Watched {
  readonly entry: SimMember
  readonly holdings: Map<string, Holding>
  readonly payloads: Set<string>
  /** Facts by their payload. */
  readonly byBlob: Map<string, Holding[]>
  /** Payloads that facts name and that were not there when they came. */
  readonly lacking: Set<string>
  /** What the last process left; null while one runs. */
  left: Image | null
}

export class DiskRecorder {
  readonly #lines: Lines
  readonly #watched = new Map<string, Watched>()
  /** Facts as dumps tell them; one object for each, so that it is recomputed once. */
  readonly #told = new WeakMap<Fact, Map<string, DumpFact>>()
  readonly #found = new WeakMap<Bytes, FoundPayload>()

  constructor(lines: Lines) {
    this.#lines = lines
  }

  /** Listens to a member's disk from its next life on. */
  watch(entry: SimMember): void {
    if (this.#watched.has(entry.id)) return
    const watched: Watched = {
      entry,
      holdings: new Map(),
      payloads: new Set(),
      byBlob: new Map(),
      lacking: new Set(),
      left: null,
    }
    this.#watched.set(entry.id, watched)
    const { disk } = entry
    const open = disk.open.bind(disk)
    disk.open = life => {
      this.#opening(watched)
      const store = open(life)
      this.#listen(watched, store)
      return store
    }
    const rot = disk.rot.bind(disk)
    disk.rot = what => {
      rot(what)
      this.#tellDestroyed(entry, 'rot')
      const { left } = watched
      watched.left = disk.copy()
      this.#dumpLeft(watched)
      if (left === null) watched.left = null
    }
  }

  /** The process is gone: what is left is all there is. */
  gone(entry: SimMember): void {
    const watched = this.#watched.get(entry.id)!
    watched.left = entry.disk.copy()
    this.#dumpLeft(watched)
  }

  /** All user facts of an image, with the payloads that are whole. */
  facts({ tables }: Image): DumpFact[] {
    const facts: DumpFact[] = []
    for (const [id, versions] of tables.facts) {
      if (isSystemId(id)) continue
      for (const { fact, state } of versions.values()) {
        if (tables.rotten.has(refKey(fact))) continue
        const bytes = fact.blob === null ? undefined : tables.payloads.get(fact.blob)
        const found = bytes === undefined ? null : this.#foundIn(bytes)
        // A payload that is damaged counts as not here: the store says so itself.
        facts.push(this.#tell(fact, state, found?.hash === fact.blob ? found : null))
      }
    }
    return facts
  }

  #listen(watched: Watched, store: MemoryStore): void {
    const commit = store.commit.bind(store)
    store.commit = async batch => {
      await commit(batch)
      for (const write of batch) this.#durable(watched, write)
    }
    const payloadWriter = store.payloadWriter.bind(store)
    store.payloadWriter = async expect => {
      const writer = await payloadWriter(expect)
      const finish = writer.finish.bind(writer)
      writer.finish = async () => {
        const blob = await finish()
        if (blob !== undefined) this.#havePayload(watched, blob)
        return blob
      }
      return writer
    }
  }

  #durable(watched: Watched, write: Write): void {
    // A `have` says what its writer was told before: the payload may have rotted since.
    if (write.kind === 'payload') this.#havePayload(watched, write.blob)
    if (write.kind !== 'fact' || isSystemId(write.held.fact.id)) return
    const { fact, state } = write.held
    const key = refKey(fact)
    const { id, version, blob } = fact
    const known = watched.holdings.get(key)
    const payload = blob === null || watched.payloads.has(blob)
    const next = stateOf(state)
    if (known?.state === next && known.payload === payload) return
    const holding = known ?? { id, version, blob, state: next, payload }
    holding.state = next
    holding.payload = payload
    if (known === undefined) {
      watched.holdings.set(key, holding)
      if (blob !== null) watched.byBlob.set(blob, [...(watched.byBlob.get(blob) ?? []), holding])
    }
    if (!payload) watched.lacking.add(blob)
    this.#hold(watched, holding)
  }

  /** The file of a large payload may be in its place before its writer is told so, and counts from then. */
  lookAtPlaced(): void {
    for (const watched of this.#watched.values()) {
      for (const blob of watched.lacking) {
        const [holding] = watched.byBlob.get(blob) ?? []
        if (holding === undefined) watched.lacking.delete(blob)
        else if (watched.entry.disk.isDurable(holding, blob)) this.#havePayload(watched, blob)
      }
    }
  }

  #havePayload(watched: Watched, blob: string): void {
    watched.payloads.add(blob)
    watched.lacking.delete(blob)
    for (const holding of watched.byBlob.get(blob) ?? []) {
      if (holding.payload) continue
      holding.payload = true
      this.#hold(watched, holding)
    }
  }

  #hold({ entry }: Watched, { id, version, state, payload }: Holding): void {
    this.#lines.write({ kind: 'hold', member: entry.id, id, version, state, payload })
  }

  /** A life begins on what is on the disk now. */
  #opening(watched: Watched): void {
    const { entry, left } = watched
    const image = entry.disk.copy()
    if (left !== null && image !== left) {
      this.#tellDestroyed(entry, 'another disk')
      watched.left = image
      this.#dumpLeft(watched)
    }
    watched.left = null
  }

  #tellDestroyed({ id }: SimMember, fault: string): void {
    const scope = [id]
    this.#lines.write({ kind: 'fault', fault, scope, phase: 'once', mark: 0, destroyed: scope })
  }

  #dumpLeft(watched: Watched): void {
    const { entry, left } = watched
    const facts = left === null ? [] : this.facts(left)
    watched.holdings.clear()
    watched.byBlob.clear()
    watched.lacking.clear()
    watched.payloads.clear()
    for (const [blob, bytes] of left?.tables.payloads ?? []) {
      if (this.#foundIn(bytes)?.hash === blob) watched.payloads.add(blob) // else it has rotted
    }
    for (const { id, version, blob, payload } of facts) {
      const held = left!.tables.facts.get(id)!.get(version)!
      const holding = {
        id,
        version,
        blob,
        state: stateOf(held.state),
        payload: blob === null || payload !== null,
      }
      watched.holdings.set(refKey(holding), holding)
      if (blob === null) continue
      watched.byBlob.set(blob, [...(watched.byBlob.get(blob) ?? []), holding])
      if (!holding.payload) watched.lacking.add(blob)
    }
    this.#lines.write({
      kind: 'dump',
      member: entry.id,
      moment: 'crash',
      status: 'down',
      roster: null,
      cut: null,
      hash: null,
      facts,
      items: null,
    })
  }

  #tell(fact: Fact, state: FactState, payload: FoundPayload | null): DumpFact {
    const added = state.kind === 'agreed' ? state.added : null
    const known = this.#told.get(fact) ?? new Map<string, DumpFact>()
    this.#told.set(fact, known)
    const key = `${added} ${payload === null}`
    const told = known.get(key) ?? tellFact(fact, added, payload)
    known.set(key, told)
    return told
  }

  #foundIn(bytes: Bytes): FoundPayload & { readonly kind: 'hash' } {
    const known = this.#found.get(bytes)
    if (known?.kind === 'hash') return known
    const hash = createHash('sha256').update(bytes).digest('hex')
    const found = { kind: 'hash', hash, size: bytes.length } as const
    this.#found.set(bytes, found)
    return found
  }
}

function stateOf(state: FactState): HoldLine['state'] {
  if (state.kind === 'agreed') return 'agreed'
  return state.fresh ? 'fresh' : 'pending'
}

function tellFact(fact: Fact, added: string | null, payload: FoundPayload | null): DumpFact {
  const { id, version, parents, dataHash, blob, size, at, by, base } = fact
  const { type, tags, description, meta, dependsOn } = fact
  const properties = { type, tags, description, meta, dependsOn }
  return { id, version, parents, dataHash, blob, size, ...properties, at, by, base, added, payload }
}
