/**
 * What every member's disk keeps for certain, as far as the history tells: `hold` lines add to it,
 * a dump of a disk (`crash`, `settled`) says all of it anew, and a destroyed store is empty until
 * its dump comes.
 */
import type { HistoryLine, HoldLine } from './format.ts'
import { keyOf } from './split.ts'

/** A fact on a disk. */
export interface Held {
  readonly state: HoldLine['state']
  readonly payload: boolean
  /** The line since which a round counts it (not while it is `fresh`), without a break. */
  readonly since: number
}

export class Disks {
  readonly #members = new Map<string, Map<string, Held>>()

  /** What one member's disk keeps, by `keyOf`. */
  of(member: string): Map<string, Held> {
    const known = this.#members.get(member) ?? new Map<string, Held>()
    this.#members.set(member, known)
    return known
  }

  /** Takes a line in; answers the keys of facts that came to a disk or changed their state there. */
  take(line: HistoryLine): readonly string[] {
    if (line.kind === 'hold') {
      const key = keyOf(line.id, line.version)
      this.#put(line.member, key, line)
      return [key]
    }
    if (line.kind === 'fault') {
      for (const member of line.destroyed) this.of(member).clear()
      return []
    }
    if (line.kind !== 'dump' || line.facts === null || line.moment === 'pause') return []
    const before = new Map(this.of(line.member))
    this.of(line.member).clear()
    for (const fact of line.facts) {
      const key = keyOf(fact.id, fact.version)
      const known = before.get(key)
      if (known !== undefined) this.of(line.member).set(key, known)
      const pending = known?.state === 'fresh' ? 'fresh' : 'pending'
      const state = fact.added === null ? pending : 'agreed'
      const payload = fact.blob === null || fact.payload !== null
      this.#put(line.member, key, { state, payload, seq: line.seq })
    }
    return line.facts.map(fact => keyOf(fact.id, fact.version))
  }

  #put(
    member: string,
    key: string,
    { state, payload, seq }: Pick<HoldLine, 'state' | 'payload' | 'seq'>,
  ): void {
    const disk = this.of(member)
    const known = disk.get(key)
    const since = known === undefined || known.state === 'fresh' ? seq : known.since
    disk.set(key, { state, payload, since })
  }
}
