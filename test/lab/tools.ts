/**
 * Programs of the system that the lab runs, each with a deadline, and the list of those it needs.
 * What is missing is named with its Debian package; nothing is installed from here.
 */
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, globSync } from 'node:fs'
import { join } from 'node:path'

/** A program that hangs is an error after so long. */
const RUN_MS = 60_000

interface Tool {
  readonly name: string
  readonly debian: string
}

const NEEDED: readonly Tool[] = [
  { name: 'ip', debian: 'iproute2' },
  { name: 'nft', debian: 'nftables' },
  { name: 'mkfs.ext4', debian: 'e2fsprogs' },
  { name: 'mount', debian: 'mount' },
  { name: 'unshare', debian: 'util-linux' },
  { name: 'perl', debian: 'perl-base' },
]

const FAKETIME = '/usr/lib/*/faketime/libfaketimeMT.so.1'

/** What is there beyond the needed tools. */
export interface Extras {
  /** Path of libfaketime; null: no clock jumps. */
  readonly faketime: string | null
  /** Path of the built shim around fsync; null: no slow and no failing disks. */
  readonly fsyncShim: string | null
}

function isThere({ name }: Tool): boolean {
  const folders = `${process.env.PATH}:/usr/sbin:/sbin`.split(':')
  return folders.some(folder => isReadable(join(folder, name)))
}

function isReadable(path: string): boolean {
  try {
    accessSync(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return false
    throw error
  }
}

/** Sentences about what is missing; without a needed tool there is no lab. */
export function missingTools(): { readonly needed: string[]; readonly extra: string[] } {
  const say = ({ name, debian }: Tool) => `${name} (Debian package ${debian})`
  const extra: string[] = []
  if (globSync(FAKETIME).length === 0) {
    extra.push('libfaketime (Debian package faketime): clocks do not jump in this run')
  }
  if (!isThere({ name: 'gcc', debian: 'gcc' })) {
    extra.push('gcc (Debian packages gcc, libc6-dev): no disk is slow or fails to sync in this run')
  }
  return { needed: NEEDED.filter(tool => !isThere(tool)).map(say), extra }
}

/** Builds and finds what is there beyond the needed. */
export function extrasIn(folder: string): Extras {
  const [faketime = null] = globSync(FAKETIME)
  const source = join(import.meta.dirname, 'fsync-shim.c')
  const shim = join(folder, 'fsync-shim.so')
  const built = spawnSync('gcc', ['-shared', '-fPIC', '-O1', '-o', shim, source, '-ldl'])
  return { faketime, fsyncShim: built.status === 0 ? shim : null }
}

/** Runs a program to its end, and answers what it printed; throws when it fails or hangs. */
export function run(program: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
    const stdin = input === undefined ? 'ignore' : 'pipe'
    const child = spawn(program, args, {
      env,
      stdio: [stdin, 'pipe', 'pipe'],
      timeout: RUN_MS,
      killSignal: 'SIGKILL',
    })
    let out = ''
    let err = ''
    child.stdout?.on('data', data => {
      out += data
    })
    child.stderr?.on('data', data => {
      err += data
    })
    // A namespace that goes away resets what it held: the exit code says how it went.
    for (const stream of child.stdio) stream?.on('error', error => (err += `${error.message} `))
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve(out)
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}: ${err}`))
    })
    child.stdin?.end(input)
  })
}
