/**
 * A history under mutation: the lines, and what a mutation asks of them. It keeps the places of lines
 * in order and the hashes of changed dumps right, so that a lie is no clumsier than a real one.
 */
import type { DoneLine, DumpFact, DumpLine, HistoryLine, InvokeLine } from './format.ts'
import { rootOf, settledFacts } from './hashes.ts'
import type { Dice } from './model.ts'
import type { CheckNumber } from './report.ts'

/** Lines that may be changed, and what a mutation can ask of them. */
export class Draft {
  lines: HistoryLine[]
  readonly dice: Dice

  constructor(lines: readonly HistoryLine[], dice: Dice) {
    this.lines = structuredClone([...lines])
    this.dice = dice
  }

  all<Kind extends HistoryLine['kind']>(kind: Kind): Extract<HistoryLine, { kind: Kind }>[] {
    return this.lines.filter(line => line.kind === kind) as Extract<HistoryLine, { kind: Kind }>[]
  }

  pick<T>(list: readonly T[]): T | null {
    return list.length === 0 ? null : this.dice.pick(list)
  }

  settled(): DumpLine[] {
    return this.all('dump').filter(({ moment }) => moment === 'settled')
  }

  asked(request: string): InvokeLine {
    return this.all('invoke').find(line => line.request === request)!
  }

  /** Answered writes of values, with their questions. */
  writes(): { asked: InvokeLine; done: DoneLine }[] {
    const questions = new Map(this.all('invoke').map(line => [line.request, line]))
    return this.all('done')
      .map(done => ({ asked: questions.get(done.request)!, done }))
      .filter(({ asked }) => asked.op === 'put' || asked.op === 'upload')
  }

  /** Puts another line in the place of one. */
  change<Line extends HistoryLine>(line: Line, changes: Partial<Line>): void {
    this.lines = this.lines.map(one => (one === line ? { ...one, ...changes } : one))
  }

  remove(gone: HistoryLine): void {
    this.lines = this.lines.filter(line => line !== gone)
  }

  /** Puts lines after one (or at the end), and numbers all anew. */
  insert(after: HistoryLine | null, added: readonly HistoryLine[]): void {
    const at = after === null ? this.lines.length : this.lines.indexOf(after) + 1
    this.lines.splice(at, 0, ...added)
    this.number()
  }

  number(): void {
    const places = new Map(this.lines.map((line, seq) => [line.seq, seq]))
    this.lines = this.lines.map((line, seq) => {
      if (line.kind !== 'status' || line.round === null) return { ...line, seq }
      const since = places.get(line.round.since) ?? line.round.since
      return { ...line, seq, round: { ...line.round, since } }
    })
  }

  /** Changes the facts of a dump, and its hash with them, as a consistent liar would. */
  refact(dump: DumpLine, change: (facts: DumpFact[]) => DumpFact[]): void {
    const facts = change([...dump.facts!])
    const { cut } = dump
    const hash = cut === null ? null : rootOf(settledFacts(facts, cut))
    this.change(dump, { facts, hash })
  }

  /** The same in all dumps. */
  refactAll(change: (facts: DumpFact[]) => DumpFact[]): void {
    for (const dump of this.all('dump')) if (dump.facts !== null) this.refact(dump, change)
  }
}

export interface Mutation {
  readonly name: string
  /** The checks that are there for it: one of them must not pass. */
  readonly by: readonly CheckNumber[]
  /** Harms the draft; false where there is nothing to harm. */
  readonly harm: (draft: Draft) => boolean
}
