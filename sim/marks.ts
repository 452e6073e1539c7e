/**
 * Marks: what must happen *sometimes*, or the runs are too tame. Each is
 * seen from outside: in the lines of a trace, in statuses, on disks, in what members show of
 * themselves. A run counts what it met; a soak that never meets one of them has failed.
 *
 * A mark changes nothing: a run is the same with it or without.
 */
import type { Status } from '../src/consensus/messages.ts'
import type { SimMember, UpMember, World } from './world.ts'

/** What must be met over a soak. */
export const markNames = [
  // Elections and statuses.
  'all were empty, and became Source at once',
  'elected alone',
  'elected among two',
  'elected among three',
  'elected among four or more',
  'two were elected within a second',
  'elected beside an empty member',
  'became Source while a cut-off member was Source, too',
  'became Source with facts set aside',
  'a check found too few in sync',
  'the only other Source lost its status',
  'a roster of which too few were reached ended a Source',
  'a status was lost while a process came back from standing still',
  // Facts and payloads on their way.
  'a parent was asked for by name',
  'a large payload was on its way',
  'a queue was being handed in',
  'facts were set aside',
  'numbers of an adder did not arrive for 10 s',
  'a Source was last to learn of a majority write',
  'a write was at a majority while a disk was not as it should be',
  // Collisions.
  'an item was changed on two sides',
  'a collision of three',
  'a collision within two seconds of a change of the roster',
  'a collision was resolved',
  // What clients were told.
  'told pending only',
  'told agreed only',
  'told a majority',
  'refused: another version stands there',
  'refused: the item has split',
  'refused: the disk is full',
  'refused: the payload is not here yet',
  'refused: the member was removed',
  'an answer never came',
  // Disks.
  'a power cut took batches under way',
  'a store had a gap',
  'a restored member was Source again',
  'a member with a new disk was Source again',
  // Members.
  'a machine was let in',
  'a knock was refused',
  'a machine was let in at a second start',
  'a removed member learned of it',
  'a removed member learned of it by itself, long after',
  'who was removed came back and was Source',
  'a lie was named',
] as const

export type MarkName = (typeof markNames)[number]

const LOOK_MS = 500
const NEAR_MS = 2000
const LONG_MS = 4000

const REFUSALS: Readonly<Record<string, MarkName>> = {
  VERSION_MISMATCH: 'refused: another version stands there',
  SPLIT: 'refused: the item has split',
  DISK_FULL: 'refused: the disk is full',
  UNAVAILABLE: 'refused: the payload is not here yet',
  REMOVED: 'refused: the member was removed',
}

export class Marks {
  /** How often each was met. */
  readonly counts = new Map<MarkName, number>()
  readonly #world: World
  readonly #resolving = new Set<string>()
  readonly #replaced = new Map<string, 'old' | 'new'>()
  readonly #goneAtMs = new Map<string, number>()
  readonly #knowsOfRemoval = new Set<string>()
  readonly #returned = new Set<string>()
  #rosterAtMs = Number.NEGATIVE_INFINITY
  #electedAtMs = Number.NEGATIVE_INFINITY

  constructor(world: World) {
    this.#world = world
    world.watchers.push({
      traced: (_, __, what) => this.#traced(what),
      status: (entry, from, to, sentence) => this.#status(entry, from, to, sentence),
      fault: sentence => this.#fault(sentence),
      blamed: () => this.hit('a lie was named'),
    })
    this.#later()
  }

