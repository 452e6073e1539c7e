/**
 * Writes down what happens to the members of a world beside their clients: who is what and became
 * it in which round, what was done to them, what their disks keep, which sides can speak with each
 * other, and whole members now and then. It only looks; a run is the same with it or without.
 */
import { limits } from '../src/base/limits.ts'
import { participants } from '../src/consensus/agreement/reach.ts'
import type { MemoryStore } from '../src/storage/memory-store.ts'
import type { Bounds, Status } from './checker/format.ts'
import type { DiskWeather } from './disk.ts'
import type { DiskImage } from './disk-crash.ts'
import { shownItems } from './dump.ts'
import { groupsOf } from './groups.ts'
import { DiskRecorder } from './history-disks.ts'
import type { Lines } from './history-lines.ts'
import type { Random } from './random.ts'
import type { SimMember, UpMember, World } from './world.ts'

const LOOK_MS = 100
/** A running member is dumped about so often. */
const DUMP_EVERY_MS = 6000
/** What a participant held so long before a promotion was in the held root that it had told. */
const ROUND_MS = limits.heardMs + 1500

export interface RecorderOptions {
  readonly world: World
  readonly lines: Lines
}

export class HistoryRecorder {
  readonly #world: World
  readonly #lines: Lines
  readonly #disks: DiskRecorder
  readonly #random: Random
  readonly #status = new Map<string, Status>()
  /** Members that stand still, with the mark of their pause. */
  readonly #still = new Map<string, number>()
  #sides = ''
  /** What each member has as roster, and the one that was written down last. */
  readonly #rosters = new Map<string, string>()
  #roster = ''
  /** All rosters that were in effect, in the order in which they first were. */
  readonly #known: string[] = []
  #marks = 0
  #weather: number | null = null

  /** Listens from before the founding on. */
  constructor({ world, lines }: RecorderOptions) {
    this.#world = world
    this.#lines = lines
    this.#disks = new DiskRecorder(lines)
    this.#random = world.random.fork('recorder')
    for (const entry of world.members) this.#disks.watch(entry)
    world.watchers.push({
      fault: sentence => this.#fault(sentence),
      status: (entry, _, to, sentence) => this.#became(entry, to, sentence),
      opened: entry => this.#opened(entry),
      enrolled: entry => this.#enrolled(entry),
      gone: entry => this.#gone(entry),
    })
  }

