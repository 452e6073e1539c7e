/**
 * The clients of the model: they ask a member, it answers after a while as a good one does, and
 * both moments are written down. Questions overlap; a member that goes away leaves them unknown.
 */
import type { DumpFact, InvokeLine, Properties, ShownItem, Unplaced } from './format.ts'
import { hashOf } from './hashes.ts'
import type { Model } from './model.ts'
import { factKey, type ModelContent, type ModelMember } from './model-member.ts'

interface Question {
  readonly request: string
  readonly client: string
  readonly member: ModelMember
  /** Ended already, or its member is gone. */
  isOver: boolean
}

/** What is asked for, besides by whom. */
type Wanted = Pick<InvokeLine, 'op' | 'id'> & {
  readonly content?: ModelContent
  readonly ifVersion?: string | null
}

export class ModelClients {
  readonly #model: Model
  readonly #open = new Set<Question>()
  #count = 0
  #isStopped = false

  constructor(model: Model) {
    this.#model = model
  }

  /** No more questions; those under way are answered. */
  stop(): void {
    this.#isStopped = true
  }

  isBusy(member: ModelMember): boolean {
    return [...this.#open].some(question => question.member === member)
  }

  /** A client asks some member for something. */
  ask(): void {
    const { dice, members } = this.#model
    const up = members.filter(member => member.isUp)
    if (up.length === 0 || this.#isStopped) return
    const member = dice.pick(up)
    // Some items are asked for at one member alone, a few by all.
    const root = dice.chance(0.3) ? `own/${member.name}` : `item/${dice.int(0, 4)}`
    const shown = member.show(root)
    const below = shown !== null && 'split' in shown ? shown.split : []
    const id = below.length > 0 && dice.chance(0.6) ? dice.pick(below) : root
    const what = dice.unit()
    if (what < 0.4) this.putAt(member, id)
    else if (what < 0.52) this.#condition(member, id)
    else if (what < 0.62) this.#start(member, { op: 'delete', id })
    else if (what < 0.7 && below.length > 0) this.#resolve(member, root)
    else if (what < 0.75) this.#start(member, { op: 'list', id: 'item/' })
    else this.#start(member, { op: 'get', id })
  }

  putAt(member: ModelMember, id: string): void {
    const op = this.#model.dice.chance(0.1) ? 'upload' : 'put'
    this.#start(member, { op, id, content: this.#content() })
  }

  /** Nothing that was asked of this member will be answered. */
  gone(member: ModelMember): void {
    for (const question of this.#open) {
      if (question.member === member) this.#end(question, { kind: 'unknown' })
    }
  }

  #condition(member: ModelMember, id: string): void {
    const { dice } = this.#model
    const shown = member.show(id)
    const head = shown !== null && 'version' in shown ? shown.version : null
    const ifVersion = dice.chance(0.8) ? head : hashOf('another version')
    this.#start(member, { op: 'put', id, content: this.#content(), ifVersion })
  }

  #resolve(member: ModelMember, id: string): void {
    const content = this.#model.dice.chance(0.5) ? { content: this.#content() } : {}
    this.#start(member, { op: 'resolve', id, ...content })
  }

  #content(): ModelContent {
    const { dice } = this.#model
    const value = `value ${this.#count} ${'.'.repeat(dice.int(0, 40))}`
    const properties: Properties = {
      type: 'text/plain',
      tags: dice.chance(0.2) ? ['a', 'b'] : [],
      description: dice.chance(0.2) ? `the ${this.#count}th` : '',
      meta: dice.chance(0.2) ? { count: this.#count, half: 0.5, list: [true, null] } : null,
      dependsOn: [],
    }
    return { blob: hashOf(value), size: value.length, properties }
  }

