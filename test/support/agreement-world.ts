/**
 * A small deterministic world for the agreement machine: members with abstract sets, a network that
 * delays and loses, virtual time. It is no simulator of the product (no items, no disks, no bytes);
 * it is fast, readable, and checks at every step what must hold at every step: the ways between
 * the statuses, and that who becomes Source by counter-sync holds what it must (G4).
 */
import { expect } from 'vitest'
import type { Effect } from '../../src/consensus/agreement/events.ts'
import { participants } from '../../src/consensus/agreement/reach.ts'
import type { Quorum, Round } from '../../src/consensus/agreement/state.ts'
import { ModelMember } from './agreement-member.ts'
import { type Delay, ModelNetwork } from './agreement-network.ts'
import { Names } from './agreement-sets.ts'
import { Agenda, Chance } from './agreement-time.ts'
import { checkConsistent, checkWay } from './agreement-ways.ts'

/** The world's clocks begin here, so that cuts are ordinary moments. */
const EPOCH_MS = 1_700_000_000_000

export interface WorldOptions {
  readonly members: number
  readonly seed?: number
  readonly quorum?: Quorum
  readonly delay?: Delay
  readonly loss?: number
  /** How long a comparison takes besides the ways there and back. */
  readonly compareMs?: number
}

export interface StatusLine {
  readonly at: number
  readonly member: string
  readonly from: string
  readonly to: string
  readonly sentence: string
}

export class World {
  readonly agenda = new Agenda()
  readonly chance: Chance
  readonly names = new Names()
  readonly network: ModelNetwork
  readonly members: readonly ModelMember[]
  readonly ids: readonly string[]
  quorum: Quorum
  compareMs: number
  holdMs = 20
  rearrangeMs = 10
  /** The machine hears of the own sets so long after they changed. */
  durableMs = 0
  /** Every fetch of facts fails for now. */
  fetchFails = false
  onEffect: (member: ModelMember, effect: Effect) => void = () => undefined
  readonly lines: StatusLine[] = []
  /** What users wrote or members began with: none of it may ever be lost. */
  readonly accepted = new Set<string>()
  readonly #byId: ReadonlyMap<string, ModelMember>
  readonly #snapshots = new Map<string, ReadonlySet<string>>()

  constructor(options: WorldOptions) {
    this.chance = new Chance(options.seed ?? 1)
    this.quorum = options.quorum ?? 'visible'
    this.compareMs = options.compareMs ?? 30
    this.ids = Array.from({ length: options.members }, (_, at) => `m${at + 1}`)
    this.members = this.ids.map(id => new ModelMember(this, id))
    this.#byId = new Map(this.members.map(member => [member.id, member]))
    this.network = new ModelNetwork({
      agenda: this.agenda,
      chance: this.chance,
      delay: options.delay ?? { min: 5, max: 20 },
      isAlive: id => this.get(id).isAlive,
    })
    this.network.loss = options.loss ?? 0
  }

  get(id: string): ModelMember {
    return this.#byId.get(id)!
  }

  /** Member number `at`, from 1. */
  member(at: number): ModelMember {
    return this.members[at - 1]!
  }

  wallMs(): number {
    return EPOCH_MS + this.agenda.now
  }

  /** Facts that a member holds as agreed before it is started. */
  have(at: number, ...names: readonly string[]): this {
    for (const name of names) {
      this.member(at).sets.agree(name, '0000000000000001')
      this.accepted.add(name)
    }
    return this
  }

  /** Facts that a member holds as set aside before it is started. */
  haveAside(at: number, ...names: readonly string[]): this {
    for (const name of names) {
      this.member(at).sets.setAside(name)
      this.accepted.add(name)
    }
    return this
  }

  start(...at: readonly number[]): this {
    const which = at.length === 0 ? this.members : at.map(number => this.member(number))
    for (const member of which) if (!member.isAlive) member.start(this.ids, this.quorum)
    return this
  }

  /** A member ends, and its disk is gone. */
  wipe(at: number): void {
    this.member(at).crash()
    this.member(at).wipe()
  }

  put(at: number, name: string): void {
    this.accepted.add(name)
    this.member(at).put(name)
  }

