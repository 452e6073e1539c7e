/**
 * Statuses of whole members through drawn lives: which ways between them are gone, and that a Source
 * is a Source, at each promotion and after each drain of its queue.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { StatusChange } from '../../sim/monitor.ts'
import { simulate } from '../../sim/run.ts'
import { sized } from '../../sim/size.ts'
import type { SimMember, UpMember, World } from '../../sim/world.ts'
import { isSystemId } from '../../src/base/fact.ts'
import { limits } from '../../src/base/limits.ts'
import { participants } from '../../src/consensus/agreement/reach.ts'
import { checkWay, ways } from '../support/agreement-ways.ts'

const LOOK_MS = 50
/** What has been durable for so long when a member is promoted was there in the round before. */
const ROUND_MS = limits.heardMs + 1500

/** What a Source owes: held before its promotion by more than half of those that it reached. */
interface Duty {
  readonly owed: ReadonlySet<string>
  /** Whether its queue held something when it was last looked at. */
  isDraining: boolean
}

class SourceWatch {
  readonly found: string[] = []
  readonly counts = { promotions: 0, drains: 0, owed: 0 }
  readonly #world: World
  readonly #duties = new Map<SimMember, Duty>()

  constructor(world: World) {
    this.#world = world
    world.watchers.push({
      status: (entry, _from, to) => {
        if (to === 'source') this.#promoted(entry as UpMember)
        else this.#duties.delete(entry)
      },
      gone: entry => this.#duties.delete(entry),
    })
    this.#lookLater()
  }

  #promoted(entry: UpMember): void {
    if (entry.member === null) return
    const owed = this.#heldByMost(entry)
    this.counts.promotions += 1
    this.counts.owed += owed.size
    this.#duties.set(entry, { owed, isDraining: entry.member.store.counts().pending > 0 })
    this.#check(entry, owed, 'at its promotion')
  }

  #heldByMost(entry: UpMember): Set<string> {
    const ids = participants(entry.member.agreement).map(peer => peer.id)
    const all = this.#world.members.filter(({ id }) => id === entry.id || ids.includes(id))
    const until = this.#world.nowMs - ROUND_MS
    const counts = new Map<string, number>()
    for (const { disk } of all)
      for (const [key, { fact, state, durableAtMs, agreedAtMs }] of disk.holdings) {
        if (durableAtMs === null || agreedAtMs === null || isSystemId(fact.id)) continue
        if (state.kind !== 'agreed' || agreedAtMs > until || durableAtMs > until) continue
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    return new Set([...counts].flatMap(([key, n]) => (n * 2 > all.length ? [key] : [])))
  }

  #check(entry: SimMember, owed: ReadonlySet<string>, when: string): void {
    for (const key of owed) {
      const state = entry.disk.holdings.get(key)?.state.kind ?? 'absent'
      if (state !== 'agreed') this.found.push(`${entry.id} ${when}: ${key.slice(64)} is ${state}`)
    }
  }

  #lookLater(): void {
    this.#world.timeline.after(LOOK_MS, () => {
      for (const [entry, duty] of this.#duties) {
        const isDraining = (entry.member?.store.counts().pending ?? 0) > 0
        if (duty.isDraining && !isDraining && entry.member !== null) {
          this.counts.drains += 1
          this.#check(entry, duty.owed, 'after a drain')
        }
        duty.isDraining = isDraining
      }
      this.#lookLater()
    })
  }
}

describe('whole members through drawn lives', () => {
  const lives = sized({ everyday: 4, ci: 8, deep: 100 })
  const sum = { promotions: 0, drains: 0, owed: 0 }
  const found: unknown[] = []
  const changes: StatusChange[] = []

  beforeAll(async () => {
    for (let seed = 1; seed <= lives; seed++) {
      let watch: SourceWatch | undefined
      const result = await simulate({
        seed: `source ${seed}`,
        members: 2 + (seed % 4),
        seconds: sized({ everyday: 25, deep: 60 }),
        quorum: seed % 2 === 0 ? 'roster' : 'visible',
        load: { clientsPerMember: 1, largeChance: 0 },
        watch: world => {
          watch = new SourceWatch(world)
          return {}
        },
      })
      found.push(...watch!.found, ...result.violations)
      changes.push(...result.monitor.changes)
      for (const key of ['promotions', 'drains', 'owed'] as const) sum[key] += watch!.counts[key]
    }
  })

  it('S003-16: hold what more than half held, at each promotion and after each drain', () => {
    expect(found).toEqual([])
    expect(sum.promotions).toBeGreaterThan(2 * lives)
    expect(sum.drains).toBeGreaterThan(lives)
    expect(sum.owed).toBeGreaterThan(50 * lives)
  })

  it('S003-13: go only the ways of the status machine', () => {
    for (const { from, to } of changes) checkWay(from, to)
    expect(new Set(changes.map(({ from, to }) => `${from} ${to}`)).size).toBeGreaterThan(4)
  })
})

it('S003-13: the page of the documents shows the very ways that the simulations allow', () => {
  const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')
  const lines = [
    ...page.matchAll(/^(empty|counter-sync|source-sync|source) +→ ([a-z-]+(?:, [a-z-]+)*)/gm),
  ]
  const shown = lines.map(([, from, to]) => [from, to!.split(', ').sort()])
  expect(Object.fromEntries(shown)).toEqual(
    Object.fromEntries(Object.entries(ways).map(([from, to]) => [from, [...to].sort()])),
  )
})
