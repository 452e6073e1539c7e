/**
 * What the kernel says of processes, folders and the machine: memory, processor time, bytes on disk,
 * and how busy everything else on the machine is. Reads only (/proc, so Linux).
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** Ticks of the kernel's clock for processor time; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** Resident memory of a process in bytes: now, and at most since it began or `forgetPeak`. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0) * 1024
  return { now: field('VmRSS'), peak: field('VmHWM') }
}

/** From now on the kernel counts the process's peak anew. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Processor seconds of a process, its ended threads included. */
export function cpuSeconds(pid: number): number {
  return cpuOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

/** Processor seconds of each living thread of a process, by number and name. */
export function threadSeconds(pid: number): Map<string, number> {
  const threads = new Map<string, number>()
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    const name = /\((.*)\)/.exec(text)?.[1] ?? ''
    threads.set(Number(thread) === pid ? 'main' : `${thread} ${name}`, cpuOf(text))
  }
  return threads
}

function cpuOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Bytes of all files of a folder, as the disk gives room for them. */
export function diskBytes(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += allocated(join(entry.parentPath, entry.name))
  }
  return bytes
}

/** LevelDB removes files while they are counted: one that is gone takes no room. */
function allocated(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512
}

/** Processor seconds that the whole machine has spent, but for interrupts: those are ours as well. */
function machineSeconds(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(1)
  const [user, nice, system, , , , , steal] = fields.map(Number)
  const spent = [user, nice, system, steal]
  return spent.reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) / TICKS_PER_SECOND
}

/** The father of all threads of the kernel, which write and send for us, too. */
const KERNEL_PID = 2

/** Processor seconds of this process, its ended children, its living ones, and the kernel. */
function ownSeconds(): number {
  const stats = new Map<number, string>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      stats.set(Number(name), readFileSync(`/proc/${name}/stat`, 'utf8'))
    } catch (error) {
      // It ended between the two readings.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  const parentOf = (stat: string) => Number(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[1])
  const mine = new Set([process.pid, KERNEL_PID])
  for (let found = true; found; ) {
    found = false
    for (const [pid, stat] of stats) {
      if (mine.has(pid) || !mine.has(parentOf(stat))) continue
      mine.add(pid)
      found = true
    }
  }
  let seconds = 0
  for (const pid of mine) {
    const stat = stats.get(pid) ?? ''
    const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
    seconds += cpuOf(stat) + (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND
  }
  return seconds
}

/** How much of one processor others used while something ran. */
export class Others {
  readonly #machine = machineSeconds()
  readonly #own = ownSeconds()
  readonly #beganMs = performance.now()

  /** Processors' worth since this was made: 0.2 is a fifth of one. */
  share(): number {
    const seconds = (performance.now() - this.#beganMs) / 1000
    const others = machineSeconds() - this.#machine - (ownSeconds() - this.#own)
    return Math.max(0, others / Math.max(seconds, 0.01))
  }
}

/** Above this share of a processor used by others, figures do not count. */
export const OTHERS_SHARE_MAX = 0.2

/** What a reader must know of the machine. */
export function describeMachine(): Readonly<Record<string, string | number>> {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    load: Math.round(loadavg()[0]! * 100) / 100,
  }
}
