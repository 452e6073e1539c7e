/**
 * Mutations, third part: lies about what members show, about who was Source, and about the record
 * itself.
 */
import type { Draft, Mutation } from './draft.ts'
import type { DumpLine, ShownItem, StatusLine } from './format.ts'
import { hashOf } from './hashes.ts'

/** Changes what one dump shows. */
function onItems(change: (items: readonly ShownItem[], draft: Draft) => ShownItem[] | null) {
  return (draft: Draft): boolean => {
    const dumps = draft.all('dump').filter(({ items }) => items !== null && items.length > 0)
    const dump: DumpLine | null = draft.pick(dumps)
    const items = dump === null ? null : change(dump.items!, draft)
    if (items === null) return false
    draft.change(dump!, { items })
    return true
  }
}

const isSplit = ({ id, blob }: ShownItem) => id.includes('~') && blob !== null

const showMutations: readonly Mutation[] = [
  {
    name: 'an item is not shown',
    by: [5],
    harm: onItems((items, { dice }) => {
      const gone = dice.pick(items)
      return items.filter(item => item !== gone)
    }),
  },
  {
    name: 'the other side of a collision wins its name',
    by: [5],
    harm: onItems(items => {
      const [one, other] = items.filter(isSplit)
      if (one === undefined || other === undefined) return null
      return items.map(item =>
        item === one ? { ...other, id: one.id } : item === other ? { ...one, id: other.id } : item,
      )
    }),
  },
  {
    name: 'a side of a collision has another name',
    by: [5],
    harm: onItems(items => {
      const split = items.find(isSplit)
      if (split === undefined) return null
      return items.map(item => (item === split ? { ...item, id: `${item.id}~0` } : item))
    }),
  },
  {
    name: 'a side of a collision is missing',
    by: [5],
    harm: onItems(items => {
      const split = items.find(isSplit)
      return split === undefined ? null : items.filter(item => item !== split)
    }),
  },
  {
    name: 'a collision is shown as one item',
    by: [5],
    harm: onItems(items => {
      const split = items.find(isSplit)
      if (split === undefined) return null
      const root = split.id.slice(0, split.id.indexOf('~'))
      return [...items.filter(({ id }) => !id.startsWith(root)), { ...split, id: root }]
    }),
  },
]

const sourceMutations: readonly Mutation[] = [
  {
    name: 'a hash is not that of its facts',
    by: [4],
    harm: draft => {
      const dump = draft.pick(draft.all('dump').filter(({ hash }) => hash !== null))
      if (dump === null) return false
      draft.change(dump, { hash: hashOf('another root') })
      return true
    },
  },
  {
    name: 'a member has another roster',
    by: [4],
    harm: draft => {
      const dump = draft.dice.pick(draft.settled())
      draft.change(dump, { roster: dump.roster!.slice(1) })
      return true
    },
  },
  {
    name: 'a member never becomes Source',
    by: [4],
    harm: draft => {
      draft.change(draft.dice.pick(draft.settled()), { status: 'source-sync' })
      return true
    },
  },
  {
    name: 'a new Source lacks what most of its round held',
    by: [6],
    harm: draft => {
      const held = draft.all('status').flatMap(line => {
        const needed = line.round === null ? [] : heldByMost(draft, line)
        return needed.map(version => ({ line, version }))
      })
      const found = draft.pick(held)
      if (found === null) return false
      const { line, version } = found
      const { member, seq } = line
      for (const hold of draft.all('hold')) {
        if (hold.version !== version || hold.member !== member || hold.seq > seq) continue
        draft.change(hold, { state: 'pending' })
      }
      for (const dump of draft.all('dump')) {
        if (dump.member !== member || dump.seq > seq) continue
        draft.refact(dump, facts => facts.filter(fact => fact.version !== version))
      }
      return true
    },
  },
  {
    name: 'a Source never gets what most have',
    by: [6],
    harm: draft => {
      const [one] = draft.all('begin')
      const member = draft.dice.pick(one!.members)
      const isWhole = !draft.all('fault').some(({ scope }) => scope.includes(member))
      const late = draft.all('hold').filter(hold => {
        return hold.member === member && hold.state === 'agreed' && isWhole
      })
      const hold = draft.pick(late.filter(({ id }) => !id.endsWith(`/${member}`)))
      if (hold === null || one!.members.length < 3) return false
      for (const line of draft.all('hold')) {
        const isOf = line.version === hold.version && line.member === member
        if (isOf) draft.change(line, { state: 'pending' })
      }
      return true
    },
  },
]

