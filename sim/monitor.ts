/**
 * Watches a world as it runs: who is what (for the timeline), G4 at each promotion, G5 and G6 ten
 * times a second. It asks the world what is cut and who is up, and the disks what is held; of a
 * member it asks only its status and whom it counted as participants.
 */
import { isSystemId, type MemberId } from '../src/base/fact.ts'
import { limits } from '../src/base/limits.ts'
import { participants } from '../src/consensus/agreement/reach.ts'
import type { Status } from '../src/consensus/messages.ts'
import { groupsOf } from './groups.ts'
import { slowestRate } from './history-recorder.ts'
import type { Verdict } from './verdict.ts'
import type { SimMember, UpMember, World } from './world.ts'

const EVERY_MS = 100
/** G5: a Source exists within this time of the last fault. */
const SOURCE_WITHIN_MS = 10_000
/**
 * The smaller side of a cut loses its Sources at their second check, up to 10 s after the cut
 * (PROTOCOL 9), and elects anew within this time.
 */
const ELECTION_MS = 3000
/** G5: so long after the last fault all are Sources of one hash, and stay so under any load. */
const STEADY_MS = 25_000
/** G6: two sides never have Sources together for longer than this. */
const TWO_SIDES_MS = 7000
/** What a participant held so long before a promotion was in the held root that it had told. */
const ROUND_MS = limits.heardMs + 1500

export interface StatusChange {
  readonly atMs: number
  readonly member: MemberId
  readonly from: Status
  readonly to: Status
  readonly sentence: string
}

export class Monitor {
  readonly changes: StatusChange[] = []
  /** What was done to the world, and who became what. */
  readonly events: { readonly atMs: number; readonly sentence: string }[] = []
  /** One letter a second for each member. */
  readonly lanes = new Map<MemberId, string>()
  readonly counts = { elections: 0, promotions: 0, demotions: 0 }
  lastFaultAtMs = 0
  /** G5 is looked at only while the network and the disks are as they should be. */
  isCalm: () => boolean = () => true
  readonly #world: World
  readonly #verdict: Verdict
  /** The sides as they stood last, and since when two of them have Sources. */
  #cut = ''
  #twoSidesSince = 0
  /** How slow a clock has run since then: its member counts the seconds by it. */
  #slowest = 1
  /** When each side had a Source last. */
  #allHadAtMs = Number.NEGATIVE_INFINITY
  #ticks = 0
  /** With quorum `roster`: the newest one that any member knows to be decided. */
  readonly #knownAt = new Map<MemberId, number>()
  #inEffect: { readonly number: number; readonly members: ReadonlySet<MemberId> }

  constructor(world: World, verdict: Verdict) {
    this.#world = world
    this.#verdict = verdict
    this.#inEffect = { number: 0, members: new Set(world.members.map(({ id }) => id)) }
    for (const { id } of world.members) this.lanes.set(id, '')
    world.watchers.push({
      enrolled: ({ id }) => this.lanes.set(id, ' '.repeat(this.lanes.get(world.at(0).id)!.length)),
      fault: sentence => {
        this.lastFaultAtMs = world.nowMs
        this.events.push({ atMs: world.nowMs, sentence })
      },
      status: (member, from, to, sentence) => this.#status(member, from, to, sentence),
      blamed: (by, whom, sentence) => {
        if (by.id === world.liar || whom === world.liar) return
        // A copy that rotted is given on until its owner looks: to name who gave it is no lie.
        const [, blob = ''] = /does not match its hash \(([0-9a-f]+)\)/.exec(sentence) ?? []
        if (world.members.find(({ id }) => id === whom)?.disk.destroyed.has(blob)) return
        verdict.fail('G8', `${by.id} blames ${whom}, which is honest: ${sentence}`)
      },
      died: ({ id, disk }, error) => {
        if (disk.hasFailed) return // a failed fsync must end it
        verdict.fail('life', `the process of ${id} ended by itself: ${error.stack}`)
      },
    })
  }

