/**
 * Real daemons as processes: in one network namespace each, joined by a bridge (needs root), or all
 * on loopback. A test makes a lab, uses it, and ends it; nothing is left behind. Everything goes
 * through the command line and the control socket, as a user would.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sized } from '../../sim/size.ts'
import { JsonClient } from './json-client.ts'
import { memoryOf } from './large.ts'
import { ip, makeNamespace, outsideOf } from './namespaces.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A daemon that was told to end and still runs after this is stuck, however busy the machine. */
const endsMs = 45_000

/** A command that still runs after this is stuck, however large its payload and busy the machine. */
const commandMs = sized({ everyday: 90_000, ci: 240_000, deep: 3_000_000 })

/** All children that run: a test that was given up must not leave a daemon behind. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Whether this process may make network namespaces. */
export const isRoot = process.getuid?.() === 0

export class LabMember {
  readonly name: string
  store: string
  readonly address: string
  readonly namespace: string | null
  daemon: ChildProcess | null = null
  log = ''

  constructor(options: { name: string; store: string; address: string; namespace: string | null }) {
    this.name = options.name
    this.store = options.store
    this.address = options.address
    this.namespace = options.namespace
  }

  get socket(): string {
    return join(this.store, 'control.sock')
  }

  /** Runs one command of the command line to its end. */
  async run(args: readonly string[], input?: string | Uint8Array): Promise<Ran> {
    const child = this.#spawn([...args, '--store', this.store], {})
    const chunks: Buffer[] = []
    let stderr = ''
    child.stdout?.on('data', data => chunks.push(data))
    child.stderr?.on('data', data => {
      stderr += data
    })
    child.stdin?.end(input ?? '')
    const code = await this.#ended(child, args)
    return { code, stdout: Buffer.concat(chunks).toString(), stderr }
  }

  /** Runs a command that must succeed, and answers the most memory that its process held. */
  async peak(args: readonly string[]): Promise<{ stdout: string; peakBytes: number }> {
    const child = this.#spawn([...args, '--store', this.store], {})
    let stdout = ''
    let peakBytes = 0
    child.stdout?.on('data', data => {
      stdout += data
    })
    const look = () => {
      if (child.exitCode === null) peakBytes = Math.max(peakBytes, memoryOf(child.pid!).peak)
    }
    const timer = setInterval(look, 20)
    const code = await this.#ended(child, args).finally(() => clearInterval(timer))
    if (code !== 0) throw new Error(`${this.name}: veche ${args.join(' ')} ended with ${code}`)
    return { stdout, peakBytes }
  }

  /** Runs a command that must succeed, with --json, and answers what it printed. */
  async json<T>(args: readonly string[], input?: string | Uint8Array): Promise<T> {
    const ran = await this.run([...args, '--json'], input)
    if (ran.code !== 0) {
      throw new Error(`${this.name}: veche ${args.join(' ')} failed: ${ran.stderr}${ran.stdout}`)
    }
    return JSON.parse(ran.stdout) as T
  }

