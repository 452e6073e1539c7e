/**
 * Check 6: a Source holds what the majority holds. Sharply at every promotion by counter-sync: all
 * that more than half of the round's members held, the new Source has as agreed; only its disk may
 * follow a moment later. And as a debt: what more than half of the roster hold, a Source that had
 * calm for `debtMs` has agreed. What exactly half hold is never asked for. Needs `hold` and `status`
 * lines; without them only the dumps in the end are looked at.
 */
import { Disks } from './disks.ts'
import type { DumpLine, HistoryLine, StatusLine } from './format.ts'
import { type Report, short } from './report.ts'
import { Rotten } from './rot.ts'
import { lastRoster, type Run } from './run.ts'

interface Debt {
  readonly key: string
  readonly sinceMs: number
  readonly seq: number
}

/** What a new Source still lacks on its disk. */
interface Promotion {
  readonly member: string
  readonly keys: readonly string[]
  readonly dueMs: number
  readonly seq: number
}

/** Runs the check. */
export function checkMajority(run: Run, report: Report): void {
  checkSettled(run, report)
  const { holds, statuses } = run.begin.records
  if (!holds || !statuses) {
    report.notes.push('no `hold` and `status` lines: only the dumps in the end were looked at')
    return
  }
  const watch = new Watch(run, report)
  for (const line of run.lines) watch.take(line)
}

/** Among the dumps in the end: what more than half have agreed, each Source has. */
function checkSettled(run: Run, report: Report): void {
  const byMember = new Map<string, DumpLine>()
  for (const { line } of run.settled) if (line.facts !== null) byMember.set(line.member, line)
  const dumps = lastRoster(run).flatMap(member => byMember.get(member) ?? [])
  const held = new Map<string, Set<string>>()
  for (const { member, facts } of dumps) {
    for (const { id, version, added } of facts!) {
      const key = version + id
      if (added !== null) held.set(key, (held.get(key) ?? new Set()).add(member))
    }
  }
  for (const [key, members] of held) {
    report.look('facts in the end')
    if (members.size * 2 <= lastRoster(run).length) continue
    const lacking = dumps.find(({ member, status }) => status === 'source' && !members.has(member))
    if (lacking === undefined) continue
    const what = `${short(key)} of ${key.slice(64)}`
    report.fail(`${lacking.member} is Source without ${what}, which most have`, lacking.seq)
  }
}

class Watch {
  readonly #run: Run
  readonly #report: Report
  readonly #disks = new Disks()
  readonly #rotten = new Rotten()
  #roster: readonly string[]
  /** Sources, since when. */
  readonly #sources = new Map<string, number>()
  readonly #faults = new Set<number>()
  #calmSinceMs = Number.NEGATIVE_INFINITY
  /** In the order of `sinceMs`. */
  readonly #debts: Debt[] = []
  #nextDebt = 0
  readonly #owed = new Set<string>()
  #promotions: Promotion[] = []

  constructor(run: Run, report: Report) {
    this.#run = run
    this.#report = report
    this.#roster = run.begin.members
  }

  take(line: HistoryLine): void {
    this.#settle(line.atMs)
    this.#rotten.take(line)
    for (const key of this.#disks.take(line)) this.#owe(key, line)
    switch (line.kind) {
      case 'roster':
        this.#roster = line.members
        return
      case 'status':
        this.#status(line)
        return
      case 'fault':
        this.#calmSinceMs = line.atMs
        if (line.phase === 'start') this.#faults.add(line.mark)
        if (line.phase === 'stop') this.#faults.delete(line.mark)
        this.#forget(line.destroyed)
        return
      default:
        return
    }
  }

  #status(line: StatusLine): void {
    const { member, status, atMs, seq, round } = line
    if (status === 'source') {
      if (!this.#sources.has(member)) this.#sources.set(member, atMs)
    } else {
      this.#sources.delete(member)
      if (status === 'down') this.#forget([member])
    }
    if (round === null) return
    this.#report.look('promotions')
    const counts = new Map<string, number>()
    for (const one of round.members) {
      for (const [key, { state, since }] of this.#disks.of(one)) {
        if (state !== 'fresh' && since <= round.since) counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    }
    const needed = [...counts].filter(([, count]) => count * 2 > round.members.length)
    this.#report.look('facts at promotions', needed.length)
    // What rotted on its own disk is in its tree until somebody looks.
    const rotten = this.#rotten.of(member)
    const keys = needed
      .map(([key]) => key)
      .filter(key => !this.#isAgreed(member, key) && !rotten.some(begin => key.startsWith(begin)))
    const dueMs = atMs + this.#run.begin.bounds.persistMs
    if (keys.length > 0) this.#promotions.push({ member, keys, dueMs, seq })
  }

  /** A process that ended, or a store that was destroyed, owes nothing any more. */
  #forget(members: readonly string[]): void {
    this.#promotions = this.#promotions.filter(({ member }) => !members.includes(member))
  }

  #isAgreed(member: string, key: string): boolean {
    return this.#disks.of(member).get(key)?.state === 'agreed'
  }

  #owe(key: string, { atMs, seq }: HistoryLine): void {
    if (this.#owed.has(key) || !this.#isMajority(key)) return
    if (this.#roster.every(member => this.#isAgreed(member, key))) return
    this.#owed.add(key)
    this.#debts.push({ key, sinceMs: atMs, seq })
  }

  #isMajority(key: string): boolean {
    const holders = this.#roster.filter(member => {
      const held = this.#disks.of(member).get(key)
      return held !== undefined && held.state !== 'fresh'
    })
    return holders.length * 2 > this.#roster.length
  }

  /** What has come due by now. */
  #settle(nowMs: number): void {
    for (const promotion of this.#promotions) {
      if (promotion.dueMs >= nowMs) continue
      const { member, seq } = promotion
      const lacking = promotion.keys.find(key => !this.#isAgreed(member, key))
      if (lacking === undefined) continue
      const what = `${short(lacking)} of ${lacking.slice(64)}`
      this.#report.fail(`${member} became Source without ${what}, which most held`, seq)
    }
    this.#promotions = this.#promotions.filter(({ dueMs }) => dueMs >= nowMs)
    const { debtMs } = this.#run.begin.bounds
    for (;;) {
      const debt = this.#debts[this.#nextDebt]
      if (debt === undefined || debt.sinceMs + debtMs > nowMs) return
      this.#nextDebt += 1
      this.#collect(debt, nowMs)
    }
  }

  #collect(debt: Debt, nowMs: number): void {
    this.#owed.delete(debt.key)
    this.#report.look('debts')
    const { debtMs } = this.#run.begin.bounds
    const calmMs = this.#faults.size > 0 ? Number.POSITIVE_INFINITY : this.#calmSinceMs
    const lacking = this.#roster.filter(member => !this.#isAgreed(member, debt.key))
    if (lacking.length === 0 || !this.#isMajority(debt.key)) return
    const late = lacking.find(member => {
      const sinceMs = Math.max(this.#sources.get(member) ?? Number.POSITIVE_INFINITY, calmMs)
      return Math.max(sinceMs, debt.sinceMs) + debtMs <= nowMs
    })
    if (late !== undefined) {
      const what = `${short(debt.key)} of ${debt.key.slice(64)}`
      this.#report.fail(`${late} is Source and lacks ${what} for over ${debtMs} ms`, debt.seq)
      return
    }
    this.#owed.add(debt.key)
    this.#debts.push({ ...debt, sinceMs: nowMs })
  }
}
