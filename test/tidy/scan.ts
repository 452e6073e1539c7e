/**
 * Splits a TypeScript source into what the compiler reads and what people read, so that a rule
 * about code never trips over a comment or a text, and a rule about comments never over code. The
 * parts have the length of the source: an offset in one is the same offset in all. It is a
 * scanner, not a parser: it knows strings, templates, comments and regular expressions.
 */

/** The parts of one source; what does not belong to a part is blank there, line ends stay. */
export interface Scanned {
  /** Code with the insides of strings, templates and regular expressions blanked. */
  readonly code: string
  /** Comments alone, with their marks. */
  readonly comments: string
  /** The insides of strings and templates alone. */
  readonly strings: string
}

/** After one of these words a slash begins a regular expression. */
const beforeRegex =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|instanceof|yield|await)$/

/** Splits a source. Never fails: what it cannot make sense of counts as code. */
export function scan(text: string): Scanned {
  const code = blank(text)
  const comments = blank(text)
  const strings = blank(text)
  const braces: number[] = [] // depth of braces inside each open template expression
  let at = 0
  const keep = (part: string[], end: number) => {
    for (; at < end; at++) part[at] = text[at]!
  }
  while (at < text.length) {
    const two = text.slice(at, at + 2)
    const one = text[at]!
    if (two === '//') keep(comments, ending(text, '\n', at))
    else if (two === '/*') keep(comments, ending(text, '*/', at + 2) + 2)
    else if (one === "'" || one === '"') {
      keep(code, at + 1)
      keep(strings, quoteEnd(text, at, one))
      keep(code, at + 1)
    } else if (one === '`' || (one === '}' && braces.at(-1) === 0)) {
      if (one === '}') braces.pop()
      keep(code, at + 1)
      keep(strings, templateEnd(text, at))
      if (text[at] === '$') braces.push(0)
      keep(code, text[at] === '$' ? at + 2 : at + 1)
    } else if (one === '/' && isRegexPlace(code, at)) {
      keep(code, at + 1)
      at = regexEnd(text, at)
      keep(code, at + 1)
    } else {
      if (one === '{' && braces.length > 0) braces[braces.length - 1]! += 1
      if (one === '}' && braces.length > 0) braces[braces.length - 1]! -= 1
      keep(code, at + 1)
    }
  }
  return { code: joined(code), comments: joined(comments), strings: joined(strings) }
}

/** The line (from 1) of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let i = 0; i < offset; i++) if (text[i] === '\n') line++
  return line
}

function blank(text: string): string[] {
  return Array.from({ length: text.length }, (_, i) => (text[i] === '\n' ? '\n' : ' '))
}

function joined(part: readonly string[]): string {
  return part.join('')
}

function ending(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found < 0 ? text.length : found
}

function quoteEnd(text: string, from: number, quote: string): number {
  let at = from
  while (at < text.length && text[at] !== quote && text[at] !== '\n')
    at += text[at] === '\\' ? 2 : 1
  return Math.min(at, text.length)
}

function templateEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== '`' && text.slice(at, at + 2) !== '${')
    at += text[at] === '\\' ? 2 : 1
  return Math.min(at, text.length)
}

function regexEnd(text: string, from: number): number {
  let at = from
  let inClass = false
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true
    else if (text[at] === ']') inClass = false
    at += text[at] === '\\' ? 2 : 1
  }
  return Math.min(at, text.length)
}

function isRegexPlace(code: readonly string[], at: number): boolean {
  const before = code
    .slice(Math.max(0, at - 80), at)
    .join('')
    .trimEnd()
  if (before === '') return true
  return /[(,=:[!&|?{};+\-*%<>~^]$/.test(before) || beforeRegex.test(before)
}
