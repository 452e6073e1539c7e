/**
 * `watch` as an async iterator that outlives its connection: after a loss it looks for the daemon
 * again, for ever, and resumes after the last cursor, so that each event comes once. What the
 * daemon refuses (a cursor that is no longer kept, a bad prefix) is thrown.
 */
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { limits } from '../base/limits.ts'
import { isVecheError, VecheError } from '../base/veche-error.ts'
import { errorOfRpc } from '../control/protocol-errors.ts'
import type { WatchOptions } from '../control/protocol-member.ts'
import type { WatchEvent, WatchParams, WatchResult } from '../control/protocol-network.ts'
import { messagesOf, openSocket, requestLine } from './socket.ts'

/** Events, each once. The first connection must succeed (NOT_RUNNING); later ones are retried. */
export async function* watch(
  path: string,
  options: WatchOptions,
  closed: AbortSignal,
): AsyncGenerator<WatchEvent, void, void> {
  const { signal, onConnection, ...params } = options
  const stop = signal === undefined ? closed : AbortSignal.any([signal, closed])
  let cursor = params.since
  let wasOpen = false
  let pauseMs = 50
  while (!stop.aborted) {
    const socket = await openSocket(path).catch((error: unknown) => {
      if (!wasOpen) throw error
      return undefined
    })
    if (socket !== undefined) {
      const since = cursor === undefined ? {} : { since: cursor }
      for await (const told of eventsOf(socket, { ...params, ...since }, stop)) {
        cursor = told.cursor
        if (told.kind !== 'opened') yield told.event
        else {
          if (wasOpen) onConnection?.('open')
          wasOpen = true
          pauseMs = 50
        }
      }
      if (!stop.aborted) onConnection?.('lost')
    }
    await rest(pauseMs, stop)
    pauseMs = Math.min(pauseMs * 2, limits.reconnectPauseMsMax)
  }
}

async function rest(ms: number, stop: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal: stop }).catch((error: unknown) => {
    if (!stop.aborted) throw error
  })
}

type Told =
  | { readonly kind: 'opened'; readonly cursor: string }
  | { readonly kind: 'event'; readonly cursor: string; readonly event: WatchEvent }

/** One connection's events; ends when it is lost. */
async function* eventsOf(
  socket: Socket,
  params: WatchParams,
  stop: AbortSignal,
): AsyncGenerator<Told, void, void> {
  const end = () => socket.destroy()
  stop.addEventListener('abort', end, { once: true })
  try {
    if (stop.aborted) return
    socket.write(requestLine(1, 'watch', params))
    for await (const message of messagesOf(socket)) {
      if (message.error !== undefined) throw errorOfRpc(message.error)
      if (message.method === 'event') {
        const { watch: _, ...event } = message.params as WatchEvent & { readonly watch: number }
        yield { kind: 'event', cursor: event.cursor, event: event as WatchEvent }
      } else {
        yield { kind: 'opened', cursor: (message.result as WatchResult).cursor }
      }
    }
  } catch (error) {
    if (isVecheError(error)) {
      if (error.code !== 'STOPPING') throw error
    } else if (!isConnectionError(error)) {
      throw new VecheError('INTERNAL', 'The watch failed.', {}, error)
    }
  } finally {
    stop.removeEventListener('abort', end)
    socket.destroy()
  }
}

/** Errors of the system carry a code; a bug of ours does not. */
function isConnectionError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string'
}
