/**
 * The package entry: what other programs import. `connect` speaks to a running member through its
 * control socket, `open` runs a member in the program itself; both answer the same methods.
 * Everything else in this package is internal and may change.
 */
import type { EmbeddedMember, OpenOptions } from './node/embed.ts'

export type { Fact, ItemId, Json, MemberId } from './base/fact.ts'
export { type ErrorCode, isVecheError, VecheError } from './base/veche-error.ts'
export { type Client, type ConnectOptions, connect } from './client/client.ts'
export type * from './control/protocol.ts'
export type * from './control/protocol-member.ts'
export type * from './control/protocol-network.ts'
export type {
  CustomPolicy,
  EmbeddedMember,
  OpenOptions,
  PolicyChoice,
  PolicySide,
} from './node/embed.ts'

/**
 * Runs a member in this process: in memory, or on a folder that is made where it is absent. It is
 * whole, network included, and ends with `close`. The network's libraries are loaded now and not
 * with this package, so that a program that only connects never pays for them.
 *
 * ```ts
 * const member = await open({ store: 'memory', listen: [] })     // alone, gone with the process
 * const member = await open({ store: '/srv/notes', join: token }) // a member of a network
 * ```
 *
 * Throws VecheError: BAD_REQUEST (options, a token that is none), IN_USE (store or port), NOT_A_STORE,
 * NO_PERMISSION, NEWER_FORMAT, EXPIRED, USED, FORBIDDEN, UNAVAILABLE (nobody answers to the token).
 */
export async function open(options: OpenOptions): Promise<EmbeddedMember> {
  const { openMember } = await import('./node/embed.ts')
  return await openMember(options)
}