  /** Cuts the network into sides that hear nothing of each other. */
  cut(...sides: readonly (readonly number[])[]): void {
    this.network.heal()
    const sideOf = new Map(sides.flatMap((side, index) => side.map(at => [`m${at}`, index])))
    for (const from of this.ids)
      for (const to of this.ids)
        if (from !== to && sideOf.get(from) !== sideOf.get(to)) this.network.block(from, to)
  }

  /** Leaves only these links. */
  link(...pairs: readonly (readonly [number, number])[]): void {
    this.cut(...this.ids.map((_, at) => [at + 1]))
    for (const [a, b] of pairs) {
      this.network.unblock(`m${a}`, `m${b}`)
      this.network.unblock(`m${b}`, `m${a}`)
    }
  }

  run(ms: number): void {
    this.agenda.runTo(this.agenda.now + ms)
  }

  /** Runs until something holds, looking every 50 ms; answers after how long. */
  runUntil(holds: () => boolean, maxMs: number): number {
    const began = this.agenda.now
    while (!holds()) {
      const elapsed = this.agenda.now - began
      if (elapsed >= maxMs) throw new Error(`not within ${maxMs} ms:\n${this.report()}`)
      this.run(50)
    }
    return this.agenda.now - began
  }

  get alive(): ModelMember[] {
    return this.members.filter(member => member.isAlive)
  }

  /** Numbers of the members that are Source. */
  sources(): number[] {
    return this.members.flatMap((member, at) => (member.isSource ? [at + 1] : []))
  }

  /** Every living member is Source, with one set and nothing pending. */
  isWhole(): boolean {
    const [first] = this.alive
    return this.alive.every(
      ({ isSource, sets }) =>
        isSource &&
        sets.pending.size === 0 &&
        sets.agreedHash === first!.sets.agreedHash &&
        sets.settledHash === first!.sets.settledHash,
    )
  }

  /** What all living members hold together. */
  union(): Set<string> {
    return new Set(this.alive.flatMap(member => member.sets.allNames()))
  }

  expectNothingLost(): void {
    const union = this.union()
    expect([...this.accepted].filter(name => !union.has(name))).toEqual([])
  }

  /** All that a member holds at this moment; its hash says which set it is. */
  snapshot(member: ModelMember): ReadonlySet<string> {
    const root = member.sets.heldHash ?? ''
    let names = this.#snapshots.get(root)
    if (names === undefined) {
      names = new Set(member.sets.heldNames())
      this.#snapshots.set(root, names)
      for (const oldest of this.#snapshots.keys()) {
        if (this.#snapshots.size <= 200) break
        this.#snapshots.delete(oldest)
      }
    }
    return names
  }

  /** Looks at every step of every member. */
  watch(member: ModelMember, effects: readonly Effect[], round: Round | null): void {
    for (const effect of effects) {
      this.onEffect(member, effect)
      if (effect.kind !== 'status') continue
      const { from, to, sentence } = effect
      this.lines.push({ at: this.agenda.now, member: member.id, from, to, sentence })
      checkWay(from, to)
      if (round !== null && sentence.startsWith('holds exactly')) this.#checkElected(member)
    }
    checkConsistent(member.state, effects)
    if (member.sets.heldHash !== null) this.snapshot(member)
  }

  /** G4: it holds as agreed exactly what more than half of the participants of its round held. */
  #checkElected(member: ModelMember): void {
    const { state, sets } = member
    const roots = [state.own.held, ...participants(state).map(peer => peer.held)]
    const count = new Map<string, number>()
    for (const root of roots) {
      for (const name of this.#snapshots.get(root ?? '') ?? [])
        count.set(name, (count.get(name) ?? 0) + 1)
    }
    const majority = [...count].filter(([, n]) => n * 2 > roots.length).map(([name]) => name)
    expect([...sets.agreed.keys()].sort()).toEqual(majority.sort())
  }

  /** Where everybody stands, for people. */
  report(): string {
    const lines = this.lines
      .slice(-30)
      .map(({ at, member, from, to, sentence }) => `${at} ${member} ${from} -> ${to}: ${sentence}`)
    const members = this.members.map(({ id, state, sets, isAlive }) =>
      isAlive
        ? `${id} ${state.status} ${sets.settledHash.slice(0, 6)} agreed ${sets.agreed.size} pending ${sets.pending.size}`
        : `${id} down`,
    )
    return [...lines, `at ${this.agenda.now}`, ...members].join('\n')
  }
}