  /** Begins the history: members are about to start. `run` is what repeats it. */
  start(run: string, bounds: Bounds): void {
    const members = this.#world.members.map(({ id }) => id)
    this.#lines.write({
      kind: 'begin',
      format: 1,
      run,
      members,
      quorum: this.#world.quorum,
      records: { holds: true, statuses: true, samples: true, sides: true },
      // Never of one that was told to be held by a majority: the atlas sees to that.
      mayDestroyAll: true,
      bounds,
    })
    this.#roster = members.join(' ')
    this.#known.push(this.#roster)
    for (const { id } of this.#world.members) {
      this.#write(id, 'down')
      this.#rosters.set(id, this.#roster)
    }
    this.#lines.beforeDone = () => {
      this.#lookAtRosters()
      this.#disks.lookAtPlaced()
    }
    this.#later()
    this.#dumpLater()
  }

  /** Weather that lasts as long as the faults do. */
  weather(phase: 'start' | 'stop'): void {
    if (phase === 'start') {
      this.#marks += 1
      this.#weather = this.#marks
    }
    if (this.#weather === null) return
    this.#lasting('weather', [], phase, this.#weather)
  }

  /** A whole running member, at one instant. */
  async dump(entry: UpMember, moment: 'pause' | 'settled'): Promise<void> {
    const { member, service, disk } = entry
    const image = disk.copy()
    // What is shown and hashed is ahead of the disk while a batch is on its way.
    const isStill = (member.store as MemoryStore).undurable === 0
    // Nor does anybody know of rot before it is read; in the end it has been looked for.
    const isWhole = image === null || !isRotten(image)
    const { settled } = member.ledger.sets
    const isTold = moment === 'settled' || (isStill && isWhole)
    const cut = isTold ? settled.cut : null
    const hash = isTold ? settled.root() : null
    const facts = image === null ? [] : this.#disks.facts(image)
    const { status, roster } = member.agreement
    const shown = isTold ? await shownItems(params => service.list(params)) : { items: null }
    if (moment === 'settled') this.#writeRoster(roster.join(' '))
    const about = { status, roster: [...roster], cut, hash, facts, ...shown }
    this.#lines.write({ kind: 'dump', member: entry.id, moment, ...about })
  }

  #became(entry: SimMember, to: Status, sentence: string): void {
    const { member } = entry
    const isElected = to === 'source' && sentence.startsWith('holds exactly')
    if (!isElected || member === null) return this.#write(entry.id, to)
    const members = [entry.id, ...participants(member.agreement).map(peer => peer.id)]
    const since = this.#lines.lastBefore(this.#world.nowMs - ROUND_MS)
    this.#status.set(entry.id, to)
    const round = { members: [...new Set(members)], since }
    this.#lines.write({ kind: 'status', member: entry.id, status: to, round })
  }

  #write(member: string, status: Status): void {
    if (this.#status.get(member) === status) return
    this.#status.set(member, status)
    this.#lines.write({ kind: 'status', member, status, round: null })
  }

  #opened(entry: SimMember): void {
    this.#disks.watch(entry)
    if (entry.member !== null) this.#write(entry.id, entry.member.agreement.status)
  }

  #enrolled(entry: SimMember): void {
    this.#disks.watch(entry)
    this.#write(entry.id, 'down')
  }

  #gone(entry: SimMember): void {
    this.#goesOn(entry.id)
    this.#write(entry.id, 'down')
    this.#disks.gone(entry)
  }

  /** `sentence` begins with whom it happens to: a member, or the world. */
  #fault(sentence: string): void {
    this.#marks += 1
    const [who, ...rest] = sentence.split(' ')
    const scope = this.#world.members.some(({ id }) => id === who) ? [who!] : []
    const fault = rest.join(' ')
    const mark = this.#marks
    this.#lines.write({ kind: 'fault', fault, scope, phase: 'once', mark, destroyed: [] })
  }

  #lasting(fault: string, scope: readonly string[], phase: 'start' | 'stop', mark: number): void {
    this.#lines.write({ kind: 'fault', fault, scope, phase, mark, destroyed: [] })
  }

  #later(): void {
    this.#world.timeline.after(LOOK_MS, () => {
      this.#look()
      this.#later()
    })
  }

  #look(): void {
    for (const { id, life } of this.#world.members) {
      if (life?.isStill !== true) this.#goesOn(id)
      else if (!this.#still.has(id)) {
        this.#marks += 1
        this.#still.set(id, this.#marks)
        this.#lasting('stands still', [id], 'start', this.#marks)
      }
    }
    this.#lookAtSides()
    this.#lookAtRosters()
  }

  /**
   * Each roster that some member has is one in effect: where a cut is, there are two. When one changed
   * all are written, what most have last: who was put back by an old copy speaks for itself only. Of two
   * that as many have the newer one is last: the others stand still, or have not heard of it.
   */
  #lookAtRosters(): void {
    const held = new Map<string, number>()
    let hasChanged = false
    for (const { id, member } of this.#world.up()) {
      if (member.roster.isRemoved) {
        this.#write(id, 'removed')
        hasChanged ||= this.#rosters.delete(id)
        continue
      }
      const roster = member.agreement.roster.join(' ')
      held.set(roster, (held.get(roster) ?? 0) + 1)
      hasChanged ||= this.#rosters.get(id) !== roster
      this.#rosters.set(id, roster)
      if (!this.#known.includes(roster)) this.#known.push(roster)
    }
    if (!hasChanged) return
    const age = (roster: string) => this.#known.indexOf(roster)
    const inOrder = [...held].sort((a, b) => a[1] - b[1] || age(a[0]) - age(b[0]))
    for (const [roster] of inOrder) this.#writeRoster(roster)
  }

  #writeRoster(roster: string): void {
    if (this.#roster === roster) return
    this.#roster = roster
    this.#lines.write({ kind: 'roster', members: roster.split(' ') })
  }

  #goesOn(id: string): void {
    const mark = this.#still.get(id)
    if (mark === undefined) return
    this.#still.delete(id)
    this.#lasting('stands still', [id], 'stop', mark)
  }

  /** Members that run, in groups that can speak with each other, over others if need be. */
  #lookAtSides(): void {
    const { network } = this.#world
    const open = this.#world
      .up()
      .filter(({ life }) => life?.isStill !== true)
      .map(({ id }) => id)
    const speak = (one: string, other: string) =>
      !network.isCut(one, other) && !network.isCut(other, one)
    const sides = groupsOf(open, speak).map(side => side.sort())
    const text = JSON.stringify(sides)
    if (text === this.#sides) return
    this.#sides = text
    this.#lines.write({ kind: 'sides', sides })
  }

  #dumpLater(): void {
    const random = this.#random
    this.#world.timeline.after(random.between(0, 2 * DUMP_EVERY_MS), () => {
      const up = this.#world.up().filter(({ life }) => life?.isStill !== true)
      if (up.length > 0) void this.#pause(random.pick(up))
      this.#dumpLater()
    })
  }

  async #pause(entry: UpMember): Promise<void> {
    const lengths = [...entry.member.agreement.peers.values()].map(peer => peer.history.length)
    this.#lines.write({
      kind: 'sample',
      member: entry.id,
      what: 'announcements kept of a peer',
      value: Math.max(0, ...lengths),
      limit: limits.historyEntriesMax,
    })
    await this.dump(entry, 'pause')
  }
}

/** How fast the slowest clock of a world runs: bounds on time are meant in its seconds. */
export function slowestRate(world: World): number {
  return Math.min(1, ...world.members.map(({ skew }) => skew.rate))
}

/**
 * The times that the members of a world are held to. `slowest`: how slow a fault may make a clock, for
 * what is judged while faults happen.
 */
export function boundsOf(world: World, slowest: number): Bounds {
  const scale = 1 / slowestRate(world)
  const slowMs = Math.max(...world.members.map(({ disk }) => slowestFsyncMs(disk.weather)))
  return {
    sourceMs: 10_000 * scale,
    debtMs: 20_000 * scale,
    writeMs: 10_000 * scale,
    // With quorum `visible` a roster stays in effect on one side of a cut for as long as that lasts.
    rosterLagMs: (world.quorum === 'visible' ? 120_000 : 5000) * scale,
    // A batch may wait for the one before it.
    persistMs: 2 * slowMs + 100,
    sidesMs: 7000 / Math.min(slowest, slowestRate(world)),
  }
}

function slowestFsyncMs({ fsyncMs, slowChance, slowMs }: DiskWeather): number {
  return slowChance > 0 ? slowMs[1] : fsyncMs[1]
}

function isRotten({ tables }: DiskImage): boolean {
  return tables.rotten.size > 0 || tables.rottenItems.size > 0
}
