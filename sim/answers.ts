/**
 * Checks at every answer that a client gets. G1: what is acknowledged is durable at that very
 * moment, on as many disks as the answer says. G7: a member never stops showing what it showed
 * without a newer version. G8: the bytes match their hash, and somebody wrote them.
 */
import { refKey } from '../src/base/fact.ts'
import type { VecheError } from '../src/base/veche-error.ts'
import type { ItemPayload } from '../src/control/member-service.ts'
import { isAbove } from './ancestry.ts'
import { type History, type Operation, sha256 } from './history.ts'
import type { Verdict } from './verdict.ts'
import type { AnswerChecks } from './workload.ts'
import type { SimMember, World } from './world.ts'

/** Showings kept of one item: more than clients can have under way at once. */
const SHOWN_MAX = 16

export class Answers implements AnswerChecks {
  readonly #world: World
  readonly #verdict: Verdict
  readonly #history: () => History
  /** What each member showed of an item, and how many operations had begun by then. */
  readonly #shown = new Map<string, { readonly version: string; readonly begun: number }[]>()

  constructor(world: World, verdict: Verdict, history: () => History) {
    this.#world = world
    this.#verdict = verdict
    this.#history = history
  }

  wrote(operation: Operation, at: SimMember): void {
    const { outcome, id, blob } = operation
    if (outcome.kind !== 'done') return
    const ref = { id, version: outcome.version }
    const holders = this.#world.members.filter(({ disk }) => disk.isDurable(ref, blob))
    const told = `write ${operation.sequence} on ${id} at ${at.id}`
    if (!holders.includes(this.#world.members.find(entry => entry.id === at.id)!)) {
      this.#verdict.fail('G1', `${told} was answered before it was durable there`)
      return
    }
    for (const name of outcome.heldBy) {
      if (holders.some(holder => holder.id === name)) continue
      this.#verdict.fail('G1', `${told} is told to be held by ${name}, whose disk does not have it`)
    }
    if (outcome.level === 'majority' && holders.length * 2 <= this.#world.members.length) {
      const names = holders.map(holder => holder.id).join(', ')
      this.#verdict.fail('G1', `${told} is told to be held by a majority and is on ${names} only`)
    }
  }

  read(operation: Operation, at: SimMember, { header, payload }: ItemPayload): void {
    const { id } = operation
    const hash = sha256(payload)
    if (hash !== header.blob) {
      this.#verdict.fail('G8', `${at.id} served bytes of ${id} that do not match their hash`)
    } else if (this.#history().writtenTo(hash) === undefined) {
      this.#verdict.fail('G8', `${at.id} served bytes of ${id} that nobody wrote`)
    }
    this.#mustFollow(operation, at, header.version)
    const shown = this.#shown.get(`${at.id} ${id}`) ?? []
    this.#shown.set(`${at.id} ${id}`, shown)
    shown.push({ version: header.version, begun: this.#history().operations.length })
    if (shown.length > SHOWN_MAX) shown.shift()
  }

  notRead(operation: Operation, at: SimMember, error: VecheError): void {
    const { id } = operation
    const before = this.#shownBefore(operation, at)
    if (before === undefined || error.code === 'UNAVAILABLE') return
    if (error.code === 'SPLIT') {
      const isHeld = at.disk.holdings.has(refKey({ id, version: before }))
      if (isRoot(id) && !isHeld) this.#lost(at, id, before)
      return
    }
    const { version, deleted } = error.data as { version?: string; deleted?: boolean }
    if (deleted === true && version !== undefined) this.#mustFollow(operation, at, version)
    else if (isRoot(id)) this.#lost(at, id, before)
  }

  /** What the member had shown last when the operation began. */
  #shownBefore({ sequence, id }: Operation, at: SimMember): string | undefined {
    const shown = this.#shown.get(`${at.id} ${id}`)
    return shown?.findLast(entry => entry.begun <= sequence)?.version
  }

  #mustFollow(operation: Operation, at: SimMember, version: string): void {
    const { id } = operation
    const before = this.#shownBefore(operation, at)
    // The versions of a split item are derived, and change when its fork does.
    if (before === undefined || before === version || !isRoot(id)) return
    if (!isAbove(at.disk.holdings, { id, version: before }, version)) {
      this.#verdict.fail('G7', `${at.id} showed ${before} of ${id} and now ${version}`)
    }
  }

  #lost(at: SimMember, id: string, before: string): void {
    this.#verdict.fail('G7', `${at.id} showed ${before} of ${id} and does not any more`)
  }
}

function isRoot(id: string): boolean {
  return !id.includes('~')
}
