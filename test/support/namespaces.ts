/**
 * Network namespaces of a lab: one for each member, joined by a bridge, with what a test does to
 * them from outside (cut, drop one way, count). Needs root, iproute2 and nftables.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The end of a namespace's only line that lies on the bridge. */
export function outsideOf(namespace: string): string {
  return `${namespace}b`.slice(-15)
}

/** Bytes that this namespace was sent since it was made, headers of Ethernet and up included. */
export function bytesInto(namespace: string): number {
  return Number(readFileSync(`/sys/class/net/${outsideOf(namespace)}/statistics/tx_bytes`, 'utf8'))
}

/** Rules of nftables inside a namespace; an empty text removes all. Throws with what it said. */
export function filter(namespace: string, rules: string): void {
  const script = `flush ruleset\n${rules}\n`
  const ran = spawnSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], {
    encoding: 'utf8',
    input: script,
  })
  if (ran.status !== 0) throw new Error(`nft in ${namespace}: ${ran.stderr}`)
}

/** A namespace with one address on the lab's bridge. */
export function makeNamespace(made: {
  tag: string
  namespace: string
  at: number
  address: string
}): void {
  const inside = `${made.namespace}a`.slice(-15)
  const outside = outsideOf(made.namespace)
  ip('netns', 'add', made.namespace)
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside)
  ip('link', 'set', outside, 'master', made.tag)
  ip('link', 'set', outside, 'up')
  ip('link', 'set', inside, 'netns', made.namespace)
  ip('-n', made.namespace, 'addr', 'add', `${made.address}/24`, 'dev', inside)
  ip('-n', made.namespace, 'link', 'set', inside, 'up')
  ip('-n', made.namespace, 'link', 'set', 'lo', 'up')
}

/** Runs `ip`; throws with what it said. */
export function ip(...args: readonly string[]): void {
  const ran = spawnSync('ip', args, { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`ip ${args.join(' ')}: ${ran.stderr}`)
}
