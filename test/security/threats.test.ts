/** SECURITY.md is true: the tests that it cites exist, and each test of this folder is cited there. */
import { expect, test } from 'vitest'
import { findUncovered, readCitations } from '../requirements/citations.ts'
import { filesUnder, read } from '../tidy/sources.ts'

const sources = new Map(
  filesUnder('test')
    .filter(path => path.endsWith('.ts'))
    .map(path => [path, read(path)]),
)
const citations = readCitations(read('SECURITY.md'))

test('every threat cites tests that are in the files beside them', () => {
  expect(citations.length).toBeGreaterThan(25)
  expect(findUncovered(citations, sources)).toEqual([])
})

test('every file of threats is cited', () => {
  const cited = new Set(citations.flatMap(({ files }) => files))
  const own = [...sources.keys()].filter(path => /^test\/security\/.*\.test\.ts$/.test(path))
  expect(own.length).toBeGreaterThan(5)
  expect(own.filter(path => !cited.has(path) && !path.endsWith('threats.test.ts'))).toEqual([])
})
