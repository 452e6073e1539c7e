/**
 * The repository as the tidy rules see it: its files by path, and of each TypeScript file its
 * parts and its import lines. Paths are relative to the repository's root, with forward slashes.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lineAt, type Scanned, scan } from './scan.ts'

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** One arrow: a file names another module. */
export interface Import {
  /** As written: `../base/hash.ts`, `node:fs`, `level`. */
  readonly specifier: string
  /** The file it names, for a relative one; otherwise null. */
  readonly target: string | null
  /** The compiler erases it. */
  readonly isType: boolean
  readonly line: number
}

/** A TypeScript file, taken apart. */
export interface Source extends Scanned {
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

/** A broken rule and where. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly sentence: string
}

/** One line for a person. */
export function say(finding: Finding): string {
  return `${finding.path}:${finding.line} ${finding.sentence}`
}

/** Takes a text apart as the source at `path`. */
export function sourceOf(path: string, text: string): Source {
  const parts = scan(text)
  return { path, text, ...parts, imports: importsOf(path, text, parts) }
}

/** Every match of a pattern in one part of a source, as findings. */
export function findAll(
  source: Source,
  part: keyof Scanned,
  pattern: RegExp,
  sentence: (match: RegExpExecArray) => string,
): Finding[] {
  return [...source[part].matchAll(pattern)].map(match => ({
    path: source.path,
    line: lineAt(source.text, match.index),
    sentence: sentence(match),
  }))
}

const skippedFolders = new Set(['node_modules', 'dist', 'coverage', '.git'])

/** All files of the repository but for what is built, installed or git's own. */
export function filesUnder(folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : filesUnder(path)
    return entry.isFile() ? [path] : []
  })
}

/** The text of a file. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

const clause = String.raw`(?:[\w$]+\s*,\s*)?(?:\{[^{}]*\}|\*(?:\s*as\s+[\w$]+)?)|[\w$]+`
const importForms: readonly RegExp[] = [
  new RegExp(String.raw`\b(?:import|export)\s+(type\s+)?(?:${clause})\s*from\s*(?=['"])`, 'g'),
  /\bexport\s*()(?:\{[^{}]*\}|\*)\s*from\s*(?=['"])/g,
  /\bimport\s*(type\s*)?(?:\{[^{}]*\}|\*\s*as\s+[\w$]+)\s*from\s*(?=['"])/g,
  /\bimport\s*()(?=['"])/g,
  /\bimport\s*\(\s*()(?=['"`])/g,
]

function importsOf(path: string, text: string, parts: Scanned): Import[] {
  const found = new Map<number, Import>()
  for (const form of importForms) {
    for (const match of parts.code.matchAll(form)) {
      const quoteAt = match.index + match[0].length
      if (found.has(quoteAt)) continue
      const specifier = text.slice(quoteAt + 1, parts.code.indexOf(text[quoteAt]!, quoteAt + 1))
      found.set(quoteAt, {
        specifier,
        target: specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null,
        isType: Boolean(match[1]?.trim()),
        line: lineAt(text, match.index),
      })
    }
  }
  return [...found.values()].sort((a, b) => a.line - b.line)
}
