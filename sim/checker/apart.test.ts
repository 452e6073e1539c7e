/**
 * What the checker tells apart and does not blame: writes whose every copy a fault destroyed on
 * purpose, and writes that only a member who left holds. Each in a history of a few lines.
 */
import { describe, expect, it } from 'vitest'
import { checkHistory, verdictText } from './check.ts'
import type { DumpFact, HistoryLine, Unplaced } from './format.ts'
import { hashOf } from './hashes.ts'
import { factKey, type ModelContent, ModelMember } from './model-member.ts'

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
    const content = { blob: hashOf(request), size: request.length, properties: PROPERTIES }
    return this.#take(at, id, others, content)
  }

  end(at: string, id: string, others: readonly string[] = []): DumpFact {
    return this.#take(at, id, others, null)
  }

  #take(at: string, id: string, others: readonly string[], content: ModelContent | null) {
    const request = `r${this.lines.length}`
    const op = content === null ? 'delete' : 'put'
    const { blob, size } = content ?? { blob: null, size: 0 }
    const asked = { request, client: request, member: at, op, id, blob, size } as const
    this.write({ kind: 'invoke', ...asked })
    const stamp = { at: this.lines.length.toString(16).padStart(16, '0'), by: at }
    const made = this.members.get(at)!.fact(id, content, stamp)
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

  /** Nothing is left of a member's store but these. */
  destroy(name: string, left: readonly DumpFact[] = []): void {
    const scope = [name]
    this.write({ kind: 'fault', fault: 'disk', scope, phase: 'once', mark: 1, destroyed: scope })
    const { facts } = this.members.get(name)!
    facts.clear()
    for (const fact of left) facts.set(factKey(fact), fact)
    this.dump(name, 'crash')
  }

  dump(name: string, moment: 'crash' | 'pause'): void {
    this.write(this.members.get(name)!.dump(moment, 0, this.#roster))
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

describe('a machine that was let in and never heard of it', () => {
  const story = (hasRun: boolean) => {
    const short = new Short(['a', 'b'])
    for (const [at, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      short.put(at, `by ${at}`, [other])
    }
    const said = { member: 'c', status: 'empty', round: null } as const
    if (hasRun) short.write({ kind: 'status', ...said })
    short.roster(['a', 'b', 'c'])
    return short.judge()
  }

  it('seed 8053: is not waited for in the end', () => {
    const verdict = story(false)
    expect(verdict.ok, verdictText(verdict)).toBe(true)
  })

  it('and is, if it ever ran', () => {
    expect(story(true).ok).toBe(false)
  })
})

describe('a deleted item on a member that an old copy set back', () => {
  function story() {
    const short = new Short(['a', 'b'], true)
    const fact = short.put('a', 'ended', ['b'])
    const end = short.end('a', 'ended', ['b'])
    for (const at of ['a', 'b']) short.dump(at, 'pause')
    short.destroy('b', [fact])
    return { short, end }
  }

  it('may be there until that member knows again that it has ended', () => {
    const { short, end } = story()
    short.members.get('b')!.facts.set(factKey(end), end)
    const [, , , , , , , , resurrection] = short.judge().answers
    expect(resurrection?.answer).toBe('pass')
    expect(resurrection?.looked.get('items ended everywhere')).toBe(1)
  })

  it('and comes back for good nowhere else, nor after that', () => {
    const { short, end } = story()
    short.members.get('b')!.facts.set(factKey(end), end)
    short.dump('b', 'pause')
    for (const name of ['b', 'a']) {
      short.members.get(name)!.facts.delete(factKey(end))
      short.dump(name, 'pause')
    }
    const [, , , , , , , , resurrection] = short.judge().answers
    expect(resurrection?.findings.map(({ sentence }) => sentence.split(' ')[0])).toContain('a')
    expect(resurrection?.findings.map(({ sentence }) => sentence.split(' ')[0])).toContain('b')
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

describe('a deleted item that was written again', () => {
  function story() {
    const short = new Short(['a', 'b'], true)
    short.put('a', 'ended', ['b'])
    short.end('a', 'ended', ['b'])
    const again = short.put('a', 'ended')
    short.put('a', 'ended')
    const mine = short.members.get('a')!.facts
    for (const at of ['b', 'a']) short.dump(at, 'pause')
    const scope = ['a']
    short.write({ kind: 'fault', fault: 'rot', scope, phase: 'once', mark: 0, destroyed: scope })
    mine.delete(factKey(again))
    short.dump('a', 'crash')
    mine.set(factKey(again), again)
    short.dump('a', 'pause')
    return short.judge().answers[8]!
  }

  it('seed 1009978: has not ended where a version in between rotted, and is there again when that came back', () => {
    const resurrection = story()
    expect(resurrection.findings).toEqual([])
    expect(resurrection.looked.get('items ended everywhere')).toBe(0)
  })

  it('seed 1015143: may be seen before its new end by who had only heard of the old one', () => {
    const short = new Short(['a', 'b'], true)
    short.put('a', 'ended', ['b'])
    short.end('a', 'ended', ['b'])
    const again = short.put('a', 'ended')
    short.dump('b', 'pause')
    const end = short.end('a', 'ended')
    short.dump('a', 'pause')
    const theirs = short.members.get('b')!.facts
    theirs.set(factKey(again), again)
    short.dump('b', 'pause')
    theirs.set(factKey(end), end)
    short.dump('b', 'pause')
    expect(short.judge().answers[8]!.findings).toEqual([])
  })

  it('has come back when it is seen by who had heard of its end', () => {
    const short = new Short(['a', 'b'], true)
    short.put('a', 'ended', ['b'])
    const end = short.end('a', 'ended', ['b'])
    for (const at of ['b', 'a']) short.dump(at, 'pause')
    const theirs = short.members.get('b')!.facts
    theirs.delete(factKey(end))
    short.dump('b', 'pause')
    theirs.set(factKey(end), end)
    const found = short.judge().answers[8]!.findings.map(({ sentence }) => sentence)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain('which had ended everywhere')
  })
})