  #start(member: ModelMember, wanted: Wanted): void {
    const { dice } = this.#model
    this.#count += 1
    const request = `r${this.#count}`
    const question: Question = { request, client: `c${this.#count}`, member, isOver: false }
    this.#open.add(question)
    this.#invoke(question, wanted)
    const workMs = dice.int(1, 60)
    if (dice.chance(0.05)) this.#model.after(workMs / 2, () => this.#again(question, wanted))
    this.#model.after(workMs, () => this.#work(question, wanted))
  }

  #again(question: Question, wanted: Wanted): void {
    if (!question.isOver) this.#invoke(question, wanted)
  }

  #invoke({ request, client, member }: Question, { op, id, content, ifVersion }: Wanted): void {
    this.#model.write({
      kind: 'invoke',
      request,
      client,
      member: member.name,
      op,
      id,
      blob: content?.blob ?? null,
      size: content?.size ?? 0,
      ...(ifVersion === undefined ? {} : { ifVersion }),
      ...(content === undefined ? {} : { properties: content.properties }),
    })
  }

  #end(question: Question, end: EndOf): void {
    if (question.isOver) return
    question.isOver = true
    this.#open.delete(question)
    this.#model.write({ ...end, request: question.request } as Unplaced)
  }

  #work(question: Question, wanted: Wanted): void {
    if (question.isOver) return
    const { member } = question
    const { op, id } = wanted
    if (op === 'list') {
      const reads = member.items().filter(item => item.blob !== null && item.id.startsWith(id))
      this.#end(question, { ...NOTHING_TOLD, version: null, blob: null, reads })
      return
    }
    const shown = member.show(id)
    if (op === 'resolve') this.#resolveNow(question, wanted, shown)
    else if (shown !== null && 'split' in shown) this.#end(question, refusal('SPLIT'))
    else if (op === 'get') {
      if (shown === null) this.#end(question, refusal('NOT_FOUND'))
      else this.#end(question, { ...NOTHING_TOLD, version: shown.version, blob: shown.blob })
    } else this.#writeNow(question, wanted, shown)
  }

  #writeNow(question: Question, wanted: Wanted, shown: ShownItem | null): void {
    const { member } = question
    const { id, ifVersion, content } = wanted
    const head = shown?.version ?? null
    if (ifVersion !== undefined && ifVersion !== head) {
      this.#end(question, { ...refusal('VERSION_MISMATCH'), head })
      return
    }
    const isGone = shown === null && (content === undefined || id.includes('~'))
    if (isGone) {
      this.#end(question, refusal('NOT_FOUND'))
      return
    }
    const stamp = this.#model.stamp(member.name)
    this.#accept(question, [member.fact(id, content ?? null, stamp)])
  }

  #resolveNow(question: Question, wanted: Wanted, shown: ReturnType<ModelMember['show']>): void {
    const { member } = question
    const { id } = wanted
    const place = member.place(id)
    if (shown === null || !('split' in shown) || place?.kind !== 'split') {
      this.#end(question, refusal('BAD_REQUEST'))
      return
    }
    const stamp = this.#model.stamp(member.name)
    const kept = place.heads.find(head => head.blob !== null)!
    const source = [...member.facts.values()].find(
      fact => fact.id === id && fact.version === kept.version,
    )
    if (wanted.content === undefined && source === undefined) {
      this.#end(question, refusal('NOT_FOUND'))
      return
    }
    const content = wanted.content ?? contentOf(source!)
    const merge = member.fact(id, content, stamp)
    const ends = shown.split.map(item => member.fact(item, null, stamp))
    this.#accept(question, [merge, ...ends])
  }

  /** The facts are durable; the answer comes later, and tells who holds the first by then. */
  #accept(question: Question, facts: readonly DumpFact[]): void {
    const { member } = question
    const [first] = facts
    for (const fact of facts) this.#model.hold(member, fact, true)
    this.#model.add(member)
    this.#model.after(this.#model.dice.int(1, 250), () => {
      const key = factKey(first!)
      const { members } = this.#model
      const holders = members.filter(({ facts }) => facts.has(key))
      const isAgreed = holders.some(({ facts }) => facts.get(key)!.added !== null)
      const isMajority = isAgreed && holders.length * 2 > members.length
      const level = isMajority ? 'majority' : isAgreed ? 'agreed' : 'pending'
      const heldBy = holders.map(({ name }) => name)
      this.#end(question, { kind: 'done', version: first!.version, blob: null, level, heldBy })
    })
  }
}

/** What a fact holds. */
function contentOf(fact: DumpFact): ModelContent {
  const { type, tags, description, meta, dependsOn } = fact
  const properties = { type, tags, description, meta, dependsOn }
  return { blob: fact.blob!, size: fact.size, properties }
}

const NOTHING_TOLD = { kind: 'done', level: null, heldBy: [] } as const

type EndOf =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly code: string; readonly head?: string | null }
  | {
      readonly kind: 'done'
      readonly version: string | null
      readonly blob: string | null
      readonly level: 'pending' | 'agreed' | 'majority' | null
      readonly heldBy: readonly string[]
      readonly reads?: readonly ShownItem[]
    }

function refusal(code: string): { readonly kind: 'refused'; readonly code: string } {
  return { kind: 'refused', code }
}
