/**
 * Checks at every answer that a client gets. G1: what is acknowledged is durable at that very
 * moment, on as many disks as the answer says. G7: a member never stops showing what it showed
 * without a newer version. G8: the bytes match their hash, and somebody wrote them.
 */
import { refKey } from '../src/base/fact.ts'
import type { VecheError } from '../src/base/veche-error.ts'
import type { ItemPayload } from '../src/control/member-service.ts'
import { rootedKeys } from './ancestry.ts'
import type { Disk } from './disk.ts'
import { type History, type Operation, sha256 } from './history.ts'
import type { Marks } from './marks.ts'
import type { Verdict } from './verdict.ts'
import type { AnswerChecks } from './workload.ts'
import type { SimMember, UpMember, World } from './world.ts'

/** Showings kept of one item: more than clients can have under way at once. */
const SHOWN_MAX = 16

export class Answers implements AnswerChecks {
  readonly #marks: Marks | undefined
  readonly #world: World
  readonly #verdict: Verdict
  readonly #history: () => History
  /** What each member showed of an item, and how many operations had begun by then. */
  readonly #shown = new Map<string, { readonly version: string; readonly begun: number }[]>()

  constructor(world: World, verdict: Verdict, history: () => History, marks?: Marks) {
    this.#marks = marks
    this.#world = world
    this.#verdict = verdict
    this.#history = history
    world.watchers.push({ replaced: ({ id }) => this.#forget(id) })
  }

  wrote(operation: Operation, at: SimMember): void {
    const { outcome, id, blob } = operation
    if (outcome.kind !== 'done') return
    const ref = { id, version: outcome.version }
    const holders = this.#world.members.filter(({ disk }) => disk.wasDurable(ref, blob))
    const told = `write ${operation.sequence} on ${id} at ${at.id}`
    if (!holders.some(holder => holder.id === at.id)) {
      this.#verdict.fail('G1', `${told} was answered before it was durable there`)
      return
    }
    this.#world.atlas.acknowledged(ref, blob, outcome.level)
    for (const name of outcome.heldBy) {
      if (this.#world.believes(name) || holders.some(holder => holder.id === name)) continue
      const why = this.#world.members.find(entry => entry.id === name)?.disk.whatLacks(ref, blob)
      this.#verdict.fail('G1', `${told} is told to be held by ${name}, whose disk has ${why}`)
    }
    if (outcome.level !== 'majority') return
    const lags = ({ id, member }: UpMember) =>
      member.agreement.source !== null && !holders.some(holder => holder.id === id)
    if (this.#world.up().some(lags)) {
      this.#marks?.hit('a Source was last to learn of a majority write')
    }
    // A majority of whom it knows as members; who lies about what it has is believed.
    const roster = at.member?.agreement.roster ?? []
    const holding = roster.filter(
      name => this.#world.believes(name) || holders.some(holder => holder.id === name),
    )
    if (holding.length * 2 > roster.length) return
    // The answer counts the roster of the moment in which the level was reached: it may just have grown.
    if (outcome.of !== null && outcome.of < roster.length && holding.length * 2 > outcome.of) return
    const names = holders.map(holder => holder.id).join(', ')
    this.#verdict.fail('G1', `${told} is told to be held by a majority and is on ${names} only`)
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
    const { ids } = error.data
    if (Array.isArray(ids) && ids.length > 2) this.#marks?.hit('a collision of three')
    // What is not here, or not whole, is not shown as anything else: it may be asked for again.
    if (!['UNAVAILABLE', 'DAMAGED'].includes(error.code))
      this.#mustFollow(operation, at, null, error.code === 'SPLIT')
  }

  /** Its disk is another one: its users see what that has. */
  #forget(member: string): void {
    for (const key of this.#shown.keys()) {
      if (key.startsWith(`${member} `)) this.#shown.delete(key)
    }
  }

  /** What the member had shown last when the operation began. */
  #shownBefore({ sequence, id }: Operation, at: SimMember): string | undefined {
    const shown = this.#shown.get(`${at.id} ${id}`)
    return shown?.findLast(entry => entry.begun <= sequence)?.version
  }

  /** What was shown before is shown still, or is held and something newer stands on it. */
  #mustFollow(operation: Operation, at: SimMember, version: string | null, isSplit = false): void {
    const { id } = operation
    const before = this.#shownBefore(operation, at)
    // The versions of a split item are derived, and change when its fork does.
    if (before === undefined || before === version || !isRoot(id)) return
    const { holdings } = at.disk
    const held = holdings.get(refKey({ id, version: before }))
    if (held !== undefined && (isSplit || at.disk.hasChild({ id, version: before }))) return
    const now = version === null ? undefined : holdings.get(refKey({ id, version }))
    if (held !== undefined && now?.fact.dataHash === held.fact.dataHash) return
    // It stands on a version that rotted: a write meanwhile stands on what is left, and both stay.
    if (held !== undefined && !readableRooted(at.disk).has(refKey(held.fact))) return
    const sentence = `${at.id} showed ${before} of ${id} and now ${version ?? 'nothing'}`
    this.#verdict.fail('G7', `${sentence}; it ${held === undefined ? 'is gone' : 'is a head'}`)
  }
}

function isRoot(id: string): boolean {
  return !id.includes('~')
}

/** Facts that stand on nothing that rotted here. */
function readableRooted({ holdings, destroyed }: Disk): Set<string> {
  const isRotten = (key: string) => holdings.get(key)!.durableAtMs === null && destroyed.has(key)
  return rootedKeys(new Map([...holdings].filter(([key]) => !isRotten(key))))
}
