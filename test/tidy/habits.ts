/**
 * The habits of every source: errors are never swallowed, files stay short and say at their top
 * what they are for, nothing hides behind `any` or a default export, and what is left to do has an
 * issue. Rules that the linter holds already (line length, unused names) are not repeated here.
 */
import { type Finding, findAll, type Source } from './sources.ts'

/** A file of 300 lines is the aim; beyond this it is two ideas. */
export const linesMax = 400
/** Of a header comment, the lines of its marks included. */
const headerLines = { min: 3, max: 14 }

interface Habit {
  readonly part: 'code' | 'comments'
  readonly pattern: RegExp
  readonly sentence: string
}

const habits: readonly Habit[] = [
  {
    part: 'code',
    pattern: /\bcatch\s*(?:\([^()]*\)\s*)?\{\s*\}/g,
    sentence: 'an empty catch swallows an error',
  },
  {
    part: 'code',
    pattern: /\bexport\s+default\b|\bas\s+default\b/g,
    sentence: 'a default export has no name to search for',
  },
  { part: 'code', pattern: /\benum\s+[\w$]+\s*\{/g, sentence: 'an enum is no plain data' },
  {
    part: 'code',
    pattern: /(?<![\w$.])any(?![\w$]|\s*\??:)/g,
    sentence: '`any` turns the compiler off; use `unknown`',
  },
  {
    part: 'code',
    pattern: /\b(?:it|test|describe|bench)(?:\.\w+)*\.only\b/g,
    sentence: '`.only` leaves all other tests out',
  },
  {
    part: 'comments',
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b(?!\s*\(?#\d)/g,
    sentence: 'work that is left names its issue (#12)',
  },
]

/** A promise whose failure is told elsewhere may be quieted, if the same line says where. */
const quieted =
  /\.catch\(\s*(?:async\s*)?(?:\([^()]*\)|[\w$]+)\s*=>\s*(?:\{\s*\}|undefined\b|null\b|void 0\b)/g

/** What a source does that none of ours should. */
export function checkHabits(source: Source): Finding[] {
  const found = habits.flatMap(({ part, pattern, sentence }) =>
    findAll(source, part, pattern, () => sentence),
  )
  return [...found, ...checkQuieted(source), ...checkBarrel(source)]
}

/** Whether a source of the product is short enough and says what it is for. */
export function checkShape(source: Source): Finding[] {
  const findings: Finding[] = []
  const report = (line: number, sentence: string) =>
    findings.push({ path: source.path, line, sentence })
  const lines = source.text.split('\n').length - (source.text.endsWith('\n') ? 1 : 0)
  if (lines > linesMax) report(linesMax + 1, `${lines} lines, at most ${linesMax}: split by idea`)
  const header = /^(?:#![^\n]*\n)?\s*\/\*\*([\s\S]*?)\*\//.exec(source.text)
  const headerLength = header?.[1]?.split('\n').length ?? 0
  if (header === null) report(1, 'no header comment: what is it for, what must it never do?')
  else if (headerLength < headerLines.min || headerLength > headerLines.max)
    report(1, `a header of ${headerLength} lines; three to twelve say enough`)
  return findings
}

function checkQuieted(source: Source): Finding[] {
  const comments = source.comments.split('\n')
  return findAll(
    source,
    'code',
    quieted,
    () => 'a catch that answers nothing swallows an error; say on its line who is told',
  ).filter(({ line }) => !/\w{3}/.test(comments[line - 1] ?? ''))
}

function checkBarrel(source: Source): Finding[] {
  if (source.path === 'src/index.ts') return []
  return findAll(source, 'code', /\bexport\s*\*/g, () => 'a barrel hides where things come from')
}
