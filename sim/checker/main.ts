/**
 * `node sim/checker/main.ts HISTORY`: reads a history (a file, or `-` for the standard input) and
 * prints the verdict. Exits with 0 when every check passes, 1 when one fails or cannot tell, 2 when
 * it was called wrongly or the file cannot be read.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { checkHistory, verdictText } from './check.ts'
import { readHistory } from './read.ts'

async function main(paths: readonly string[]): Promise<number> {
  const [path] = paths
  if (path === undefined || paths.length > 1) {
    process.stderr.write('usage: node sim/checker/main.ts HISTORY\n')
    return 2
  }
  const lines: string[] = []
  try {
    const input = path === '-' ? process.stdin : createReadStream(path)
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      lines.push(line)
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    process.stderr.write(`the history cannot be read: ${why}\n`)
    return 2
  }
  const verdict = checkHistory(readHistory(lines))
  process.stdout.write(`${verdictText(verdict)}\n`)
  return verdict.ok ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
