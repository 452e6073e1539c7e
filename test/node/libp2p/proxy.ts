/**
 * A TCP proxy between two members that can swallow one direction, as a broken line does: no reset,
 * no end, only silence.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** Drops what the dialled side says (true) from now on, on old and new connections. */
  swallowAnswers(isSwallowing: boolean): void
  /** Goes silent both ways, and passes on no end of a connection either. */
  freeze(): void
  /** Connections accepted so far. */
  accepted(): number
  /** Bytes that came in so far from the side that dialled, and from the one that was dialled. */
  passed(): { readonly there: number; readonly back: number }
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1 and passes everything on to `targetPort`. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let isSwallowing = false
  let isFrozen = false
  let accepted = 0
  const passed = { there: 0, back: 0 }
  const server: Server = createServer({ allowHalfOpen: true }, near => {
    accepted++
    const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', bytes => {
        passed[from === near ? 'there' : 'back'] += bytes.length
        if (!isFrozen && !(isSwallowing && from === far)) to.write(bytes)
      })
      from.on('end', () => {
        if (!isFrozen) to.end()
      })
      from.on('error', () => from.destroy())
      from.on('close', () => {
        sockets.delete(from)
        if (!isFrozen) to.destroy()
      })
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    swallowAnswers: value => {
      isSwallowing = value
    },
    freeze: () => {
      isFrozen = true
    },
    accepted: () => accepted,
    passed: () => ({ ...passed }),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
