/**
 * Documents that cite tests by their titles: a block of text (a paragraph, or a row of a table) that
 * names files of tests quotes titles that stand in one of them. An ellipsis in a quoted title stands
 * for whatever a test fills in there.
 */

/** Titles that a block quotes, and the files that it names; a name without a folder may be any. */
export interface Citation {
  readonly titles: readonly string[]
  readonly files: readonly string[]
}

/** What a document cites, block by block. */
export function readCitations(markdown: string): Citation[] {
  const blocks = markdown.split(/\n\s*\n|\n(?=\|)/).map(block => block.replaceAll(/\s*\n\s*/g, ' '))
  return blocks.flatMap(block => {
    const files = [...block.matchAll(/`([^`\s]+\.ts)`/g)].map(match => match[1]!)
    const tests = files.filter(file => /\.test\.ts$|^test\//.test(file))
    const titles = [...block.matchAll(/"([^"]+)"/g)].map(match => match[1]!)
    return tests.length === 0 || titles.length === 0 ? [] : [{ titles, files: tests }]
  })
}

/** The cited titles that stand in none of the files named beside them. */
export function findUncovered(
  citations: readonly Citation[],
  textOf: ReadonlyMap<string, string>,
): string[] {
  const problems: string[] = []
  for (const { titles, files } of citations) {
    const named = [...textOf].filter(([path]) => files.some(file => isNamed(path, file)))
    for (const file of files)
      if (!named.some(([path]) => isNamed(path, file))) problems.push(`there is no ${file}`)
    for (const title of titles)
      if (!named.some(([, text]) => patternOf(title).test(text)))
        problems.push(`no test "${title}" in ${files.join(', ')}`)
  }
  return problems
}

function isNamed(path: string, file: string): boolean {
  return path === file || (!file.includes('/') && path.endsWith(`/${file}`))
}

/** The title as a literal of a source, whole. */
function patternOf(title: string): RegExp {
  const parts = title.split('…').map(RegExp.escape)
  return new RegExp(`(['"\`])${parts.join('[^\\n]*')}\\1`)
}