  hit(name: MarkName): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }

  #traced(what: string): void {
    if (what.startsWith('told ')) return this.#told(what)
    if (what.startsWith('asked ')) {
      const [, sequence, kind] = what.split(' ')
      if (kind === 'resolve') this.#resolving.add(sequence!)
    } else if (what.startsWith('log warn ')) this.#warned(what)
  }

  #told(what: string): void {
    const [, sequence, outcome, more] = what.split(' ')
    if (outcome === 'unknown') this.hit('an answer never came')
    else if (outcome === 'refused') {
      const mark = REFUSALS[more ?? '']
      if (mark !== undefined) this.hit(mark)
    } else if (outcome === 'done') {
      if (more === 'pending') this.hit('told pending only')
      if (more === 'agreed') this.hit('told agreed only')
      if (more === 'majority') this.#majority()
      if (this.#resolving.has(sequence!)) this.hit('a collision was resolved')
    }
  }

  #majority(): void {
    this.hit('told a majority')
    if (this.#world.members.some(({ disk }) => !disk.isFair)) {
      this.hit('a write was at a majority while a disk was not as it should be')
    }
  }

  #warned(what: string): void {
    if (what.includes('was changed on two sides'))
      this.#collided('an item was changed on two sides')
    if (what.includes('did not arrive within 10 s')) {
      this.hit('numbers of an adder did not arrive for 10 s')
    }
  }

  #collided(mark: MarkName): void {
    this.hit(mark)
    if (this.#world.nowMs - this.#rosterAtMs <= NEAR_MS) {
      this.hit('a collision within two seconds of a change of the roster')
    }
  }

  #status(entry: SimMember, from: Status, to: Status, sentence: string): void {
    if (from === 'source') this.#lost(sentence)
    if (to !== 'source') return
    const among = Number(/more than half of (\d+) hold/.exec(sentence)?.[1] ?? 0)
    if (among > 0) this.#elected(among)
    if (sentence.startsWith('all members')) this.hit('all were empty, and became Source at once')
    if (this.#world.up().some(other => isApart(this.#world, entry, other))) {
      this.hit('became Source while a cut-off member was Source, too')
    }
    if ((entry.member?.ledger.setAsideFacts ?? 0) > 0)
      this.hit('became Source with facts set aside')
    const disk = this.#replaced.get(entry.id)
    if (disk === 'old') this.hit('a restored member was Source again')
    if (disk === 'new') this.hit('a member with a new disk was Source again')
    this.#replaced.delete(entry.id)
    if (this.#returned.delete(entry.id)) this.hit('who was removed came back and was Source')
  }

  #lost(sentence: string): void {
    if (/^only \d+ of \d+ other Sources/.test(sentence)) this.hit('a check found too few in sync')
    if (sentence.startsWith('the only other Source')) {
      this.hit('the only other Source lost its status')
    }
    if (sentence.startsWith('more than half of the roster')) {
      this.hit('a roster of which too few were reached ended a Source')
    }
    if (sentence.startsWith('this process stood still')) {
      this.hit('a status was lost while a process came back from standing still')
    }
  }

  #elected(among: number): void {
    if (among === 1) this.hit('elected alone')
    else if (among === 2) this.hit('elected among two')
    else if (among === 3) this.hit('elected among three')
    else this.hit('elected among four or more')
    const { nowMs } = this.#world
    if (nowMs - this.#electedAtMs <= 1000) this.hit('two were elected within a second')
    this.#electedAtMs = nowMs
    if (this.#world.up().some(({ member }) => member.agreement.status === 'empty')) {
      this.hit('elected beside an empty member')
    }
  }

  /** `sentence` begins with whom it happens to. */
  #fault(sentence: string): void {
    const [who = '', ...words] = sentence.split(' ')
    const what = words.join(' ')
    const lost = Number(/, (\d+) batches lost/.exec(what)?.[1] ?? 0)
    if (lost > 0 && what.startsWith('power')) this.hit('a power cut took batches under way')
    if (what.startsWith('has an old copy')) this.#replaced.set(who, 'old')
    if (what.startsWith('has a new disk')) this.#replaced.set(who, 'new')
    if (what.startsWith('is not let in')) this.hit('a knock was refused')
    if (what.startsWith('is let in')) this.#letIn(who)
    if (what.startsWith('is removed') || what === 'leaves') {
      this.#goneAtMs.set(who, this.#world.nowMs)
      this.#rosterAtMs = this.#world.nowMs
    }
  }

  #letIn(who: string): void {
    this.hit('a machine was let in')
    this.#rosterAtMs = this.#world.nowMs
    const entry = this.#world.members.find(({ id }) => id === who)
    if (this.#goneAtMs.delete(who)) this.#returned.add(who)
    else if ((entry?.lives ?? 0) > 1) this.hit('a machine was let in at a second start')
    this.#knowsOfRemoval.delete(who)
  }

  #later(): void {
    this.#world.timeline.after(LOOK_MS, () => {
      for (const entry of this.#world.up()) this.#look(entry)
      this.#later()
    })
  }

  #look({ id, member }: UpMember): void {
    if (member.roster.isRemoved) return this.#knows(id)
    if (member.parents.count > 0) this.hit('a parent was asked for by name')
    if (member.payloads.missing().length > 0) this.hit('a large payload was on its way')
    if (member.draining.running) this.hit('a queue was being handed in')
    if (member.ledger.setAsideFacts > 0) this.hit('facts were set aside')
    if (member.gap) this.hit('a store had a gap')
  }

  #knows(id: string): void {
    if (this.#knowsOfRemoval.has(id)) return
    this.#knowsOfRemoval.add(id)
    this.hit('a removed member learned of it')
    const sinceMs = this.#goneAtMs.get(id) ?? this.#world.nowMs
    if (this.#world.nowMs - sinceMs > LONG_MS) {
      this.hit('a removed member learned of it by itself, long after')
    }
  }
}

function isApart({ network }: World, entry: SimMember, other: UpMember): boolean {
  if (other.id === entry.id || other.member.agreement.source === null) return false
  return network.isCut(entry.id, other.id) && network.isCut(other.id, entry.id)
}
