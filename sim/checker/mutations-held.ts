/**
 * Mutations, first part: lies about disks and facts. A mutation takes a good history and makes one
 * lie of it, as a broken member, disk or recorder would. The checker must catch every one, and by
 * the check that is there for it.
 */
import type { Draft, Mutation } from './draft.ts'
import type { DumpFact, DumpLine, HoldLine } from './format.ts'
import { dataHashOf, hashOf, versionOf } from './hashes.ts'

const isHead = (facts: readonly DumpFact[], fact: DumpFact) =>
  !facts.some(other => other.id === fact.id && other.parents.includes(fact.version))

/** A fact of a settled dump that some test lets in. */
function someFact(draft: Draft, test: (fact: DumpFact, dump: DumpLine) => boolean) {
  const dump = draft.pick(draft.settled())
  const fact = draft.pick((dump?.facts ?? []).filter(one => test(one, dump!)))
  return fact === null ? null : { dump: dump!, fact }
}

function replaced(facts: readonly DumpFact[], old: DumpFact, changes: Partial<DumpFact>) {
  return facts.map(fact =>
    fact.id === old.id && fact.version === old.version ? { ...fact, ...changes } : fact,
  )
}

function without(facts: readonly DumpFact[], gone: DumpFact) {
  return facts.filter(fact => fact.id !== gone.id || fact.version !== gone.version)
}

/** Changes one fact in one settled dump, or in every dump. */
function onFact(
  where: 'one' | 'all',
  change: (fact: DumpFact) => Partial<DumpFact> | null,
): (draft: Draft) => boolean {
  return draft => {
    const found = someFact(draft, fact => change(fact) !== null)
    if (found === null) return false
    const harm = (facts: DumpFact[]) => replaced(facts, found.fact, change(found.fact)!)
    if (where === 'all') draft.refactAll(harm)
    else draft.refact(found.dump, harm)
    return true
  }
}

const flipped = (hash: string) => (hash[0] === 'f' ? 'e' : 'f') + hash.slice(1)

/** Lies about what disks hold. */
const diskMutations: readonly Mutation[] = [
  {
    name: 'an acknowledged head is dropped from one dump in the end',
    by: [1, 4],
    harm: draft => {
      const found = someFact(draft, (fact, { facts }) => isHead(facts!, fact))
      if (found === null) return false
      draft.refact(found.dump, facts => without(facts, found.fact))
      return true
    },
  },
  {
    name: 'an acknowledged head is lost everywhere',
    by: [1],
    harm: draft => {
      const done = new Set(draft.writes().map(({ done }) => done.version))
      const found = someFact(draft, (fact, { facts }) => {
        return isHead(facts!, fact) && done.has(fact.version)
      })
      if (found === null) return false
      draft.refactAll(facts => without(facts, found.fact))
      const lost = (line: HoldLine) => line.version === found.fact.version
      for (const line of draft.all('hold').filter(lost)) draft.remove(line)
      return true
    },
  },
  {
    name: 'an ancestor is lost everywhere in the end',
    by: [1, 3],
    harm: draft => {
      const found = someFact(draft, (fact, { facts }) => !isHead(facts!, fact))
      if (found === null) return false
      for (const dump of draft.settled()) draft.refact(dump, facts => without(facts, found.fact))
      return true
    },
  },
  {
    name: 'a crash takes what was durable',
    by: [1],
    harm: draft => {
      const crashes = draft.all('dump').filter(({ moment }) => moment === 'crash')
      const crash = draft.pick(crashes.filter(({ facts }) => facts!.length > 0))
      if (crash === null) return false
      const fact = draft.dice.pick(crash.facts!)
      draft.refact(crash, facts => without(facts, fact))
      return true
    },
  },
  {
    name: 'a payload is gone from one disk',
    by: [1],
    harm: onFact('one', ({ blob }) => (blob === null ? null : { payload: null })),
  },
  {
    name: 'a member is rolled back',
    by: [1, 4],
    harm: draft => {
      const dump = draft.pick(draft.settled())!
      const facts = [...dump.facts!].sort((a, b) => (a.at < b.at ? -1 : 1))
      if (facts.length < 6) return false
      draft.refact(dump, () => facts.slice(0, -draft.dice.int(2, 5)))
      return true
    },
  },
  {
    name: 'it is answered before it is durable',
    by: [1],
    harm: draft => {
      const write = draft.pick(draft.writes().filter(({ done }) => done.heldBy.length > 0))
      if (write === null) return false
      const { version, heldBy } = write.done
      const holds = draft.all('hold').filter(line => {
        const isOf = line.version === version && heldBy.includes(line.member)
        return isOf && line.seq < write.done.seq
      })
      const member = draft.pick(holds)?.member
      const moved = holds.filter(line => line.member === member)
      const isDumped = draft.all('dump').some(dump => {
        const isBetween = dump.seq > (moved[0]?.seq ?? 0) && dump.seq < write.done.seq
        return dump.member === member && isBetween
      })
      if (moved.length === 0 || isDumped) return false
      for (const line of moved) draft.remove(line)
      const { atMs } = write.done
      draft.insert(
        write.done,
        moved.map(line => ({ ...line, atMs })),
      )
      return true
    },
  },
  {
    name: 'a majority is told and too few are named',
    by: [1],
    harm: draft => {
      const told = draft.writes().filter(({ done }) => done.level === 'majority')
      const write = draft.pick(told.filter(({ done }) => done.heldBy.length > 1))
      if (write === null) return false
      draft.change(write.done, { heldBy: [write.asked.member] })
      return true
    },
  },
  {
    name: 'a holder is named that has nothing',
    by: [1],
    harm: draft => {
      const write = draft.pick(draft.writes().filter(({ done }) => done.level === 'pending'))
      const begin = draft.all('begin')[0]!
      const other = begin.members.find(member => !write?.done.heldBy.includes(member))
      if (write === null || other === undefined) return false
      const isHeld = draft.all('hold').some(line => {
        const isOf = line.version === write.done.version && line.member === other
        return isOf && line.seq < write.done.seq
      })
      if (isHeld) return false
      draft.change(write.done, { heldBy: [...write.done.heldBy, other] })
      return true
    },
  },
  {
    name: 'the fault that destroyed a disk is not told',
    by: [1],
    harm: draft => {
      const fault = draft.pick(draft.all('fault').filter(({ destroyed }) => destroyed.length > 0))
      const member = fault?.destroyed[0]
      const before = draft.all('hold').some(hold => {
        return hold.member === member && hold.seq < fault!.seq
      })
      if (fault === null || !before) return false
      draft.change(fault, { destroyed: [] })
      return true
    },
  },
]

