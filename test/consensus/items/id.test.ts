import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareText } from '../../../src/base/bytes.ts'
import { limits } from '../../../src/base/limits.ts'
import {
  escapeName,
  familyRange,
  isBelow,
  parentId,
  parseId,
  rootOf,
  splitIdsOnPath,
} from '../../../src/consensus/items/id.ts'

const read: [string, string, string[]][] = [
  ['report', 'report', []],
  ['a/b/c.txt', 'a/b/c.txt', []],
  ['report~3', 'report', ['3']],
  ['report~3~a', 'report', ['3', 'a']],
  ['a~~b', 'a~~b', []],
  ['a~~', 'a~~', []],
  ['a~~~3', 'a~~', ['3']],
  ['a~~~~', 'a~~~~', []],
  ['a~~3', 'a~~3', []],
  ['~~', '~~', []],
  ['папка/файл 1', 'папка/файл 1', []],
  ['...', '...', []],
]
test.each(read)('the id %s is read as %s with the steps %s', (id, root, steps) => {
  expect(parseId(id)).toEqual({ ok: true, id, root, steps })
  expect(rootOf(id)).toBe(root)
})

const refused: [string, string][] = [
  ['', 'empty'],
  ['a~', 'a single tilde at the end'],
  ['a~x', 'a tilde before no hex digit'],
  ['a~A', 'an upper-case digit'],
  ['a~3b', 'a step that is not at the very end'],
  ['a~3/b', 'a step inside the path'],
  ['a~~~', 'a tilde left over'],
  ['a~3~', 'a tilde after a step'],
  ['a~3~~', 'a doubled tilde after a step'],
  ['~3', 'a step without a name'],
  ['/a', 'a leading slash'],
  ['a/', 'a trailing slash'],
  ['a//b', 'an empty segment'],
  ['.', 'a dot'],
  ['a/..', 'two dots'],
  ['../a~3', 'two dots before a step'],
  ['a\u0000', 'a control character'],
  ['a\nb', 'a line break'],
  ['a\u007f', 'DEL'],
  ['a\u0085', 'a C1 control'],
  ['\u0001roster', 'a system id'],
  ['a\ud800', 'half a surrogate pair'],
]
test.each(refused)('the id %j is refused: %s', id => {
  const parsed = parseId(id)
  expect(parsed.ok).toBe(false)
  if (!parsed.ok) expect(parsed.sentence).toMatch(/^The id .*\.$/s)
})

test('an id of 1,024 bytes is allowed, one of 1,025 is not, counted in UTF-8', () => {
  expect(parseId('x'.repeat(limits.idBytesMax)).ok).toBe(true)
  expect(parseId('x'.repeat(limits.idBytesMax + 1)).ok).toBe(false)
  expect(parseId('é'.repeat(limits.idBytesMax / 2)).ok).toBe(true)
  expect(parseId(`${'é'.repeat(limits.idBytesMax / 2)}x`).ok).toBe(false)
})

test('every name that a file can have is a root id when its tildes are doubled', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('~', 'a', '3', 'x', 'é') }), name => {
      if (name === '') return
      const id = escapeName(name)
      expect(parseId(id)).toEqual({ ok: true, id, root: id, steps: [] })
      expect(id.replaceAll('~~', '~')).toBe(name)
      const step = `${id}~3~a`
      expect(parseId(step)).toEqual({ ok: true, id: step, root: id, steps: ['3', 'a'] })
      expect(splitIdsOnPath(step)).toEqual([id, `${id}~3`])
      expect(parentId(step)).toBe(`${id}~3`)
      expect(parentId(id)).toBeUndefined()
    }),
  )
})

test('the family range holds all split ids of a root and no other id', () => {
  const unit = fc.constantFrom('~', 'a', '3', 'f', '0', 'g', '/', 'é')
  const id = fc.string({ unit, minLength: 1, maxLength: 7 }).filter(text => parseId(text).ok)
  fc.assert(
    fc.property(id, id, (root, other) => {
      fc.pre(rootOf(root) === root)
      const { from, until } = familyRange(root)
      const isInside = compareText(from, other) <= 0 && compareText(other, until) < 0
      expect(isInside).toBe(rootOf(other) === root && other !== root)
      expect(isInside).toBe(isBelow(other, root))
    }),
    {
      numRuns: 3000,
      examples: [
        ['a', 'a~3'],
        ['a', 'a~~~3'],
        ['a~~', 'a~~~f'],
        ['a', 'a~f~f'],
      ],
    },
  )
})
