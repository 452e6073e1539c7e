/**
 * Members as far as items go: each holds some facts of one family, writes through the plans of
 * write.ts on what it sees, and takes facts over from others, in any order and any part.
 */
import type { Content, Fact, HeldFact, ItemId } from '../../../src/base/fact.ts'
import { isDelete, refKey } from '../../../src/base/fact.ts'
import { hashText } from '../../../src/base/hash.ts'
import { stampOf } from '../../../src/base/stamp.ts'
import { checkFact } from '../../../src/consensus/items/check.ts'
import type { Policy } from '../../../src/consensus/items/view.ts'
import {
  type FamilyView,
  findItem,
  itemsOf,
  viewFamily,
} from '../../../src/consensus/items/view.ts'
import {
  type Choice,
  type Plan,
  planResolve,
  planWrite,
  type Refusal,
  type WriteRequest,
} from '../../../src/consensus/items/write.ts'

/** A content that is told by its payload's text. */
export function contentOf(text: string): Content {
  return {
    blob: hashText(text),
    size: text.length,
    type: 'text/plain',
    tags: [],
    description: text,
    meta: null,
    dependsOn: [],
  }
}

export class ItemMember {
  readonly name: string
  readonly root: ItemId
  readonly facts = new Map<string, Fact>()
  readonly policy: Policy | undefined
  readonly clock: { ms: number }

  constructor(name: string, root: ItemId, clock = { ms: 1_000_000 }, policy?: Policy) {
    this.name = name
    this.root = root
    this.clock = clock
    this.policy = policy
  }

  view(): FamilyView {
    return viewFamily(this.root, [...this.facts.values()], this.policy)
  }

  /** Takes facts over; of one made twice the smaller (at, by), as members agree on it. */
  take(facts: Iterable<Fact>): void {
    for (const fact of facts) {
      const held = this.facts.get(refKey(fact))
      if (held !== undefined && held.at + held.by <= fact.at + fact.by) continue
      this.facts.set(refKey(fact), fact)
    }
  }

  takeAll(other: ItemMember): void {
    this.take(other.facts.values())
  }

  /** Writes and holds the facts of the plan; throws when it is refused. */
  put(id: ItemId, text: string, more: Partial<WriteRequest> = {}): Fact {
    return this.#keep(this.plan(id, { content: contentOf(text), ...more }))[0]!
  }

  remove(id: ItemId): Fact {
    return this.#keep(this.plan(id, { content: null }))[0]!
  }

  resolve(id: ItemId, choice: Choice): readonly Fact[] {
    return this.#keep(planResolve(this.view(), id, choice, this.#stamp()))
  }

  plan(id: ItemId, request: WriteRequest): Plan {
    return planWrite(this.view(), id, request, this.#stamp())
  }

  refusal(id: ItemId, request: WriteRequest): Refusal {
    const plan = this.plan(id, request)
    if (plan.ok) throw new Error(`the write on ${id} was not refused`)
    return plan.refusal
  }

  /** The text that an id shows; its split ids; or undefined. */
  read(id: ItemId): string | readonly ItemId[] | undefined {
    const found = findItem(this.view(), id)
    if (found.kind === 'absent') return undefined
    if (found.kind === 'split') return found.ids
    return found.item.deleted ? undefined : found.item.shown.fact.description
  }

  /** Every live item with the text that it shows. */
  live(): Record<ItemId, string> {
    const live: Record<ItemId, string> = {}
    for (const item of itemsOf(this.view())) {
      if (!item.deleted) live[item.id] = item.shown.fact.description
    }
    return live
  }

  tryPlan(plan: Plan): boolean {
    if (plan.ok) this.#keep(plan)
    return plan.ok
  }

  #keep(plan: Plan): readonly Fact[] {
    if (!plan.ok) throw new Error(`${plan.refusal.code}: ${plan.refusal.sentence}`)
    for (const fact of plan.facts) {
      const checked = checkFact(fact)
      if (!checked.ok) throw new Error(checked.sentence)
    }
    this.take(plan.facts)
    return plan.facts
  }

  #stamp() {
    this.clock.ms += 1
    return { at: stampOf(this.clock.ms), by: this.name }
  }
}

/** Members of one family with one clock. */
export function membersOf(root: ItemId, names: readonly string[], policy?: Policy): ItemMember[] {
  const clock = { ms: 1_000_000 }
  return names.map(name => new ItemMember(name, root, clock, policy))
}

/** Everybody gets everything. */
export function exchange(members: readonly ItemMember[]): void {
  for (const one of members) for (const other of members) one.takeAll(other)
}

/** A view as text: ids, what they show, heads and histories. Equal texts are equal views. */
export function viewText(view: FamilyView): string {
  const lines: string[] = []
  for (const place of view.places.values()) {
    if (place.kind === 'moved') {
      lines.push(`${place.id} moved`)
      continue
    }
    const heads = place.heads.map(head => head.version)
    const chain = [...place.chain.positions].sort().map(entry => entry.join('@'))
    const more =
      place.kind === 'split'
        ? place.ids.join(',')
        : `${place.shown.version} ${isDelete(place.shown.fact)} ${refKey(place.shown.fact)}`
    lines.push([place.id, place.kind, heads.join(','), more, chain.join(',')].join(' | '))
  }
  lines.push(`unrooted ${view.family.unrooted.map(refKey).sort().join(',')}`)
  lines.push(
    `refused ${view.family.refused
      .map(({ fact }) => refKey(fact))
      .sort()
      .join(',')}`,
  )
  lines.push(`missing ${view.family.missing.map(refKey).join(',')}`)
  return lines.join('\n')
}

/** Facts as held and agreed at their own stamps. */
export function agreed(facts: Iterable<Fact>): HeldFact[] {
  return [...facts].map(fact => ({ fact, state: { kind: 'agreed', added: fact.at } }))
}

/** Two members that wrote apart from each other on one version, and then met. */
export function splitInTwo(id: ItemId = 'report') {
  const [a, b] = membersOf(id, ['a', 'b']) as [ItemMember, ItemMember]
  a.put(id, 'common')
  exchange([a, b])
  const left = a.put(id, 'left')
  const right = b.put(id, 'right')
  exchange([a, b])
  return { a, b, left, right }
}

/** The id under which a text is live. */
export function idOf(member: ItemMember, text: string): ItemId {
  const ids = Object.entries(member.live()).filter(entry => entry[1] === text)
  const [only] = ids
  if (only === undefined || ids.length > 1) throw new Error(`${ids.length} items show ${text}`)
  return only[0]
}

/** The version that `splitInTwo` made on the right. */
export function rightVersion(member: ItemMember) {
  return [...member.facts.values()].find(fact => fact.description === 'right')!.version
}
