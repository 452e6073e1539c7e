/**
 * docs/requirements.md is true: all 34 rows are there, what is called proven lists tests that exist
 * and name the row, and no title claims more than two rows. docs/guarantees.md and docs/bugs.md
 * cite tests that exist.
 */
import { describe, expect, it } from 'vitest'
import { findUncovered, readCitations } from './requirements/citations.ts'
import { compare, type Row, readRows, readTitles, rowsCount, rowsOf } from './requirements/list.ts'
import { filesUnder, read } from './tidy/sources.ts'

const rows = readRows(read('docs/requirements.md'))
const specification = new Set(
  read('docs/specification.md')
    .split('\n')
    .flatMap(line => /^(\d+\.\d+)\. /.exec(line)?.[1] ?? []),
)
const titles = ['test', 'sim']
  .flatMap(folder => filesUnder(folder))
  .filter(path => path.endsWith('.test.ts') && path !== 'test/requirements.test.ts')
  .flatMap(path => readTitles(path, read(path)))

describe('the list of requirements', () => {
  it('agrees with the tests and with the specification', () => {
    expect(titles.length).toBeGreaterThan(20)
    expect(compare(rows, titles, specification)).toEqual([])
  })

  it('cites every section of the specification', () => {
    expect(specification.size).toBeGreaterThan(50)
    const cited = new Set(rows.flatMap(row => row.sections))
    expect([...specification].filter(section => !cited.has(section))).toEqual([])
  })
})

describe('the lists of guarantees and of bugs', () => {
  const sources = new Map(
    ['test', 'sim']
      .flatMap(folder => filesUnder(folder))
      .filter(path => path.endsWith('.ts'))
      .map(path => [path, read(path)]),
  )

  it('cites titles of tests that are in the files beside them', () => {
    for (const document of ['docs/guarantees.md', 'docs/bugs.md']) {
      const citations = readCitations(read(document))
      expect(citations.flatMap(({ titles }) => titles).length).toBeGreaterThan(20)
      expect(findUncovered(citations, sources)).toEqual([])
    }
  })

  it('is found out when a title or a file is none', () => {
    const hole = '$' + '{n}'
    const source = `it('holds for good', f)
it(\`n = ${hole}: b\`, f)`
    const texts = new Map([['test/a.test.ts', source]])
    const check = (text: string) => findUncovered(readCitations(text), texts)
    expect(check('| "holds for good"; "n = …: b" | `a.test.ts` |')).toEqual([])
    expect(check('so it says, "holds\nfor good" (`test/a.test.ts`)')).toEqual([])
    expect(check('| "holds" | `test/a.test.ts` |')).toHaveLength(1)
    expect(check('| "holds for good" | `test/b.test.ts` |')).toHaveLength(2)
    expect(check('| "holds for good" | `b.test.ts`, `a.test.ts` |')).toEqual([
      'there is no b.test.ts',
    ])
    expect(check('a "word" in passing')).toEqual([])
  })
})

describe('the comparison', () => {
  const file = 'test/a.test.ts'
  const list = (change: Partial<Row> = {}): Row[] =>
    Array.from({ length: rowsCount }, (_, i) => ({
      id: `S003-${i + 1}`,
      sections: ['1.1'],
      statement: 'a statement',
      state: 'open',
      tests: [],
      size: '',
      ...(i === 0 ? change : {}),
    }))
  const proven: Partial<Row> = { state: 'proven', tests: [{ file, title: 'it holds' }], size: '3' }
  const check = (all: readonly Row[], ...texts: readonly string[]) =>
    compare(
      all,
      texts.map(text => ({ file, text })),
      new Set(['1.1']),
    )

  it('takes a list of open rows, and a row that is proven', () => {
    expect(check(list())).toEqual([])
    expect(check(list(), 'S003-1: it holds partly')).toEqual([])
    expect(check(list(proven), 'S003-1: it holds')).toEqual([])
    expect(check(list(proven), 'S003-1, S003-2: it holds')).toEqual([])
  })

  it.each<[string, Row[], string[]]>([
    ['a missing row', list().slice(1), []],
    ['a row that states nothing', list({ statement: '' }), []],
    ['a section that is none', list({ sections: ['9.9'] }), []],
    ['a proof that does not exist', list(proven), []],
    ['a proof that names another row', list(proven), ['S003-2: it holds']],
    ['a proven row without a test', list({ ...proven, tests: [] }), []],
    ['a proven row without a size', list({ ...proven, size: '' }), ['S003-1: it holds']],
    ['a test left out', list(proven), ['S003-1: it holds', 'S003-1: more']],
    ['an unknown state', list({ state: 'nearly' }), []],
    ['an open row that lists what is not there', list({ ...proven, state: 'open' }), []],
    ['a title with three rows', list(), ['S003-1, S003-2, S003-3: much']],
    ['a title with a row that is none', list(), ['S003-35: new']],
  ])('finds %s', (_name, all, texts) => {
    expect(check(all, ...texts)).toHaveLength(1)
  })

  it('reads rows with several tests', () => {
    const line =
      '| S003-6 | 2.2, 2.3 | says | **proven** | `test/a.test.ts` it \\| holds<br>`sim/b.test.ts` so | 9 |'
    expect(readRows(`| row | |\n|---|---|\n${line}\n`)).toEqual([
      {
        id: 'S003-6',
        sections: ['2.2', '2.3'],
        statement: 'says',
        state: 'proven',
        tests: [
          { file: 'test/a.test.ts', title: 'it | holds' },
          { file: 'sim/b.test.ts', title: 'so' },
        ],
        size: '9',
      },
    ])
  })

  it('reads titles of every form, and none from a comment or a text', () => {
    const hole = '$' + '{x}'
    const text = [
      "describe('S003-1: a', () => {",
      '  it("b", f)',
      "  test.each([[1, '(']])('c %s', f)",
      `  it.skipIf(g())(\`d ${hole}\`, f)`,
      "  // it('e', f)",
      `  const h = "it('i', f)"`,
      '  it(',
      "    'j isn\\'t',",
      '  f)',
      '})',
    ].join('\n')
    const found = readTitles(file, text).map(title => title.text)
    expect(found).toEqual(['S003-1: a', 'b', 'c %s', `d ${hole}`, "j isn't"])
    expect(found.flatMap(rowsOf)).toEqual(['S003-1'])
  })
})