/** Versions that more than half of a round held, agreed, when it was asked. */
function heldByMost(draft: Draft, { round, seq }: StatusLine): string[] {
  const holders = new Map<string, Set<string>>()
  for (const hold of draft.all('hold')) {
    if (hold.seq > round!.since || hold.state !== 'agreed' || hold.seq > seq) continue
    if (!round!.members.includes(hold.member)) continue
    const known = holders.get(hold.version) ?? new Set()
    holders.set(hold.version, known.add(hold.member))
  }
  const isMost = (members: ReadonlySet<string>) => members.size * 2 > round!.members.length + 2
  return [...holders].filter(([, members]) => isMost(members)).map(([version]) => version)
}

const recordMutations: readonly Mutation[] = [
  {
    name: 'a question is never answered',
    by: [9],
    harm: draft => {
      draft.remove(draft.dice.pick(draft.all('done')))
      return true
    },
  },
  {
    name: 'a write after the heal takes too long',
    by: [9],
    harm: draft => {
      const healedMs = Math.max(0, ...draft.all('fault').map(({ atMs }) => atMs))
      const late = draft.writes().filter(({ asked }) => asked.atMs > healedMs)
      const write = draft.pick(late)
      if (write === null) return false
      draft.remove(write.done)
      draft.insert(null, [{ ...write.done, atMs: draft.lines.at(-1)!.atMs + 100 }])
      return true
    },
  },
  {
    name: 'a member takes no write after the heal',
    by: [9],
    harm: draft => {
      const last = draft.writes().filter(({ asked }) => asked.id.startsWith('end/'))
      const write = draft.pick(last)
      const healedMs = Math.max(0, ...draft.all('fault').map(({ atMs }) => atMs))
      const isOnly = !draft.all('invoke').some(({ member, atMs, id }) => {
        return member === write?.asked.member && atMs >= healedMs && !id.startsWith('end/')
      })
      if (write === null || !isOnly) return false
      draft.change(write.asked, { op: 'get', blob: null })
      return true
    },
  },
  {
    name: 'a ceiling is passed',
    by: [9],
    harm: draft => {
      const sample = draft.pick(draft.all('sample'))
      if (sample === null) return false
      draft.change(sample, { value: sample.limit + 1 })
      return true
    },
  },
  {
    name: 'nobody is Source in the end',
    by: [9],
    harm: draft => {
      const [one] = draft.settled()
      const { members } = draft.all('roster').at(-1) ?? draft.all('begin')[0]!
      const lost = members.map((member, at): StatusLine => {
        const place = { seq: -1 - at, atMs: one!.atMs - 1 }
        return { kind: 'status', ...place, member, status: 'counter-sync', round: null }
      })
      draft.insert(
        draft.lines[draft.lines.indexOf(one!) - 1]!,
        lost.map(line => ({ ...line, atMs: one!.atMs })),
      )
      return true
    },
  },
  {
    name: 'a question has two answers',
    by: [0],
    harm: draft => {
      const done = draft.dice.pick(draft.all('done'))
      draft.insert(done, [{ ...done }])
      return true
    },
  },
  {
    name: 'lines are out of order',
    by: [0],
    harm: draft => {
      const at = draft.dice.int(1, draft.lines.length - 2)
      const [one, other] = [draft.lines[at]!, draft.lines[at + 1]!]
      draft.lines.splice(at, 2, other, one)
      return true
    },
  },
  {
    name: 'the dumps in the end are missing',
    by: [1, 4],
    harm: draft => {
      for (const dump of draft.settled()) draft.remove(dump)
      return true
    },
  },
]

/** All that concern what is shown, the network and the record. */
export const networkMutations: readonly Mutation[] = [
  ...showMutations,
  ...sourceMutations,
  ...recordMutations,
]