  start(): void {
    this.#world.timeline.after(EVERY_MS, () => {
      this.#look()
      this.start()
    })
  }

  #status(member: SimMember, from: Status, to: Status, sentence: string): void {
    this.changes.push({ atMs: this.#world.nowMs, member: member.id, from, to, sentence })
    const told = `${member.id} ${from} → ${to}: ${sentence}`
    this.events.push({ atMs: this.#world.nowMs, sentence: told })
    if (from === 'source') {
      this.counts.demotions += 1
      this.#checkDemotion(member, sentence)
    }
    if (to !== 'source') return
    this.counts.promotions += 1
    if (!sentence.startsWith('holds exactly')) return
    this.counts.elections += 1
    if (member.member !== null) this.#checkPromotion(member as UpMember)
  }

  #checkDemotion({ id, member }: SimMember, sentence: string): void {
    if (this.#world.liar !== null || member === null || member.roster.isRemoved) return
    if (!this.isCalm() || this.#world.nowMs - this.lastFaultAtMs <= STEADY_MS) return
    this.#verdict.fail('G5', `${id} lost its status long after the last fault: ${sentence}`)
  }

  /** G4: what more than half of the participants held in the round, the new Source has as agreed. */
  #checkPromotion(source: UpMember): void {
    const ids = participants(source.member.agreement).map(peer => peer.id)
    const round = this.#world.members.filter(
      entry => entry.id === source.id || ids.includes(entry.id),
    )
    const held = new Map<string, number>()
    const until = this.#world.nowMs - ROUND_MS
    for (const { id, disk } of round) {
      for (const [key, { fact, durableAtMs, agreedAtMs }] of disk.holdings) {
        if (durableAtMs === null || isSystemId(fact.id)) continue // also what has rotted
        // Own new writes are newer than what is compared, until they were agreed once.
        if (fact.by === id && (agreedAtMs === null || agreedAtMs > until)) continue
        if (durableAtMs > until) continue // also what had rotted, and came again
        held.set(key, (held.get(key) ?? 0) + 1)
      }
    }
    for (const [key, count] of held) {
      if (count * 2 <= round.length) continue
      const state = source.disk.holdings.get(key)?.state.kind ?? 'absent'
      if (state === 'agreed') continue
      const what = `${key.slice(64)} ${key.slice(0, 12)}`
      const sentence = `${source.id} became Source with ${what} ${state}, which ${count} of ${round.length} participants held`
      return this.#verdict.fail('G4', sentence)
    }
  }

  #look(): void {
    this.#ticks += 1
    if (this.#ticks % (1000 / EVERY_MS) === 0) this.#drawLanes()
    const sides = this.#sides()
    this.#lookAtDecisions()
    // A process that stands still is a fault until it goes on.
    if (this.#world.up().some(({ life }) => life?.isStill === true)) {
      this.lastFaultAtMs = this.#world.nowMs
    }
    this.#checkLiveness(sides)
    if (this.#world.quorum === 'roster') this.#checkOneMajority(sides)
  }

  #drawLanes(): void {
    for (const entry of this.#world.members) {
      this.lanes.set(entry.id, (this.lanes.get(entry.id) ?? '') + letterOf(entry))
    }
  }

  #checkLiveness(sides: readonly UpMember[][]): void {
    if (!this.isCalm()) this.lastFaultAtMs = this.#world.nowMs
    const without = sides.filter(
      side => !side.some(isSource) && (this.#world.quorum === 'visible' || this.#hasMajority(side)),
    )
    const { nowMs, liar } = this.#world
    // What a liar says may cost a status at any time: one comes back within the time of a fault.
    if (liar !== null && without.length === 0) this.lastFaultAtMs = nowMs
    if (without.length === 0) this.#allHadAtMs = nowMs
    const graceMs = this.#allHadAtMs > this.lastFaultAtMs ? ELECTION_MS : 0
    if (nowMs - this.lastFaultAtMs <= SOURCE_WITHIN_MS + graceMs) return
    for (const side of without) {
      const names = side.map(entry => `${entry.id} (${entry.member.agreement.status})`).join(', ')
      this.#verdict.fail('G5', `no Source among ${names} 10 s after the last fault`)
      this.lastFaultAtMs = this.#world.nowMs // said once in ten seconds
    }
  }

  /** Somebody of a side can reach more than half of the roster: only such a member elects. */
  #hasMajority(side: readonly UpMember[]): boolean {
    const { number, members } = this.#inEffect
    // Whose disk was lost knows an old one, and no member of the newest, until it is told.
    const counts = ({ id, member }: UpMember) =>
      members.has(id) && member.roster.voting.known.number === number
    return side.some(entry => {
      const reached = side.filter(other => other === entry || this.#speaks(entry, other))
      return reached.filter(counts).length * 2 > members.size
    })
  }

  /** What is decided stays so; a side that has not heard of it yet has its time to. */
  #lookAtDecisions(): void {
    for (const { id, member } of this.#world.up()) {
      const { number, members } = member.roster.voting.known
      if (number === this.#knownAt.get(id)) continue
      this.#knownAt.set(id, number)
      this.lastFaultAtMs = this.#world.nowMs
      if (number <= this.#inEffect.number) continue
      this.#inEffect = { number, members: new Set(members.map(({ peer }) => peer)) }
    }
  }

  #checkOneMajority(sides: readonly UpMember[][]): void {
    const withSource = sides.filter(side => side.some(isSource))
    const cut = sides
      .map(side =>
        side
          .map(entry => entry.id)
          .sort()
          .join('+'),
      )
      .sort()
      .join(' ')
    if (withSource.length < 2 || cut !== this.#cut) {
      this.#twoSidesSince = this.#world.nowMs
      this.#slowest = 1
    }
    this.#cut = cut
    this.#slowest = Math.min(this.#slowest, slowestRate(this.#world))
    if (this.#world.nowMs - this.#twoSidesSince <= TWO_SIDES_MS / this.#slowest) return
    const names = withSource.map(side => side.map(entry => entry.id).join('+')).join(' and ')
    this.#verdict.fail('G6', `Sources on two sides for over 7 s: ${names}`)
    this.#twoSidesSince = this.#world.nowMs
  }

  /** Members that run, in groups that can speak with each other, over others if need be. */
  #sides(): UpMember[][] {
    // Who left or was removed says nothing, and nobody speaks with it.
    const open = this.#world
      .up()
      .filter(({ life, member }) => life?.isStill !== true && !member.roster.isRemoved)
    return groupsOf(open, (one, other) => this.#speaks(one, other))
  }

  #speaks(one: UpMember, other: UpMember): boolean {
    const { network } = this.#world
    return !network.isCut(one.id, other.id) && !network.isCut(other.id, one.id)
  }
}

function isSource(entry: UpMember): boolean {
  return entry.member.agreement.source !== null
}

function letterOf({ life, member }: SimMember): string {
  if (life === null) return 'x'
  if (member?.roster.isRemoved === true) return '-'
  if (life.isStill) return 'z'
  switch (member?.agreement.status) {
    case undefined:
      return 'o'
    case 'empty':
      return '.'
    case 'counter-sync':
      return 'c'
    case 'source-sync':
      return 's'
    case 'source':
      return 'S'
  }
}
