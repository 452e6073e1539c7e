/**
 * The list of requirements against the tests: reads docs/requirements.md and the titles of all
 * tests, and says where the two tell different stories. Titles are read from the sources, so a
 * listed test cannot hide behind a condition that keeps it from being collected.
 */
import { scan } from '../tidy/scan.ts'

/** One row of the table. */
export interface Row {
  readonly id: string
  readonly sections: readonly string[]
  readonly statement: string
  readonly state: string
  readonly tests: readonly Listed[]
  readonly size: string
}

interface Listed {
  readonly file: string
  readonly title: string
}

/** A title of a test or of a group of tests, as written in the source. */
export interface Title {
  readonly file: string
  readonly text: string
}

/** How many rows the specification has. */
export const rowsCount = 34

const cellBreak = /(?<!\\)\|/

/** The rows of the table in docs/requirements.md. */
export function readRows(markdown: string): Row[] {
  const lines = markdown.split('\n').filter(line => /^\|\s*S003-/.test(line))
  return lines.map(line => {
    const cells = line.split(cellBreak).map(cell => cell.replaceAll('\\|', '|').trim())
    const [, id = '', sections = '', statement = '', state = '', tests = '', size = ''] = cells
    return {
      id,
      sections: sections === '–' ? [] : sections.split(/,\s*/),
      statement,
      state: state.replaceAll('*', ''),
      tests: tests === '' ? [] : tests.split(/<br>\s*/).map(readListed),
      size,
    }
  })
}

function readListed(text: string): Listed {
  const match = /^`([^`]+)`:?\s+(.+)$/.exec(text)
  return { file: match?.[1] ?? '', title: match?.[2] ?? text }
}

/** The titles of all tests and groups in one source. */
export function readTitles(file: string, text: string): Title[] {
  const { code } = scan(text)
  return [...code.matchAll(/(?<![\w$.])(?:it|test|describe)(?:\.[\w$]+)*(?=\()/g)].flatMap(
    match => {
      const from = titleStart(code, match.index + match[0].length)
      if (from === null) return []
      return [{ file, text: literal(text, code, from) }]
    },
  )
}

/** Goes over the argument lists of `it.each(…)(…)` to the one that begins with a title. */
function titleStart(code: string, from: number): number | null {
  let at = from
  while (code[at] === '(') {
    const inside = at + 1 + /^\s*/.exec(code.slice(at + 1))![0].length
    if (/['"`]/.test(code[inside] ?? '')) return inside
    at = closing(code, at) + 1
  }
  return null
}

function closing(code: string, from: number): number {
  let depth = 0
  for (let at = from; at < code.length; at++) {
    if (code[at] === '(') depth++
    if (code[at] === ')' && --depth === 0) return at
  }
  return code.length
}

function literal(text: string, code: string, from: number): string {
  const quote = code[from]!
  let at = from + 1
  while (at < code.length && code[at] !== quote) at++
  return text.slice(from + 1, at).replace(/\\(['"`])/g, '$1')
}

const rowName = /S003-\d+/g

/** The rows that a title names. */
export function rowsOf(title: string): string[] {
  return [...new Set(title.match(rowName) ?? [])]
}

/** What a title says after the rows at its beginning. */
export function sentenceOf(title: string): string {
  return title.replace(/^S003-\d+(?:(?:,| and) S003-\d+)*:\s*/, '')
}

/** Where list, specification and tests contradict each other; empty when they agree. */
export function compare(rows: readonly Row[], titles: readonly Title[], sections: Set<string>) {
  const problems: string[] = []
  const wanted = Array.from({ length: rowsCount }, (_, i) => `S003-${i + 1}`)
  const listed = rows.map(row => row.id)
  if (listed.join() !== wanted.join()) problems.push(`the list has the rows ${listed.join(', ')}`)
  for (const title of titles) {
    const named = rowsOf(title.text)
    if (named.length > 2) problems.push(`${title.file}: more than two rows in "${title.text}"`)
    for (const id of named)
      if (!wanted.includes(id)) problems.push(`${title.file}: there is no row ${id}`)
  }
  for (const row of rows) problems.push(...compareRow(row, titles, sections))
  return problems
}

function compareRow(row: Row, titles: readonly Title[], sections: Set<string>): string[] {
  const problems: string[] = []
  if (row.statement === '') problems.push(`${row.id} states nothing`)
  for (const section of row.sections)
    if (!sections.has(section)) problems.push(`${row.id} cites a section ${section} that is none`)
  const naming = titles.filter(title => rowsOf(title.text).includes(row.id))
  const isThere = ({ file, title }: Listed) =>
    naming.some(own => own.file === file && sentenceOf(own.text) === title)
  for (const entry of row.tests)
    if (!isThere(entry)) problems.push(`${row.id}: no test "${entry.title}" in ${entry.file}`)
  if (row.state === 'open') return problems
  if (row.state !== 'proven') return [...problems, `${row.id} is neither open nor proven`]
  if (row.tests.length === 0) problems.push(`${row.id} is called proven and lists no test`)
  if (row.size === '') problems.push(`${row.id} is called proven and says no size`)
  for (const { file, text } of naming) {
    const isListed = row.tests.some(own => own.file === file && own.title === sentenceOf(text))
    if (!isListed) problems.push(`${row.id} does not list "${sentenceOf(text)}" in ${file}`)
  }
  return problems
}
