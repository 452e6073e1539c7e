/**
 * Good histories, made by a tiny model of members that keep every promise: seeded, with partitions,
 * crashes, lost disks, a member that joins, collisions, writes to split items, and answers that
 * never come. The checker is tested by them: it must blame none, and every mutation of one.
 */
import type { DumpFact, HistoryLine, Status, Unplaced } from './format.ts'
import { hashOf, stampAt } from './hashes.ts'
import { ModelClients } from './model-clients.ts'
import { factKey, ModelMember, type ModelStamp, united } from './model-member.ts'

const EPOCH_MS = 1_750_000_000_000
const GOSSIP_MS = 15
/** How far the cut lies back. */
const SETTLE_MS = 2000

/** A small seeded generator (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: string) {
    this.#state = Number.parseInt(hashOf(seed).slice(0, 8), 16)
  }

  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!
  }
}

export interface ModelOptions {
  readonly seed: string
  /** Questions of clients during the faults. */
  readonly operations?: number
}

/** Makes the history of a seed. */
export function goodHistory({ seed, operations = 45 }: ModelOptions): HistoryLine[] {
  const model = new Model(seed)
  model.run(operations)
  return model.lines
}

export class Model {
  readonly lines: HistoryLine[] = []
  readonly dice: Dice
  readonly members: ModelMember[] = []
  nowMs = 0
  readonly #seed: string
  readonly #queue: { readonly atMs: number; readonly order: number; readonly run: () => void }[] =
    []
  readonly #clients: ModelClients
  #order = 0
  #stamps = 0
  #marks = 0

  constructor(seed: string) {
    this.#seed = seed
    this.dice = new Dice(seed)
    const count = this.dice.pick([2, 3, 3, 3, 4, 5])
    for (let at = 0; at < count; at++) this.members.push(new ModelMember('abcde'[at]!))
    this.#clients = new ModelClients(this)
  }

  write(line: Unplaced): void {
    this.lines.push({ seq: this.lines.length, atMs: this.nowMs, ...line } as HistoryLine)
  }

  after(ms: number, run: () => void): void {
    this.#order += 1
    this.#queue.push({ atMs: this.nowMs + ms, order: this.#order, run })
  }

  stamp(by: string): ModelStamp {
    return { at: this.#now(), by }
  }

  get roster(): string[] {
    return this.members.map(({ name }) => name)
  }

  run(operations: number): void {
    this.#begin()
    this.#gossip()
    for (let at = 0; at < operations; at++) {
      this.#elapse(this.dice.int(5, 120))
      if (this.dice.chance(0.12)) this.#fault()
      if (this.dice.chance(0.04)) this.#dumpOne()
      this.#clients.ask()
    }
    this.#heal()
    this.#elapse(2000)
    for (const member of this.members) this.#clients.putAt(member, `end/${member.name}`)
    this.#elapse(5000)
    this.#clients.stop()
    this.#elapse(2000)
    for (const member of this.members) this.#dump(member, 'settled')
    this.#elapse(3000)
    this.#dump(this.dice.pick(this.members), 'settled')
  }

  /** Gives a member a fact; what is new is on its disk at once. */
  hold(member: ModelMember, fact: DumpFact, isFresh = false): void {
    const key = factKey(fact)
    const known = member.facts.get(key)
    const next = known === undefined ? fact : united(known, fact)
    const isChanged = known === undefined || (known.added === null) !== (next.added === null)
    member.facts.set(key, next)
    if (!isChanged) return
    const pending = isFresh ? 'fresh' : 'pending'
    const state = next.added === null ? pending : 'agreed'
    const { id, version } = fact
    this.write({ kind: 'hold', member: member.name, id, version, state, payload: true })
  }

  /** A Source adds what waits at it. */
  add(member: ModelMember): void {
    if (member.status !== 'source') return
    for (const fact of [...member.facts.values()]) {
      if (fact.added === null) this.hold(member, { ...fact, added: this.#now() })
    }
  }

  isLinked(a: ModelMember, b: ModelMember): boolean {
    return a.isUp && b.isUp && a.side === b.side
  }

  #begin(): void {
    this.write({
      kind: 'begin',
      format: 1,
      run: `model ${this.#seed}`,
      members: this.roster,
      quorum: 'visible',
      records: { holds: true, statuses: true, samples: true },
      mayDestroyAll: false,
      bounds: { sourceMs: 3000, debtMs: 1500, writeMs: 4000, rosterLagMs: 0, persistMs: 0 },
    })
    for (const member of this.members) this.#status(member, 'source')
  }

  #now(): string {
    this.#stamps += 1
    const ms = stampAt(EPOCH_MS + this.nowMs).slice(0, 12)
    return ms + (this.#stamps % 65536).toString(16).padStart(4, '0')
  }

  #elapse(ms: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      this.#queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
      if ((this.#queue[0]?.atMs ?? Number.POSITIVE_INFINITY) > endMs) break
      const next = this.#queue.shift()!
      this.nowMs = next.atMs
      next.run()
    }
    this.nowMs = endMs
  }

  #status(
    member: ModelMember,
    status: Status,
    round: { readonly members: string[]; readonly since: number } | null = null,
  ): void {
    member.status = status
    this.write({ kind: 'status', member: member.name, status, round })
  }

  #gossip(): void {
    const [from, to] = [this.dice.pick(this.members), this.dice.pick(this.members)]
    if (from !== to && this.isLinked(from, to)) this.#meet(from, to)
    if (this.dice.chance(0.02)) {
      const value = this.dice.int(1, 900)
      this.write({ kind: 'sample', member: from.name, what: 'queue', value, limit: 1000 })
    }
    this.after(GOSSIP_MS, () => this.#gossip())
  }

  #meet(from: ModelMember, to: ModelMember): void {
    if (from.status === 'source' || to.status === 'source') {
      for (const fact of from.facts.values()) this.hold(to, fact)
    }
    if (to.status === 'source-sync' && from.status === 'source') this.#status(to, 'source')
    this.add(to)
  }

