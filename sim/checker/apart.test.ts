/**
 * What the checker tells apart and does not blame: writes whose every copy a fault destroyed on
 * purpose, and writes that only a member who left holds. Each in a history of a few lines.
 */
import { describe, expect, it } from 'vitest'
import { checkHistory, verdictText } from './check.ts'
import type { DumpFact, HistoryLine, Unplaced } from './format.ts'
import { hashOf } from './hashes.ts'
import { factKey, ModelMember } from './model-member.ts'

const PROPERTIES = { type: 'text/plain', tags: [], description: '', meta: null, dependsOn: [] }

class Short {
  readonly lines: HistoryLine[] = []
  readonly members: ReadonlyMap<string, ModelMember>
  #roster: readonly string[]

  constructor(names: readonly string[], mayDestroyAll = false) {
    this.members = new Map(names.map(name => [name, new ModelMember(name)]))
    this.#roster = names
    this.write({
      kind: 'begin',
      format: 1,
      run: 'short',
      members: names,
      quorum: 'visible',
      records: { holds: false, statuses: false, samples: false },
      mayDestroyAll,
      bounds: { sourceMs: 1, debtMs: 1, writeMs: 1000, rosterLagMs: 0, persistMs: 0 },
    })
  }

  write(line: Unplaced): void {
    const seq = this.lines.length
    this.lines.push({ ...line, seq, atMs: seq } as HistoryLine)
  }

  /** A write that one member takes, and others get. */
  put(at: string, id: string, others: readonly string[] = []): DumpFact {
    const request = `r${this.lines.length}`
    const blob = hashOf(request)
    const size = request.length
    const asked = { request, client: request, member: at, op: 'put', id, blob, size } as const
    this.write({ kind: 'invoke', ...asked })
    const stamp = { at: this.lines.length.toString(16).padStart(16, '0'), by: at }
    const made = this.members.get(at)!.fact(id, { blob, size, properties: PROPERTIES }, stamp)
    const fact = { ...made, added: stamp.at }
    const heldBy = [at, ...others]
    for (const name of heldBy) this.members.get(name)!.facts.set(factKey(fact), fact)
    const { version } = fact
    this.write({ kind: 'done', request, version, blob: null, level: 'agreed', heldBy })
    return fact
  }

  roster(members: readonly string[]): void {
    this.#roster = members
    this.write({ kind: 'roster', members })
  }

  destroy(name: string): void {
    const scope = [name]
    this.write({ kind: 'fault', fault: 'disk', scope, phase: 'once', mark: 1, destroyed: scope })
    this.members.get(name)!.facts.clear()
    this.write(this.members.get(name)!.dump('crash', 0, this.#roster))
  }

  judge() {
    for (const member of this.members.values()) {
      this.write(member.dump('settled', 1_000_000, this.#roster))
    }
    return checkHistory({ lines: this.lines, problems: [] })
  }
}

describe('a write whose every copy a fault destroyed', () => {
  function story(mayDestroyAll: boolean) {
    const short = new Short(['a', 'b'], mayDestroyAll)
    short.put('a', 'alone')
    short.destroy('a')
    for (const at of ['a', 'b'])
      short.put(
        at,
        `after ${at}`,
        ['a', 'b'].filter(name => name !== at),
      )
    return short.judge()
  }

  it('is told apart where the run may do that', () => {
    const verdict = story(true)
    expect(verdict.ok, verdictText(verdict)).toBe(true)
    expect(verdictText(verdict)).toContain('note: 1 acknowledged writes were destroyed')
  })

  it('and is no pass where it may not', () => {
    const [, lost] = story(false).answers
    expect(lost?.answer).toBe('unknown')
  })

  it('but is lost when another disk was said to hold it', () => {
    const short = new Short(['a', 'b'], true)
    const fact = short.put('a', 'both', ['b'])
    short.destroy('a')
    short.members.get('b')!.facts.delete(factKey(fact))
    expect(short.judge().answers[1]!.answer).toBe('fail')
  })
})

describe('a write that only a member who left holds', () => {
  it('is told apart, and that member is not asked for what came later', () => {
    const short = new Short(['a', 'b', 'c'])
    short.put('c', 'unshared')
    short.roster(['a', 'b'])
    short.put('a', 'later', ['b'])
    short.put('b', 'later still', ['a'])
    const verdict = short.judge()
    const [whole, lost, , , converged] = verdict.answers
    expect([whole, lost, converged].map(answer => answer?.answer)).toEqual(['pass', 'pass', 'pass'])
    expect(lost?.notes).toEqual(['1 acknowledged writes are on members that left alone'])
  })
})
