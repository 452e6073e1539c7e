/**
 * The ports through which a member touches the world. The daemon plugs in libp2p, LevelDB and real
 * clocks; the simulator plugs in twins on virtual time that delay, drop and forget. Above this line
 * everything runs the same code.
 */
import type { Bytes } from '../base/bytes.ts'
import type { MemberId } from '../base/fact.ts'

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Never goes back; milliseconds with fractions from an arbitrary origin. */
  monotonicMs(): number
  /** Milliseconds since 1970 as the machine believes; may jump. */
  wallMs(): number
  /** Calls back once, not before `ms` have passed. A thrown error ends the process. */
  after(ms: number, callback: () => void): Timer
}

export interface Entropy {
  /** Unpredictable bytes. */
  bytes(count: number): Bytes
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type Log = (
  level: LogLevel,
  sentence: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

/** `main` carries agreement and adds; `bulk` carries pieces of large payloads, so that a 1 GiB
 * payload never stands before a small write. */
export type Lane = 'main' | 'bulk'

/** A member as the network needs to know it. */
export interface Contact {
  readonly peer: MemberId
  /** Multiaddrs, newest known first. */
  readonly addresses: readonly string[]
}

/** How far a peer is let in: roster members wholly, others to the door only, or not at all. */
export type Admission = 'member' | 'door' | 'refuse'

export interface NetworkListener {
  /** A gossip message; `from` is verified by its signature. */
  gossip(from: MemberId, frame: Bytes): void
  /** A frame of a direct stream. The next frame of that lane is read when the promise resolves. */
  frame(from: MemberId, lane: Lane, frame: Bytes): void | Promise<void>
  connected(peer: MemberId): void
  disconnected(peer: MemberId): void
  /** Asked at every inbound connection and stream. */
  admit(peer: MemberId): Admission
  /** A request at the door (invitations, removals); answers bytes. */
  door(from: MemberId, request: Bytes): Promise<Bytes>
  /** A peer found on the local network. */
  discovered(contact: Contact): void
}

/** Ordered, flow-controlled links to members, and gossip to all. */
export interface Network {
  readonly self: MemberId
  /** Own addresses that others may dial; known after `start`. */
  addresses(): readonly string[]
  start(listener: NetworkListener): Promise<void>
  stop(): Promise<void>
  /** The members to keep connections with: dialled, redialled and watched until changed. */
  setContacts(contacts: readonly Contact[]): void
  /** To all, best effort. */
  publish(frame: Bytes): void
  /**
   * One frame to one member, in order. Resolves when the transport took it (so that a caller that
   * awaits it gathers the next batch meanwhile); rejects with a NetworkError when there is no link.
   * A frame of the main lane never begins with 0 (packing.ts).
   */
  send(peer: MemberId, lane: Lane, frame: Bytes): Promise<void>
  isConnected(peer: MemberId): boolean
  /** Cuts a link that looks alive and is not; it is dialled again at once. */
  reconnect(peer: MemberId): void
  /** One request at somebody's door, at the first of the addresses that answers. */
  knock(contact: Contact, request: Bytes): Promise<Bytes>
}

/** No link, or it broke. An expected thing: caught where the send was made, the link heals itself. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
}

export interface Ports {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
  readonly network: Network
  /**
   * Resolves when what has arrived at the machine by now was taken: at once where nothing arrives by
   * itself, as in a simulated one.
   */
  turn(): Promise<void>
}
