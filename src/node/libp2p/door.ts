/**
 * The door: one request, one answer, for peers that are no members, or not yet. It is the only
 * protocol of ours that such a peer may use.
 *
 * Invariants: both directions are bounded in bytes and in time; a peer knocks at most
 * `doorKnocksMax` times within `doorMs`, and `doorKnocksAtOnceMax` knocks are answered at once, so
 * that a stranger with the network key can make noise but no load.
 */
import type { Connection, Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import type { Bytes } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { InvariantError, invariant } from '../../base/invariant.ts'
import { limits } from '../../base/limits.ts'
import { type Clock, type Log, NetworkError } from '../ports.ts'
import { readOne } from './in-lane.ts'
import { protocols } from './link.ts'

export interface DoorKeeperOptions {
  readonly clock: Clock
  readonly log: Log
  /** Members may come to the door too, as anybody who is let in so far. */
  readonly mayKnock: (peer: MemberId) => boolean
  readonly answer: (from: MemberId, request: Bytes) => Promise<Bytes>
}

/** Answers knocks. */
export class DoorKeeper {
  readonly #options: DoorKeeperOptions
  /** When each peer knocked within the last `doorMs`; monotonic milliseconds. */
  readonly #knocks = new Map<MemberId, number[]>()
  #atOnce = 0

  constructor(options: DoorKeeperOptions) {
    this.#options = options
  }

  /** Deals with one stream of the door; rejects only for a bug of ours. */
  async serve(stream: Stream, connection: Connection): Promise<void> {
    const { clock, log, mayKnock, answer } = this.#options
    const from = connection.remotePeer.toString()
    if (!mayKnock(from) || !this.#count(from)) {
      stream.abort(new NetworkError('The door stays shut.'))
      return
    }
    const timer = clock.after(limits.doorMs, () => {
      stream.abort(new NetworkError('The knock took too long.'))
    })
    this.#atOnce++
    try {
      const request = await readOne(stream, limits.doorRequestBytesMax)
      if (request === undefined) throw new NetworkError('A knock without a request.')
      const bytes = await answer(from, request)
      invariant(bytes.length <= limits.doorAnswerBytesMax, 'an answer at the door has its bound')
      await writeOne(stream, bytes)
    } catch (error) {
      if (error instanceof InvariantError) throw error
      log('warn', 'A knock at the door was not answered.', { peer: from, error: String(error) })
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#atOnce--
      timer.cancel()
    }
  }

  #count(from: MemberId): boolean {
    if (this.#atOnce >= limits.doorKnocksAtOnceMax) return false
    const since = this.#options.clock.monotonicMs() - limits.doorMs
    // Forgets strangers that are gone; the map is no larger than the peers of one `doorMs`.
    for (const [peer, times] of this.#knocks)
      if (times.every(time => time < since)) this.#knocks.delete(peer)
    const recent = (this.#knocks.get(from) ?? []).filter(time => time >= since)
    if (recent.length >= limits.doorKnocksMax) return false
    recent.push(this.#options.clock.monotonicMs())
    this.#knocks.set(from, recent)
    return true
  }
}

/** Knocks over a connection, with at most `doorRequestBytesMax`; rejects with a NetworkError when nobody answers in time. */
export async function knockOver(connection: Connection, request: Bytes): Promise<Bytes> {
  invariant(request.length <= limits.doorRequestBytesMax, 'a knock has its bound')
  const signal = AbortSignal.timeout(limits.doorMs)
  let stream: Stream | undefined
  const abort = () => stream?.abort(new NetworkError('Nobody answered the knock in time.'))
  try {
    stream = await connection.newStream(protocols.door, { signal })
    signal.addEventListener('abort', abort)
    const [answer] = await Promise.all([
      readOne(stream, limits.doorAnswerBytesMax),
      writeOne(stream, request),
    ])
    if (answer !== undefined) return answer
  } catch (error) {
    stream?.abort(error instanceof Error ? error : new Error(String(error)))
    throw new NetworkError('The door stays shut: this peer does not let us in.', { cause: error })
  } finally {
    signal.removeEventListener('abort', abort)
  }
  throw new NetworkError('The door stays shut: it closed without an answer.')
}

async function writeOne(stream: Stream, bytes: Bytes): Promise<void> {
  stream.send(encode.single(bytes))
  await stream.close({ signal: AbortSignal.timeout(limits.doorMs) })
}
