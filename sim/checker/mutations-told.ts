/**
 * Mutations, second part: lies about what clients asked for and were told.
 */

import type { Draft, Mutation } from './draft.ts'
import type { DoneLine, HistoryLine, InvokeLine, RefusedLine } from './format.ts'
import { hashOf } from './hashes.ts'

/** Two versions of a root id, the first a parent of the second; both of values. */
function someStep(draft: Draft) {
  const { facts } = draft.dice.pick(draft.settled())
  const steps = facts!.flatMap(newer => {
    const older = facts!.find(fact => fact.id === newer.id && newer.parents.includes(fact.version))
    if (older === undefined || older.blob === null || newer.id.includes('~')) return []
    return [{ older, newer }]
  })
  return draft.pick(steps)
}

/** A question and its answer, put in after a line. */
function exchange(
  draft: Draft,
  after: HistoryLine,
  asked: Pick<InvokeLine, 'member' | 'op' | 'id'>,
  end: Partial<DoneLine> | Partial<RefusedLine>,
): void {
  const { atMs } = after
  const request = `put in ${draft.lines.length}`
  const invoke = { kind: 'invoke', request, client: request, blob: null, size: 0, ...asked }
  const done = { kind: 'done', version: null, blob: null, level: null, heldBy: [], ...end, request }
  const lines = [invoke, done].map((line, at) => ({ seq: -1 - at, atMs, ...line }) as HistoryLine)
  draft.insert(after, lines)
}

/** All that concern answers. */
export const toldMutations: readonly Mutation[] = [
  {
    name: 'a refused write is there',
    by: [2],
    harm: draft => {
      const write = draft.pick(draft.writes())
      if (write === null) return false
      const { seq, atMs, request } = write.done
      const refused: RefusedLine = { kind: 'refused', seq, atMs, request, code: 'DISK_FULL' }
      draft.lines = draft.lines.map(line => (line === write.done ? refused : line))
      return true
    },
  },
  {
    name: 'a write lies at another item',
    by: [0, 2],
    harm: draft => {
      const write = draft.pick(draft.writes())
      if (write === null) return false
      draft.change(write.asked, { id: `${write.asked.id}-elsewhere` })
      return true
    },
  },
  {
    name: 'an answer names another version',
    by: [1, 2],
    harm: draft => {
      const [one, other] = [draft.pick(draft.writes()), draft.pick(draft.writes())]
      if (one === null || other === null || one.done.version === other.done.version) return false
      draft.change(one.done, { version: other.done.version })
      return true
    },
  },
  {
    name: 'an unknown write is on one member alone',
    by: [2],
    harm: draft => {
      const unknown = new Set(draft.all('unknown').map(({ request }) => request))
      const asked = draft.all('invoke').filter(line => unknown.has(line.request))
      const blobs = new Set(asked.map(({ blob }) => blob))
      const [first, ...others] = draft.settled()
      const fact = first!.facts!.find(({ blob }) => blob !== null && blobs.has(blob))
      if (fact === undefined) return false
      for (const dump of others) {
        if (dump.member === first!.member) continue
        draft.refact(dump, facts => facts.filter(({ version }) => version !== fact.version))
      }
      return true
    },
  },
  {
    name: 'bytes are read that nobody wrote',
    by: [2],
    harm: draft => {
      const read = draft.pick(
        draft.all('done').filter(({ blob, version }) => blob !== null && version !== null),
      )
      if (read === null) return false
      draft.change(read, { blob: hashOf('never written') })
      return true
    },
  },
  {
    name: 'a condition was not kept',
    by: [0, 3],
    harm: draft => {
      const write = draft.pick(draft.writes().filter(({ asked }) => asked.ifVersion !== undefined))
      if (write === null) return false
      draft.change(write.asked, { ifVersion: hashOf('another head') })
      return true
    },
  },
  {
    name: 'a read goes back',
    by: [3],
    harm: draft => {
      const step = someStep(draft)
      const done = draft.all('done').find(({ version }) => version === step?.newer.version)
      if (step === null || done === undefined || done.level === null) return false
      const { member } = draft.asked(done.request)
      const { id, version, blob } = step.older
      exchange(draft, done, { member, op: 'get', id }, { version, blob })
      return true
    },
  },
  {
    name: 'an item that was shown is gone',
    by: [3],
    harm: draft => {
      const heads = new Set(draft.settled()[0]!.items!.map(({ version }) => version))
      const shown = draft.writes().filter(({ asked, done }) => {
        return heads.has(done.version!) && !asked.id.includes('~')
      })
      const write = draft.pick(shown)
      if (write === null) return false
      const { member, id } = write.asked
      exchange(draft, write.done, { member, op: 'get', id }, { kind: 'refused', code: 'NOT_FOUND' })
      return true
    },
  },
  {
    name: 'two writes at one member lie side by side',
    by: [7],
    harm: draft => {
      const { facts } = draft.settled()[0]!
      const writes = draft.writes().filter(({ asked }) => !asked.id.includes('~'))
      const parentsOf = (version: string | null) =>
        facts!.find(fact => fact.version === version)?.parents.join() ?? null
      const pairs = writes.flatMap(one =>
        writes
          .filter(({ asked, done }) => {
            const isSame = asked.id === one.asked.id && done.version !== one.done.version
            const isSide = parentsOf(done.version) === parentsOf(one.done.version)
            return isSame && isSide && asked.member !== one.asked.member
          })
          .map(other => [one, other] as const),
      )
      const pair = draft.pick(pairs)
      if (pair === null) return false
      const [{ asked: kept }, { asked, done }] = pair
      draft.change(asked, { member: kept.member })
      draft.change(done, { heldBy: [kept.member], level: 'pending' })
      return true
    },
  },
  {
    name: 'a condition is refused that held all along',
    by: [7],
    harm: draft => {
      const shown = draft.settled()[0]!.items!
      const own = shown.filter(({ id, blob }) => id.startsWith('own/') && blob !== null)
      const item = draft.pick(own.filter(({ id }) => !id.includes('~')))
      if (item === null) return false
      const member = item.id.slice('own/'.length)
      const isDestroyed = draft.all('fault').some(({ destroyed }) => destroyed.includes(member))
      const isRetried = draft.all('invoke').some(({ id, request }) => {
        const same = draft.all('invoke').filter(line => line.request === request)
        return id === item.id && same.length > 1
      })
      if (isDestroyed || isRetried) return false
      const ifVersion = item.version
      const asked = { member, op: 'put', id: item.id, ifVersion, blob: hashOf('in vain') } as const
      const end = { kind: 'refused', code: 'VERSION_MISMATCH' } as const
      exchange(draft, draft.lines.at(-1)!, asked, end)
      return true
    },
  },
  {
    name: 'what was deleted is shown again',
    by: [8],
    harm: draft => {
      const last = draft.settled().at(-1)!
      const ended = last.items!.filter(({ blob, id }) => blob === null && !id.includes('~'))
      const item = draft.pick(ended)
      const value = last.facts!.find(({ id, blob }) => id === item?.id && blob !== null)
      const isAlone = !last.facts!.some(({ id }) => id.startsWith(`${item?.id}~`))
      const done = draft.all('done').some(({ version }) => version === value?.version)
      if (value === undefined || !isAlone || !done) return false
      const { id, version, blob } = value
      exchange(draft, last, { member: 'a', op: 'get', id }, { version, blob })
      return true
    },
  },
]