  #fault(): void {
    const isCut = this.members.some(member => member.side !== 0)
    const down = this.members.filter(member => !member.isUp)
    const what = this.dice.unit()
    if (what < 0.4 && !isCut) this.#cut()
    else if (what < 0.7 && down.length === 0 && !isCut) this.#crash(this.dice.pick(this.members))
    else if (what < 0.78 && down.length === 0 && !isCut) this.#crashAll()
    else if (what < 0.86 && down.length === 0 && !isCut) this.#loseDisk()
    else if (what < 0.92 && down.length === 0 && !isCut && this.members.length < 5) this.#join()
  }

  /** Some members are cut off; the rest stay Sources. */
  #cut(): void {
    const most = Math.floor((this.members.length - 1) / 2) || 1
    const away = this.members.slice(-this.dice.int(1, most))
    this.#during('cut', away, {
      start: () => {
        for (const member of away) {
          member.side = 1
          if (member.isUp) this.#status(member, 'counter-sync')
        }
      },
      stop: () => {
        for (const member of away) {
          member.side = 0
          if (member.isUp) this.#status(member, 'source-sync')
        }
        this.#electIfNeeded()
      },
    })
  }

  #crash(member: ModelMember): void {
    this.#during('kill', [member], {
      start: () => this.#kill(member),
      stop: () => {
        this.#status(member, 'source-sync')
        this.#electIfNeeded()
      },
    })
  }

  #kill(member: ModelMember): void {
    this.#status(member, 'down')
    this.#clients.gone(member)
    this.#dump(member, 'crash')
  }

  #crashAll(): void {
    const all = [...this.members]
    this.#during('power', all, {
      start: () => {
        for (const member of all) this.#kill(member)
      },
      stop: () => {
        for (const member of all) this.#status(member, 'counter-sync')
        this.#electIfNeeded()
      },
    })
  }

  /** Where nobody is Source: one takes what most hold, sets the rest aside, and is. */
  #electIfNeeded(): void {
    const here = this.members.filter(member => member.isUp && member.side === 0)
    if (here.length === 0) return
    if (here.some(member => member.status === 'source')) {
      for (const member of here) {
        if (member.status === 'counter-sync') this.#status(member, 'source-sync')
      }
      return
    }
    const winner = this.dice.pick(here)
    const since = this.lines.at(-1)!.seq
    const holders = new Map<string, ModelMember[]>()
    for (const member of here) {
      for (const key of member.facts.keys()) {
        holders.set(key, [...(holders.get(key) ?? []), member])
      }
    }
    for (const [key, members] of holders) {
      const fact = members[0]!.facts.get(key)!
      if (members.length * 2 > here.length) {
        this.hold(winner, { ...fact, added: fact.added ?? stampAt(0) })
      } else if (winner.facts.get(key)?.added != null) {
        winner.facts.delete(key)
        this.hold(winner, { ...fact, added: null })
      }
    }
    this.#status(winner, 'source', { members: here.map(({ name }) => name), since })
    for (const member of here) if (member !== winner) this.#status(member, 'source-sync')
    this.add(winner)
  }

  /** A disk is lost whose every fact is elsewhere. */
  #loseDisk(): void {
    const member = this.dice.pick(this.members)
    const isElsewhere = [...member.facts.keys()].every(key =>
      this.members.some(other => other !== member && other.facts.has(key)),
    )
    if (!isElsewhere || this.#clients.isBusy(member)) return
    this.#status(member, 'down')
    this.#clients.gone(member)
    this.#marks += 1
    const scope = [member.name]
    const mark = this.#marks
    this.write({ kind: 'fault', fault: 'disk', scope, phase: 'once', mark, destroyed: scope })
    member.facts.clear()
    this.#dump(member, 'crash')
    this.#status(member, 'source-sync')
    this.#electIfNeeded()
  }

  #join(): void {
    const member = new ModelMember('abcde'[this.members.length]!)
    this.members.push(member)
    this.write({ kind: 'roster', members: this.roster })
    this.#status(member, 'source-sync')
    this.#electIfNeeded()
  }

  #during(
    fault: string,
    members: readonly ModelMember[],
    { start, stop }: { readonly start: () => void; readonly stop: () => void },
  ): void {
    this.#marks += 1
    const mark = this.#marks
    const scope = members.map(({ name }) => name)
    this.write({ kind: 'fault', fault, scope, phase: 'start', mark, destroyed: [] })
    start()
    this.after(this.dice.int(100, 900), () => {
      this.write({ kind: 'fault', fault, scope, phase: 'stop', mark, destroyed: [] })
      stop()
    })
  }

  /** Waits for the faults that are under way. */
  #heal(): void {
    this.#elapse(1000)
  }

  #dumpOne(): void {
    const member = this.dice.pick(this.members)
    if (member.isUp) this.#dump(member, 'pause')
  }

  #dump(member: ModelMember, moment: 'crash' | 'pause' | 'settled'): void {
    const seconds = Math.floor((EPOCH_MS + this.nowMs - SETTLE_MS) / 1000)
    this.write(member.dump(moment, seconds * 1000, this.roster))
  }
}
