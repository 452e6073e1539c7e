/**
 * Where daemons run: in a network namespace of their own, where nothing but their traffic passes, so
 * that bytes are counted at its interface; or, for who is not root, among all others on this
 * machine's loopback, where the counter also counts others. The namespace ends with this process.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Place {
  /** Whether only the daemons' traffic is counted. */
  readonly isOwn: boolean
  /** A command as it is run there; the child's pid is the command's. */
  command(words: readonly string[]): readonly [string, readonly string[]]
  /** Bytes that passed, each packet once, headers included. */
  bytes(): number
  end(): void
}

/** This machine's own loopback. */
export const machineLoopback: Place = {
  isOwn: false,
  command: ([first = '', ...words]) => [first, words],
  bytes: () => loopbackBytes('/proc/net/dev'),
  end: () => undefined,
}

/** A namespace of its own where that may be made, else this machine's loopback. */
export async function makePlace(): Promise<Place> {
  if (process.getuid?.() !== 0) return machineLoopback
  const script = 'ip link set lo up && echo up && exec cat'
  const holder = spawn('unshare', ['--net', 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const isUp = await new Promise<boolean>(resolve => {
    holder.once('error', () => resolve(false))
    holder.once('exit', () => resolve(false))
    holder.stdout.once('data', () => resolve(true))
  })
  if (!isUp) return machineLoopback
  const { pid } = holder
  return {
    isOwn: true,
    command: words => ['nsenter', [`--net=/proc/${pid}/ns/net`, ...words]],
    bytes: () => loopbackBytes(`/proc/${pid}/net/dev`),
    end: () => void holder.stdin.end(),
  }
}

function loopbackBytes(path: string): number {
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find(text => text.trim().startsWith('lo:'))
  return Number(line?.split(':')[1]?.trim().split(/\s+/)[0] ?? 0)
}
