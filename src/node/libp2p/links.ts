/**
 * Who is connected, how, and what may pass: every connection comes by here. A member's connection
 * becomes a link, a peer at the door may knock for a while, all others are cut.
 *
 * Invariants: at most one connection per peer is used. When a second one appears both are cut, and
 * the smaller peer id dials again: with two, gossip goes one way as soon as either closes. A peer
 * whose admission changed gets a new connection, so that no part of libp2p remembers the old one.
 */
import type { Connection, Stream } from '@libp2p/interface'
import type { Bytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { type Admission, type Clock, type Lane, type Log, NetworkError } from '../ports.ts'
import { Link } from './link.ts'

interface Peer {
  readonly id: MemberId
  readonly connections: Set<Connection>
  /** As it was when the connection opened. */
  admission: Admission
  link: Link | null
  /** Its connections are being cut; nothing new begins on them. */
  isEnding: boolean
  readonly ended: PromiseWithResolvers<void>
}

export interface LinksOptions {
  readonly clock: Clock
  readonly log: Log
  readonly admit: (peer: MemberId) => Admission
  /** Whether we are knocking at this peer's door at the moment. */
  readonly isKnocking: (peer: MemberId) => boolean
  readonly frame: (from: MemberId, lane: Lane, frame: Bytes) => void | Promise<void>
  readonly up: (peer: MemberId) => void
  /** `forMs`: how long the link stood; not called for one that never did. */
  readonly down: (peer: MemberId, forMs: number) => void
  /** A second connection with a peer came while there was one; both are cut. */
  readonly twice: (peer: MemberId) => void
  /** A connection ended before its link stood. */
  readonly failed: (peer: MemberId, reason: string) => void
  /** The last connection with a peer is gone. */
  readonly gone: (peer: MemberId) => void
}

export class Links {
  readonly #options: LinksOptions
  readonly #peers = new Map<MemberId, Peer>()

  constructor(options: LinksOptions) {
    this.#options = options
  }

  has(peer: MemberId): boolean {
    return this.#peers.has(peer)
  }

  /** Resolves when no connection with this peer is on its way out. */
  async settled(peer: MemberId): Promise<void> {
    const known = this.#peers.get(peer)
    if (known?.isEnding) await known.ended.promise
  }

  /** The link that stands. */
  standing(peer: MemberId): Link | undefined {
    const link = this.#peers.get(peer)?.link
    return link !== null && link?.upAt !== null ? link : undefined
  }

  /** All links that stand. */
  allStanding(): Link[] {
    return [...this.#peers.keys()].flatMap(peer => this.standing(peer) ?? [])
  }

  /** A connection opened, whoever dialled. */
  opened(connection: Connection): void {
    if (connection.status !== 'open') return
    const id = connection.remotePeer.toString()
    const admission = this.#admissionOf(id)
    let peer = this.#peers.get(id)
    if (peer === undefined) {
      const ended = Promise.withResolvers<void>()
      peer = { id, connections: new Set(), admission, link: null, isEnding: false, ended }
      this.#peers.set(id, peer)
    }
    peer.connections.add(connection)
    if (peer.connections.size > 1) {
      this.#options.log('debug', 'Two connections with one peer: both are cut.', { peer: id })
      this.#options.twice(id)
      this.cut(id, 'There were two connections.')
    } else if (admission === 'member') this.#link(peer, connection)
    else if (admission === 'door') {
      this.#makeRoom(id)
      this.#closeLater(peer, connection)
    } else this.cut(id, 'This peer is not let in.')
  }

  /** A connection closed. */
  closed(connection: Connection): void {
    const id = connection.remotePeer.toString()
    const peer = this.#peers.get(id)
    if (peer === undefined || !peer.connections.delete(connection)) return
    if (peer.link?.connection === connection)
      peer.link.down(new NetworkError('The connection closed.'))
    if (peer.connections.size > 0) {
      this.cut(id, 'Another connection with it closed.')
      return
    }
    this.#peers.delete(id)
    peer.ended.resolve()
    this.#options.gone(id)
  }

  /** A peer opened a stream of a lane; it belongs to its link or is refused. */
  accept(lane: Lane, stream: Stream, connection: Connection): void {
    const id = connection.remotePeer.toString()
    const link = this.#peers.get(id)?.link
    if (link?.connection === connection && this.#options.admit(id) === 'member')
      link.accept(lane, stream)
    else stream.abort(new NetworkError('This peer has no link.'))
  }

  /** Cuts all connections with a peer, without waiting for what it no longer hears. The link is
   * down when this returns. */
  cut(id: MemberId, sentence: string): void {
    const error = new NetworkError(sentence)
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    peer.isEnding = true
    peer.link?.down(error)
    for (const connection of peer.connections) this.#abort(connection, error)
  }

  /** Cuts all connections. */
  cutAll(sentence: string): void {
    for (const id of [...this.#peers.keys()]) this.cut(id, sentence)
  }

  /** Asks anew who is let in how far, and cuts whose answer changed. */
  review(): void {
    for (const peer of [...this.#peers.values()]) {
      const admission = this.#admissionOf(peer.id)
      if (admission === peer.admission) continue
      // A peer that was let in while it knocks still waits for that answer; its connection ends
      // by itself soon, and the next one is a member's.
      if (peer.admission === 'door' && admission === 'member') continue
      this.cut(peer.id, 'Its admission changed.')
    }
  }

  #admissionOf(id: MemberId): Admission {
    const admission = this.#options.admit(id)
    return admission === 'refuse' && this.#options.isKnocking(id) ? 'door' : admission
  }

  #link(peer: Peer, connection: Connection): void {
    const { clock, log, frame, up, down, failed } = this.#options
    const link: Link = new Link({
      peer: peer.id,
      connection,
      clock,
      log,
      deliver: (lane, bytes) => frame(peer.id, lane, bytes),
      onUp: () => up(peer.id),
      onDown: error => {
        if (peer.link === link) peer.link = null
        if (link.upAt !== null) down(peer.id, clock.monotonicMs() - link.upAt)
        else failed(peer.id, error.message)
        // Who does not take us for a member may still answer our knock.
        if (this.#options.isKnocking(peer.id)) {
          peer.admission = 'door'
          this.#closeLater(peer, connection)
        } else {
          peer.isEnding = true
          this.#abort(connection, error)
        }
      },
    })
    peer.link = link
  }

  /** Not at once: where libp2p or gossipsub opens a stream in this very moment it would throw, out
   * of a microtask that nobody can catch, when the connection is gone. */
  #abort(connection: Connection, error: NetworkError): void {
    this.#options.clock.after(0, () => connection.abort(error))
  }

  /** Where too many stand at the door, the one that stands there longest has had its time. */
  #makeRoom(newest: MemberId): void {
    const strangers = [...this.#peers.values()].filter(
      ({ id, admission, isEnding }) =>
        admission === 'door' && !isEnding && id !== newest && !this.#options.isKnocking(id),
    )
    const oldest = strangers[0]
    if (oldest !== undefined && strangers.length >= limits.strangersMax)
      this.cut(oldest.id, 'Too many stand at the door.')
  }

  /** A peer at the door has the time of one knock. */
  #closeLater(peer: Peer, connection: Connection): void {
    const timer = this.#options.clock.after(limits.doorMs, () => {
      if (peer.admission === 'door') connection.abort(new NetworkError('The door is closed.'))
    })
    connection.addEventListener('close', () => timer.cancel())
  }
}
