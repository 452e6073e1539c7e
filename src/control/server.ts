/**
 * The control socket: a Unix socket in the store's folder, for the owner alone (mode 0600), over
 * which programs of this machine speak with the member. Who can open it may do everything.
 *
 * The socket file is made with the right mode from its first moment. One left by a dead daemon is
 * replaced; one on which somebody answers is not, nor anything that is no socket.
 */
import { closeSync, lstatSync, openSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { limits } from '../base/limits.ts'
import { VecheError } from '../base/veche-error.ts'
import { Connection } from './connection.ts'
import type { MemberService } from './member-service.ts'
import { type ReportError, rpcServerOf } from './methods.ts'
import { socketAddress } from './protocol-address.ts'

export interface ControlServerOptions {
  /** Path of the socket file. */
  readonly path: string
  readonly service: MemberService
  /** Told of faults and bugs; refusals are told to the client alone. */
  readonly report: ReportError
  /** Default limits.lineBytesMax. */
  readonly lineBytesMax?: number
  /** Default limits.watchStuckMs. */
  readonly watchStuckMs?: number
}

export interface ControlServer {
  readonly path: string
  /** Takes no more requests, answers those at work for at most `graceMs`, removes the socket. */
  close(graceMs?: number): Promise<void>
}

/** The file name of the socket in a store's folder. */
export const CONTROL_SOCKET = 'control.sock'

/**
 * Starts to listen. Throws IN_USE (somebody answers on the socket, or the file is no socket),
 * BAD_REQUEST (a path that is too long here), NO_PERMISSION, NOT_FOUND (no such folder).
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { path, service, report } = options
  const address = socketAddress(path, {
    platform: process.platform,
    open: folder => openSync(folder, 'r'),
    close: closeSync,
  })
  try {
    await clearPath(path, address.path)
  } catch (error) {
    address.release()
    throw error
  }
  const connections = new Set<Connection>()
  const rpc = rpcServerOf(service, report)
  const server = createServer({ allowHalfOpen: true }, socket => {
    const connection = new Connection(socket, {
      service,
      rpc,
      report,
      lineBytesMax: options.lineBytesMax ?? limits.lineBytesMax,
      watchStuckMs: options.watchStuckMs ?? limits.watchStuckMs,
    })
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
  })
  server.maxConnections = limits.socketConnectionsMax
  await listen(server, address.path, path).catch((error: unknown) => {
    address.release()
    throw error
  })
  server.on('error', error => report('The control socket failed.', error))
  return {
    path,
    async close(graceMs = 2000) {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      await Promise.all([...connections].map(connection => connection.stop(graceMs)))
      await promise
      address.release()
    },
  }
}

function listen(server: Server, address: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(listenError(error, path)))
    server.once('listening', () => {
      server.removeAllListeners('error')
      resolve()
    })
    // A path is bound within the call, so the umask holds for this file and no other.
    const before = process.umask(0o177)
    try {
      server.listen(address)
    } finally {
      process.umask(before)
    }
  })
}

function listenError(error: NodeJS.ErrnoException, path: string): VecheError {
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new VecheError('NO_PERMISSION', `May not make the socket ${path}.`, { path }, error)
    case 'ENOENT':
    case 'ENOTDIR':
      return new VecheError('NOT_FOUND', `There is no folder for ${path}.`, { path }, error)
    case 'EADDRINUSE':
      return inUse(path)
    default:
      return new VecheError('INTERNAL', `Cannot listen on ${path}: ${error.message}`, {}, error)
  }
}

function inUse(path: string): VecheError {
  return new VecheError('IN_USE', `A daemon answers on ${path} already: stop it first.`, { path })
}

/** Makes way for a new socket file, or says what stands there. */
async function clearPath(path: string, address: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket())
    throw new VecheError('IN_USE', `${path} is no socket: move it away.`, { path })
  if (await answers(address)) throw inUse(path)
  unlinkSync(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else if (error.code === 'EAGAIN') resolve(true)
      else reject(listenError(error, path))
    })
  })
}
