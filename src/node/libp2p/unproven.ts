/**
 * Connections whose other side has proved nothing yet. There is room for few of them, and each may
 * take three seconds, so one address must not take all of it: members that come back would find no
 * place.
 *
 * Invariant: what is counted is let go when the connection is proved or closed, whatever happens.
 */
import type { MultiaddrConnection } from '@libp2p/interface'
import { limits } from '../../base/limits.ts'

export class Unproven {
  readonly #byHost = new Map<string, Set<MultiaddrConnection>>()

  /** Counts a new connection; true: its address has too many already. */
  refuses(connection: MultiaddrConnection): boolean {
    const host = hostOf(connection)
    const here = this.#byHost.get(host) ?? new Set()
    if (here.size >= limits.unprovenPerAddressMax) return true
    here.add(connection)
    this.#byHost.set(host, here)
    connection.addEventListener('close', () => this.proved(connection))
    return false
  }

  /** The other side of a connection has the network key; or the connection is over. */
  proved(connection: MultiaddrConnection): void {
    const host = hostOf(connection)
    const here = this.#byHost.get(host)
    here?.delete(connection)
    if (here?.size === 0) this.#byHost.delete(host)
  }

  /** How many there are. */
  get count(): number {
    return [...this.#byHost.values()].reduce((sum, { size }) => sum + size, 0)
  }
}

function hostOf({ remoteAddr }: MultiaddrConnection): string {
  return remoteAddr.getComponents()[0]?.value ?? ''
}
