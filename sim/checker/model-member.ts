/**
 * A member of the model in which good histories are made (model.ts): its facts by name, what they
 * show, and the writes that it accepts. Nothing of the product, and no network: facts are copied.
 */
import { type Family, familiesOf, familyOf, itemsOf, type Place, rootIdOf } from './family.ts'
import type { DumpFact, DumpLine, Properties, ShownItem, Status } from './format.ts'
import { dataHashOf, rootOf, settledFacts, versionOf, ZEROS } from './hashes.ts'
import { keyOf } from './split.ts'

/** A value with its properties. */
export interface ModelContent {
  readonly blob: string
  readonly size: number
  readonly properties: Properties
}

/** When and by whom. */
export interface ModelStamp {
  readonly at: string
  readonly by: string
}

const BARE: Properties = { type: '', tags: [], description: '', meta: null, dependsOn: [] }

export class ModelMember {
  readonly name: string
  readonly facts = new Map<string, DumpFact>()
  status: Status = 'source'
  side = 0

  constructor(name: string) {
    this.name = name
  }

  get isUp(): boolean {
    return this.status !== 'down'
  }

  family(id: string): Family {
    const root = rootIdOf(id)
    return familyOf([...this.facts.values()].filter(fact => rootIdOf(fact.id) === root))
  }

  place(id: string): Place | undefined {
    return this.family(id).places.get(id)
  }

  /** The live item at an id; `split` with its ids; or null. */
  show(id: string): ShownItem | { readonly split: readonly string[] } | null {
    const place = this.place(id)
    if (place?.kind === 'split') {
      const below = itemsOf(this.family(id)).filter(item => item.blob !== null && item.id !== id)
      return { split: below.map(item => item.id) }
    }
    if (place?.kind !== 'item' || place.shown.blob === null) return null
    return { id, version: place.shown.version, blob: place.shown.blob }
  }

  items(): ShownItem[] {
    const families = familiesOf([...this.facts.values()])
    return [...families.values()].flatMap(facts => itemsOf(familyOf(facts)))
  }

  /** The fact of a write on all that is seen at an id; null deletes. */
  fact(id: string, content: ModelContent | null, stamp: ModelStamp): DumpFact {
    const family = this.family(id)
    const place = family.places.get(id)
    const heads = place === undefined || place.kind === 'moved' ? [] : place.heads
    const parents = heads.map(head => head.version).sort()
    const isDerived = heads.some(head => head.origins.size > 0)
    const body = {
      ...(content?.properties ?? BARE),
      blob: content?.blob ?? null,
      size: content?.size ?? 0,
    }
    const dataHash = content === null ? ZEROS : dataHashOf(body)
    const { blob, size } = body
    return {
      id,
      version: versionOf(id, parents, dataHash),
      parents,
      dataHash,
      ...body,
      ...stamp,
      base: isDerived ? baseOf(family, id) : null,
      added: null,
      payload: blob === null ? null : { kind: 'hash', hash: blob, size },
    }
  }

  /** All of it as a dump tells it; the line still lacks its place in the history. */
  dump(moment: DumpLine['moment'], cut: number, roster: readonly string[]) {
    const facts = [...this.facts.values()]
    const isUp = moment !== 'crash'
    return {
      kind: 'dump',
      member: this.name,
      moment,
      status: this.status,
      roster: isUp ? roster : null,
      cut: isUp ? cut : null,
      hash: isUp ? rootOf(settledFacts(facts, cut)) : null,
      facts,
      items: isUp ? this.items() : null,
    } satisfies Omit<DumpLine, 'seq' | 'atMs'>
  }
}

/** For each split id above: the live heads that name it. */
function baseOf({ places }: Family, id: string): DumpFact['base'] {
  const base: { id: string; heads: string[] }[] = []
  for (let end = rootIdOf(id).length; end < id.length; end += 2) {
    const above = id.slice(0, end)
    const place = places.get(above)
    if (place?.kind !== 'split') continue
    const live = place.heads.filter(head => head.blob !== null)
    base.push({ id: above, heads: live.map(head => head.version).sort() })
  }
  return base
}

/** Of one fact held twice: the smaller stamp, agreed if either is. */
export function united(a: DumpFact, b: DumpFact): DumpFact {
  const first = `${a.at}${a.by}` <= `${b.at}${b.by}` ? a : b
  const added = [a.added, b.added].filter(stamp => stamp !== null).sort()[0] ?? null
  return { ...first, added }
}

/** The name of a fact. */
export function factKey(fact: Pick<DumpFact, 'id' | 'version'>): string {
  return keyOf(fact.id, fact.version)
}
