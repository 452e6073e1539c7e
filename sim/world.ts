/**
 * A world: members with disks, clocks and a network between them, all on virtual time, and the
 * hands that faults need. The members are the real ones; only their ports lie.
 *
 * Invariant: everything that happens follows from the seed. Whatever a member does to the world is
 * traced, and the running hash of the trace tells two runs apart.
 */
import { createHash } from 'node:crypto'
import type { MemberId } from '../src/base/fact.ts'
import type { Hash } from '../src/base/hash.ts'
import type { PlantedBug, Quorum } from '../src/consensus/agreement/state.ts'
import type { Status } from '../src/consensus/messages.ts'
import type { MemberService } from '../src/control/member-service.ts'
import { Member } from '../src/node/driver/member.ts'
import { systemFact, systemId } from '../src/node/driver/system.ts'
import { StartLook } from '../src/node/ledger/start-look.ts'
import type { Log, LogLevel, Network } from '../src/node/ports.ts'
import { createService } from '../src/node/service/service.ts'
import { Atlas } from './atlas.ts'
import { clockOf, Life, Timeline } from './clock.ts'
import { Disk } from './disk.ts'
import { MachineClocks } from './machine-clocks.ts'
import { addressOf, memberId, SimNetwork } from './network.ts'
import { Random } from './random.ts'

export interface WorldOptions {
  readonly seed: string
  readonly members: number
  readonly quorum?: Quorum
  readonly planted?: ReadonlySet<PlantedBug>
}

/** What the world tells whoever watches it. */
export interface Watcher {
  /** One thing that a member did or that was done to it. */
  traced?(atMs: number, member: string, what: string): void
  status?(member: SimMember, from: Status, to: Status, sentence: string): void
  /** A new life has been opened and will begin to speak. */
  opened?(member: SimMember): void
  /** A process is gone, however it went. */
  gone?(member: SimMember): void
  /** A member named another one for something that no honest member says. */
  blamed?(by: SimMember, whom: MemberId, sentence: string): void
  /** A machine was added to the world; it is no member of anything yet. */
  enrolled?(member: SimMember): void
  /** Another disk was put into a machine that is down: what it held is gone. */
  replaced?(member: SimMember): void
  /** A process ended by itself: no run may cause that. */
  died?(member: SimMember, error: Error): void
  /** The world did something to its members. */
  fault?(sentence: string): void
}

/** A member with its machine. */
export interface SimMember {
  readonly id: MemberId
  readonly disk: Disk
  readonly skew: MachineClocks
  /**
   * As whoever acts on the world sees it: a stranger was let in nowhere yet; somebody asked for the
   * removal of who is removed, whether it knows of that or not.
   */
  standing: 'stranger' | 'member' | 'removed'
  /** Who invited it; null: it was there from the beginning. */
  letInBy: MemberId | null
  /** That one left or lost its disk since, and may know of it no more. */
  isForgotten: boolean
  /** What its process does before it is opened as a member; answers whether it can be. */
  entering: ((life: Life) => Promise<boolean>) | null
  /** How many lives it had. */
  lives: number
  life: Life | null
  /** Open and speaking; null while it is down or opening. */
  member: Member | null
  /** What its users call; null while there is no `member`. */
  service: MemberService | null
}

/** A member that is open. */
export type UpMember = SimMember & { readonly member: Member; readonly service: MemberService }

/** What an invitation carries; the network here proves no keys. */
const SERVICE = { networkKey: new Uint8Array(32), version: 'sim' }

/** What the disk of a machine can be replaced by. */
type Image = ReturnType<Disk['copy']>

export class World {
  readonly timeline = new Timeline()
  readonly random: Random
  readonly network: SimNetwork
  readonly atlas: Atlas
  readonly quorum: Quorum
  readonly watchers: Watcher[] = []
  /** A process that ends in order from now on is started again. */
  keepsUp = false
  /** How a machine that is added differs from others: drawn with the weather of a run. */
  prepare: (entry: SimMember) => void = () => undefined
  /** The one member that lies, if there is one; and what stands between it and its network. */
  liar: MemberId | null = null
  tongue: (port: Network) => Network = port => port
  /** Payloads that a liar made up, by hash: nobody wrote them, and nobody has to have them. */
  readonly invented = new Set<Hash>()
  readonly #members: SimMember[] = []
  readonly #planted: ReadonlySet<PlantedBug>
  readonly #traceHash = createHash('sha256')
  #traceLines: string[] = []

  constructor(options: WorldOptions) {
    this.random = new Random(options.seed)
    this.quorum = options.quorum ?? 'visible'
    this.#planted = options.planted ?? new Set()
    this.network = new SimNetwork({
      timeline: this.timeline,
      random: this.random.fork('network'),
      trace: (member, what) => this.trace(member, what),
    })
    this.atlas = new Atlas(this)
    for (let at = 0; at < options.members; at++) this.#add('member')
  }

