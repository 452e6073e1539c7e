/**
 * Counting the sync calls of a running process with strace, and reading what strace counted. A
 * process that is counted is slow: nothing of it is timed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

const SYNC_CALLS = 'fsync,fdatasync,msync,sync_file_range'

/** Whether strace is here (Debian package `strace`). */
export function hasStrace(): boolean {
  return spawnSync('strace', ['--version'], { stdio: 'ignore' }).error === undefined
}

/** Begins to count; resolves when strace holds all threads. `end` resolves with calls by name. */
export async function countSyncs(
  pid: number,
  file: string,
): Promise<{ end(): Promise<ReadonlyMap<string, number>> }> {
  const words = ['-f', '-c', '-o', file, '-e', `trace=${SYNC_CALLS}`, '-p', `${pid}`]
  const strace = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    strace.stderr.on('data', text => {
      said += text
      if (said.includes('attached')) resolve()
    })
    strace.once('exit', () => reject(new Error(`strace ended: ${said}`)))
  })
  return {
    async end() {
      strace.kill('SIGINT')
      await once(strace, 'exit')
      return readCounts(readFileSync(file, 'utf8'))
    },
  }
}

/** Calls by name, from the table that `strace -c` writes; one without calls is empty. */
export function readCounts(table: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const line of table.split('\n')) {
    // % time, seconds, usecs/call, calls, errors (absent where there are none), syscall
    const found = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z_0-9]+)\s*$/.exec(line)
    if (found !== null && found[2] !== 'total') counts.set(found[2]!, Number(found[1]))
  }
  return counts
}

/** The last group that a member's journal promises: it counts the groups that are durable. */
export function lastGroup(journal: string): number {
  const lines = journal.split('\n')
  for (let at = lines.length - 1; at >= 0; at--) {
    const found = /"tally":\{"group":(\d+),/.exec(lines[at]!)
    if (found !== null) return Number(found[1])
  }
  throw new Error('The journal names no group.')
}
