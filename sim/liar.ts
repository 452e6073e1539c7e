/**
 * One member that lies: between its driver and the network each of its frames may be made another
 * one (liar-lies.ts), by kinds and with a density that the seed draws, after it was honest for a
 * while. It tells different things to different members, since each frame is looked at by itself.
 *
 * What must hold with it is in docs/guarantees.md. When the faults end, a liar whose lies are all
 * harmless stays, and the others must come together beside it; any other one is removed by a member,
 * as an operator does, and then they must.
 */
import type { Bytes } from '../src/base/bytes.ts'
import type { MemberId } from '../src/base/fact.ts'
import { limits } from '../src/base/limits.ts'
import type { Network } from '../src/node/ports.ts'
import { decodeFrame } from '../src/wire/frame.ts'
import { dataHashOf, versionOf } from './checker/hashes.ts'
import { type Lie, type LieKind, lies } from './liar-lies.ts'
import { canChange, remove } from './membership.ts'
import type { Random } from './random.ts'
import type { Verdict } from './verdict.ts'
import type { SimMember, World } from './world.ts'

/** The share of seeds with a liar. */
const SHARE = 0.15
/** A removal that was refused, or that another member does not know of yet. */
const EXPOSED_EVERY_MS = 2000
/** Frames that are kept to be said again. */
const OLD_MAX = 50

export class Liar {
  readonly id: MemberId
  readonly kinds: readonly LieKind[]
  /** How often each lie was told. */
  readonly told = new Map<LieKind, number>()
  /** Honest members that named it. */
  readonly namedBy = new Set<MemberId>()
  readonly #world: World
  readonly #random: Random
  readonly #chance: number
  readonly #honestUntilMs: number
  readonly #old: Bytes[] = []

  /** Makes one member of a world a liar; before it is started. */
  constructor(world: World, random: Random, wanted: readonly LieKind[] | null) {
    this.#world = world
    this.#random = random.fork('lies')
    this.id = random.fork('who').pick(world.members).id
    this.kinds = wanted ?? drawLies(random)
    this.#chance = random.fork('chance').pick([0.02, 0.1, 0.4])
    this.#honestUntilMs = random.fork('honest').pick([0, 5000, 15_000])
    world.liar = this.id
    world.tongue = port => this.#tongue(port)
    world.watchers.push({ blamed: (by, whom) => whom === this.id && this.namedBy.add(by.id) })
  }

  get isHarmless(): boolean {
    return this.kinds.every(kind => lies[kind].isHarmless)
  }

  /** The faults are over: who cannot be lived with is removed; asked again where that was refused. */
  exposed(): void {
    if (this.isHarmless) return
    const entry = this.#world.members.find(({ id }) => id === this.id)!
    const honest = this.#world.members.filter(({ id }) => id !== this.id)
    const by = honest.filter(canChange).find(({ member }) => member.roster.isMember(this.id))
    if (by !== undefined) remove(this.#world, by, entry)
    this.#world.timeline.after(EXPOSED_EVERY_MS, () => this.exposed())
  }

  #tongue(port: Network): Network {
    return {
      ...port,
      publish: frame => {
        for (const bytes of this.#say(frame)) port.publish(bytes)
      },
      send: async (peer, lane, frame) => {
        for (const bytes of this.#say(frame)) await port.send(peer, lane, bytes)
      },
    }
  }

  #say(bytes: Bytes): readonly Bytes[] {
    const isHonest = this.#world.nowMs < this.#honestUntilMs || !this.#random.chance(this.#chance)
    if (isHonest) {
      if (this.#old.length < OLD_MAX) this.#old.push(bytes)
      else if (this.#random.chance(0.02)) this.#old[this.#random.int(0, OLD_MAX - 1)] = bytes
      return [bytes]
    }
    const decoded = decodeFrame(bytes, limits.streamFrameBytesMax)
    if (!decoded.ok) return [bytes]
    const kind = this.#random.pick(this.kinds)
    const lie: Lie = lies[kind]
    const said = lie.tell({
      random: this.#random,
      bytes,
      frame: decoded.frame,
      others: this.#world.members.map(({ id }) => id).filter(id => id !== this.id),
      old: this.#old,
      invented: blob => this.#world.invented.add(blob),
    })
    if (said === null) return [bytes]
    this.told.set(kind, (this.told.get(kind) ?? 0) + 1)
    this.#world.trace(this.id, `lies ${kind}`)
    return said
  }
}

/** A liar for a share of the seeds. */
export function drawLiar(world: World, random: Random): Liar | null {
  if (world.members.length < 3) return null
  return random.fork('is there').chance(SHARE) ? new Liar(world, random, null) : null
}

function drawLies(random: Random): LieKind[] {
  const all = Object.keys(lies) as LieKind[]
  const harmless = all.filter(kind => lies[kind].isHarmless)
  const from = random.fork('sort').chance(0.5) ? harmless : all
  const drawn = from.filter(kind => random.fork(`lie/${kind}`).chance(0.4))
  return drawn.length > 0 ? drawn : [random.fork('only').pick(from)]
}

/** G8: whatever a liar said, no honest disk has a fact that does not verify. */
export function checkVerified(world: World, verdict: Verdict): void {
  for (const entry of world.members) {
    if (entry.id !== world.liar) checkDisk(entry, verdict)
  }
}

function checkDisk({ id, disk }: SimMember, verdict: Verdict): void {
  for (const { fact } of disk.holdings.values()) {
    const data = dataHashOf(fact as Parameters<typeof dataHashOf>[0])
    if (data === fact.dataHash && versionOf(fact.id, fact.parents, data) === fact.version) continue
    verdict.fail('G8', `${fact.version.slice(0, 12)} of ${fact.id} on ${id} does not verify`)
  }
}