  /** All machines, in the order in which they came. */
  get members(): readonly SimMember[] {
    return this.#members
  }

  get nowMs(): number {
    return this.timeline.nowMs
  }

  /** Lines of a run, hashed as they come. */
  trace(member: string, what: string): void {
    this.#traceLines.push(`${this.nowMs} ${member} ${what}\n`)
    if (this.#traceLines.length >= 256) this.#hashTrace()
    for (const watcher of this.watchers) watcher.traced?.(this.nowMs, member, what)
  }

  /** The hash of all that happened so far. */
  traceHash(): string {
    this.#hashTrace()
    return this.#traceHash.copy().digest('hex')
  }

  at(index: number): SimMember {
    return this.members[index]!
  }

  /** Members that are open. */
  up(): UpMember[] {
    return this.members.filter((entry): entry is UpMember => entry.member !== null)
  }

  /** Who may say what is not so, and is believed where the protocol believes a member. */
  believes(name: MemberId): boolean {
    return name === this.liar
  }

  /** Runs for so many virtual milliseconds. */
  async run(ms: number, until?: () => boolean): Promise<void> {
    await this.timeline.runTo(this.nowMs + ms, until)
  }

  /** Writes the roster of every store, as if all had joined long ago and were closed again. */
  async found(): Promise<void> {
    const founding = this.members.map(async entry => {
      const life = new Life(this.timeline)
      const member = await this.#member(entry, life, () => undefined)
      await member.roster.take(member.self, this.#roster())
      await member.ledger.close()
      entry.disk.keep(entry.disk.copy(), this.nowMs)
      entry.disk.founded()
      life.end()
    })
    let isDone = false
    const all = Promise.all(founding).then(() => {
      isDone = true
    })
    await this.run(1000, () => isDone)
    await all
  }

  /** Adds a machine that knows nobody. */
  enrol(): SimMember {
    const entry = this.#add('stranger')
    this.prepare(entry)
    this.tell(entry.id, 'is a new machine')
    for (const watcher of this.watchers) watcher.enrolled?.(entry)
    return entry
  }

  startAll(): void {
    for (const member of this.members) this.start(member)
  }

  /** Starts a member that is down; it opens its store and joins by itself. */
  start(entry: SimMember): void {
    if (entry.life !== null || (entry.standing === 'stranger' && entry.entering === null)) return
    const life = new Life(this.timeline)
    entry.life = life
    entry.lives += 1
    this.tell(entry.id, `start ${entry.lives}`)
    this.#open(entry, life).catch(error => this.#died(entry, life, asError(error)))
  }

  /** The process ends at once: kill -9, or the power goes. */
  crash(entry: SimMember, how: 'kill' | 'power'): void {
    if (entry.life === null) return
    const { lost } = entry.disk.crash(this.nowMs, how)
    this.#gone(entry, how)
    this.tell(entry.id, `${how}, ${lost} batches lost`)
  }

  /** The process ends in order. */
  stop(entry: SimMember): void {
    const { life, member } = entry
    if (life === null || member === null) return
    entry.member = null
    entry.service = null
    this.tell(entry.id, 'stop')
    const stopping = async () => {
      await member.stop()
      await member.store.close()
      if (!life.alive) return
      entry.disk.keep(entry.disk.copy(), this.nowMs)
      this.#gone(entry, 'stop')
      if (this.keepsUp) this.start(entry)
    }
    stopping().catch(error => this.#died(entry, life, asError(error)))
  }

  /** Puts another disk into a machine that is down: an old copy of its own, or (null) a new one. */
  replaceDisk(entry: SimMember, image: Image | 'new'): void {
    if (entry.life !== null) throw new Error(`${entry.id} runs`)
    const lose = this.atlas.destroying(entry)
    for (const other of this.members) other.isForgotten ||= other.letInBy === entry.id
    if (image === 'new') entry.disk.wipe(this.nowMs)
    else entry.disk.keep(image, this.nowMs)
    for (const watcher of this.watchers) watcher.replaced?.(entry)
    this.tell(entry.id, `${image === 'new' ? 'has a new disk' : 'has an old copy'}, ${lose()}`)
  }

  /** The process stands still (SIGSTOP). */
  pause(entry: SimMember, ms: number): void {
    if (entry.life === null) return
    entry.life.standStill(ms)
    for (const other of this.members) this.network.watchSilence(entry.id, other.id)
    this.tell(entry.id, `stands still for ${Math.round(ms)} ms`)
  }

  /** Members of different groups do not hear each other; who is in no group is alone. */
  partition(groups: readonly (readonly SimMember[])[]): void {
    const groupOf = new Map(groups.flatMap((group, at) => group.map(entry => [entry.id, at])))
    for (const from of this.members) {
      for (const to of this.members) {
        if (from === to) continue
        const a = groupOf.get(from.id)
        if (a === undefined || a !== groupOf.get(to.id)) this.network.cut(from.id, to.id)
        else this.network.heal(from.id, to.id)
      }
    }
    const names = groups.map(group => group.map(entry => entry.id).join('+'))
    this.tell('world', `cut ${names.join(' | ')}`)
  }

  cut(from: SimMember, to: SimMember, ways: 'one' | 'both'): void {
    this.network.cut(from.id, to.id)
    if (ways === 'both') this.network.cut(to.id, from.id)
    this.tell('world', `cut ${from.id} ${ways === 'both' ? '↔' : '→'} ${to.id}`)
  }

  join(one: SimMember, other: SimMember): void {
    this.network.heal(one.id, other.id)
    this.network.heal(other.id, one.id)
    this.tell('world', `join ${one.id} ${other.id}`)
  }

  heal(): void {
    this.network.healAll()
    this.tell('world', 'heal')
  }

  /** Something that was done to the world: traced, and told to who watches. */
  tell(member: string, sentence: string): void {
    this.trace(member, sentence)
    for (const watcher of this.watchers) watcher.fault?.(`${member} ${sentence}`)
  }

  #add(standing: SimMember['standing']): SimMember {
    const id = memberId(this.#members.length)
    const entry: SimMember = {
      id,
      disk: new Disk(this.random.fork(`disk/${id}`), this.#planted),
      skew: new MachineClocks(this.timeline),
      standing,
      letInBy: null,
      isForgotten: false,
      entering: null,
      lives: 0,
      life: null,
      member: null,
      service: null,
    }
    this.#members.push(entry)
    return entry
  }

  async #open(entry: SimMember, life: Life): Promise<void> {
    if (entry.entering !== null) {
      const isMember = await entry.entering(life)
      entry.entering = null
      if (!isMember) return this.#gone(entry, 'stop')
    }
    const member = await this.#member(entry, life, this.#logOf(entry, life))
    await member.start()
    entry.member = member
    entry.service = createService(member, SERVICE)
    for (const watcher of this.watchers) watcher.opened?.(entry)
  }

  #member(entry: SimMember, life: Life, log: Log): Promise<Member> {
    const entropy = this.random.fork(`entropy/${entry.id}/${entry.lives}`)
    const port = this.network.port(entry.id, life)
    const clock = clockOf(life, entry.skew)
    const look = new StartLook()
    return Member.open({
      ports: {
        clock,
        turn: () => Promise.resolve(),
        entropy: { bytes: count => entropy.bytes(count) },
        log,
        network: entry.id === this.liar ? this.tongue(port) : port,
      },
      store: entry.disk.open(life, look),
      look,
      planted: this.#planted,
      onFatal: error => this.#died(entry, life, error),
    })
  }

  /** The same system facts on all members, as if they had joined long ago. */
  #roster() {
    const stamp = { at: '0000000000010000', by: this.members[0]!.id }
    return [
      systemFact(systemId.network, { name: 'sim' }, stamp),
      systemFact(systemId.quorum, { quorum: this.quorum }, stamp),
      ...this.members.map(({ id }) =>
        systemFact(
          systemId.member(id, 1),
          { name: id, addresses: [addressOf(id)], peer: id, number: 1 },
          stamp,
        ),
      ),
    ]
  }

  #logOf(entry: SimMember, life: Life): Log {
    return (level: LogLevel, sentence: string, fields = {}) => {
      if (!life.alive) return
      this.trace(entry.id, `log ${level} ${sentence}`)
      if (fields.reason === 'peer' && typeof fields.member === 'string') {
        for (const watcher of this.watchers) watcher.blamed?.(entry, fields.member, sentence)
      }
      const change = /^(\S+) → (\S+): (.*)$/.exec(sentence)
      if (change === null) return
      const [, from, to, why] = change as unknown as [string, Status, Status, string]
      for (const watcher of this.watchers) watcher.status?.(entry, from, to, why)
    }
  }

  #died(entry: SimMember, life: Life, error: Error): void {
    if (!life.alive) return
    entry.disk.crash(this.nowMs)
    this.#gone(entry, 'kill')
    this.tell(entry.id, `died: ${error.message}`)
    for (const watcher of this.watchers) watcher.died?.(entry, error)
  }

  #gone(entry: SimMember, how: 'stop' | 'kill' | 'power'): void {
    entry.life?.end()
    entry.life = null
    entry.member = null
    entry.service = null
    for (const watcher of this.watchers) watcher.gone?.(entry)
    this.network.leave(entry.id, how)
  }

  #hashTrace(): void {
    if (this.#traceLines.length === 0) return
    this.#traceHash.update(this.#traceLines.join(''))
    this.#traceLines = []
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