  /** Starts the daemon and resolves when its socket answers; one that never does is ended. */
  async start(
    env: Readonly<Record<string, string>> = {},
    args: readonly string[] = [],
    answersMs = 45_000,
  ): Promise<void> {
    // Without namespaces other labs share the machine's network: nobody is to be discovered there.
    const mdns = this.namespace === null ? ['--no-mdns'] : []
    const child = this.#spawn(['start', '--store', this.store, ...mdns, ...args], env)
    this.daemon = child
    const record = (data: Buffer) => {
      this.log = (this.log + data.toString()).slice(-200_000)
    }
    child.stdout?.on('data', record)
    child.stderr?.on('data', record)
    let ended = false
    child.once('exit', () => {
      ended = true
    })
    const answers = async () => {
      if (ended) throw new Error(`${this.name} ended at its start:\n${this.log}`)
      return await this.#answers()
    }
    try {
      await until(`${this.name} answers`, answers, answersMs, 100)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** A call on a connection of its own. */
  async call<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const client = await JsonClient.open(this.socket)
    try {
      return await client.call<T>(method, params)
    } finally {
      client.close()
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.call('status')
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return false
      throw error
    }
  }

  /** Ends the daemon by a signal; resolves when the process is gone. One that does not go is a failure. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.daemon
    this.daemon = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return null
    const ended = exitWithin(child, endsMs, `${this.name} after ${signal}`)
    child.kill(signal)
    await ended
    return child.exitCode
  }

  #ended(child: ChildProcess, args: readonly string[]): Promise<number> {
    return exitWithin(child, commandMs, `${this.name}: veche ${args.join(' ')}`)
  }

  /** Process id of the running daemon. */
  get pid(): number {
    const pid = this.daemon?.pid
    if (pid === undefined) throw new Error(`${this.name} does not run`)
    return pid
  }

  #spawn(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', main, ...args]
    // `ip netns exec` replaces itself by the command, so the child's pid is the daemon's.
    const whole =
      this.namespace === null ? command : ['ip', 'netns', 'exec', this.namespace, ...command]
    const child = spawn(whole[0]!, whole.slice(1), {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    return child
  }
}

export interface LabOptions {
  readonly members: number
  /** One namespace and address each; else all on loopback. */
  readonly namespaces: boolean
}

export class Lab {
  readonly folder: string
  readonly members: LabMember[]
  readonly #bridge: string | null

  private constructor(folder: string, members: LabMember[], bridge: string | null) {
    this.folder = folder
    this.members = members
    this.#bridge = bridge
  }

  /** Makes folders and, if asked for, namespaces; no store yet. */
  static create(options: LabOptions): Lab {
    const folder = mkdtempSync(join(tmpdir(), 'veche-lab-'))
    const tag = `vl${process.pid.toString(36)}${labs++}`
    const members: LabMember[] = []
    if (options.namespaces) {
      ip('link', 'add', tag, 'type', 'bridge')
      ip('link', 'set', tag, 'up')
    }
    for (let at = 0; at < options.members; at++) {
      const name = `m${at + 1}`
      const address = options.namespaces ? `10.77.${labs % 250}.${at + 1}` : '127.0.0.1'
      const namespace = options.namespaces ? `${tag}-${at + 1}` : null
      if (namespace !== null) makeNamespace({ tag, namespace, at, address })
      members.push(new LabMember({ name, store: join(folder, name), address, namespace }))
    }
    return new Lab(folder, members, options.namespaces ? tag : null)
  }

  /** Makes one network of all members by `init`, `invite` and `join`, and starts them. */
  async form(
    more: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    start: readonly string[] = [],
  ): Promise<void> {
    const [first, ...others] = this.members
    if (first === undefined) return
    const make =
      first.namespace === null ? ['--listen', '/ip4/127.0.0.1/tcp/0', ...more] : [...more]
    await first.json(['init', '--name', first.name, '--network', 'lab', ...make])
    await first.start(env, start)
    for (const member of others) {
      await until(
        'the inviting member is Source',
        async () => (await status(first)).status === 'source',
      )
      const { token } = await first.call<{ token: string }>('invite')
      await member.json(['join', token, '--name', member.name, ...make])
      await member.start(env, start)
    }
    await this.allSource()
  }

  /** Waits until every member is Source and all have one hash at one cut. */
  async allSource(members: readonly LabMember[] = this.members, ms = 60_000): Promise<void> {
    await until(
      'all members are Source with one hash',
      async () => {
        const all = await Promise.all(members.map(status))
        const first = all[0]!
        return all.every(
          s =>
            s.status === 'source' && s.hash === first.hash && s.unsettled === 0 && s.pending === 0,
        )
      },
      ms,
    )
  }

  /** Cuts a member off from all others, or joins it again (namespaces only). */
  link(member: LabMember, state: 'up' | 'down'): void {
    ip('link', 'set', outsideOf(member.namespace ?? ''), state)
  }

  /** Ends all daemons, removes namespaces and folders. */
  async end(): Promise<void> {
    await Promise.all(this.members.map(member => member.kill()))
    for (const { namespace } of this.members) if (namespace !== null) ip('netns', 'del', namespace)
    if (this.#bridge !== null) ip('link', 'del', this.#bridge)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

let labs = 0

export interface Status {
  readonly uuid: string
  readonly status: string
  readonly synchronized: boolean
  readonly hash: string
  readonly cut: number
  readonly items: number
  readonly facts: number
  readonly pending: number
  readonly unsettled: number
  readonly lastCheck: { readonly marked: number; readonly of: number; readonly at: number | null }
  readonly members: readonly {
    readonly uuid: string
    readonly name: string
    readonly status: string | null
    readonly reached: boolean
  }[]
  readonly problems: readonly { readonly reason: string; readonly sentence: string }[]
}

/** The status of a member. */
export function status(member: LabMember): Promise<Status> {
  return member.call<Status>('status')
}

/**
 * Polls a condition until it holds; a deadline that passes is a failure with its name, also while a
 * question is not answered.
 */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  ms = 45_000,
  everyMs = 250,
): Promise<number> {
  const begin = performance.now()
  const late = new Error(`not within ${ms} ms: ${what}`)
  const { promise: over, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late), ms)
  over.catch(() => undefined) // it is heard by whoever races it
  try {
    for (;;) {
      if (await Promise.race([holds(), over])) return performance.now() - begin
      if (performance.now() - begin > ms) throw late
      await new Promise(resolve => setTimeout(resolve, everyMs))
    }
  } finally {
    clearTimeout(timer)
  }
}

/** The exit code; a child that does not end in time is killed, and a failure with its name. */
async function exitWithin(child: ChildProcess, ms: number, what: string): Promise<number> {
  const { promise: stuck, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    reject(new Error(`it did not end within ${ms} ms: ${what}`))
  }, ms)
  return await Promise.race([exitOf(child), stuck]).finally(() => clearTimeout(timer))
}

function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve(code ?? 1))
  })
}