/** Lies about what facts are. */
const factMutations: readonly Mutation[] = [
  {
    name: 'a parent is swapped',
    by: [3],
    harm: onFact('all', ({ parents }) =>
      parents.length === 0 ? null : { parents: [flipped(parents[0]!), ...parents.slice(1)] },
    ),
  },
  {
    name: 'a digit of a version',
    by: [3],
    harm: onFact('one', ({ version }) => ({ version: flipped(version) })),
  },
  {
    name: 'a digit of a dataHash',
    by: [3],
    harm: onFact('all', ({ dataHash }) => ({ dataHash: flipped(dataHash) })),
  },
  {
    name: 'a property is changed',
    by: [3],
    harm: onFact('all', ({ blob }) =>
      blob === null ? null : { description: 'not what was said' },
    ),
  },
  {
    name: 'bytes of a payload are flipped',
    by: [3],
    harm: onFact('one', ({ blob, size }) =>
      blob === null ? null : { payload: { kind: 'hash', hash: flipped(blob), size } },
    ),
  },
  {
    name: 'a payload is cut short',
    by: [3],
    harm: onFact('one', ({ blob, size }) =>
      blob === null ? null : { payload: { kind: 'hash', hash: blob, size: size - 1 } },
    ),
  },
  {
    name: 'a base names other heads',
    by: [3],
    harm: onFact('all', ({ base }) =>
      base === null ? null : { base: base.map(({ id, heads }) => ({ id, heads: [heads[0]!] })) },
    ),
  },
  {
    name: 'a stamp differs at one member',
    by: [4],
    harm: onFact('one', ({ at }) => ({ at: `0${at.slice(1, 15)}0` })),
  },
  { name: 'a fact stays pending', by: [4], harm: onFact('one', () => ({ added: null })) },
  {
    name: 'somebody else accepted it',
    by: [2],
    harm: onFact('all', ({ by }) => ({ by: `${by}, not` })),
  },
  {
    name: 'a well-made fact that nobody wrote',
    by: [2],
    harm: draft => {
      const found = someFact(draft, (fact, { facts }) => {
        return fact.blob !== null && !fact.id.includes('~') && isHead(facts!, fact)
      })
      if (found === null) return false
      const forged = upon(found.fact, { blob: hashOf('forged'), size: 6 })
      for (const dump of draft.settled()) draft.refact(dump, facts => [...facts, forged])
      return true
    },
  },
  {
    name: 'one question makes two versions',
    by: [2],
    harm: draft => {
      const kept = draft.all('invoke').filter(({ op, blob }) => op === 'resolve' && blob === null)
      const asked = draft.all('invoke').map(({ request }) => request)
      const once = new Set(
        draft.writes().flatMap(({ asked: { request, id, blob } }) => {
          const isOnce = asked.filter(other => other === request).length === 1
          return isOnce && !kept.some(resolve => resolve.id === id) ? [blob] : []
        }),
      )
      const found = someFact(draft, (fact, { facts }) => {
        return once.has(fact.blob) && !fact.id.includes('~') && isHead(facts!, fact)
      })
      if (found === null) return false
      const doubled = upon(found.fact, {})
      for (const dump of draft.settled()) draft.refact(dump, facts => [...facts, doubled])
      return true
    },
  },
]

/** A well-made child of a fact. */
function upon(fact: DumpFact, changes: Partial<DumpFact>): DumpFact {
  const child = { ...fact, ...changes, parents: [fact.version], base: null }
  const dataHash = dataHashOf(child)
  const { blob, size } = child
  return {
    ...child,
    dataHash,
    version: versionOf(fact.id, child.parents, dataHash),
    payload: { kind: 'hash', hash: blob!, size },
  }
}

/** All that concern disks and facts. */
export const heldMutations: readonly Mutation[] = [...diskMutations, ...factMutations]
