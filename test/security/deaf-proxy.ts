/**
 * A proxy before a member that passes on what is said to it, and from some moment on reads no
 * answer any more, as a peer does that only writes. For the tests of this folder.
 */
import { connect, createServer, type Socket } from 'node:net'

export interface DeafProxy {
  readonly port: number
  /** Reads nothing more of what the member says. */
  deafen(): void
  /** Bytes that the member took from the other side so far. */
  taken(): number
  /** Connections to the member that are still open. */
  open(): number
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1, before `targetPort`. */
export async function deafProxy(targetPort: number): Promise<DeafProxy> {
  const nears = new Set<Socket>()
  const fars = new Set<Socket>()
  const server = createServer(near => {
    const far = connect({ port: targetPort, host: '127.0.0.1' })
    nears.add(near)
    fars.add(far)
    far.on('data', bytes => near.write(bytes))
    near.on('data', bytes => {
      if (!far.write(bytes)) near.pause()
    })
    far.on('drain', () => near.resume())
    for (const socket of [near, far]) {
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        fars.delete(far)
        nears.delete(near)
        near.destroy()
        far.destroy()
      })
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    deafen: () => {
      for (const far of fars) far.pause()
    },
    taken: () => [...fars].reduce((sum, far) => sum + far.bytesWritten - far.writableLength, 0),
    open: () => fars.size,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of [...nears, ...fars]) socket.destroy()
      }),
  }
}
