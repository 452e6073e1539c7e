/**
 * The one error that a user's program gets to see, whichever door it came through: the socket, the
 * TypeScript client, the embedded member. It lies in `base` because the member throws it, the
 * server writes it, the client reads it and the command line prints it.
 *
 * Codes are a contract: a code is never renamed and never reused for another meaning. The sentence
 * is for a person, says what to do next, and may change.
 */

/** What went wrong, for programs. */
export type ErrorCode =
  /** No such item, version, member or split item; or the item is deleted. */
  | 'NOT_FOUND'
  /** The id was split: `data.ids` are the items that stand in its place. */
  | 'SPLIT'
  /** `ifVersion` is not the head: `data.head` is it (null where the item does not exist). */
  | 'VERSION_MISMATCH'
  /** A line, payload, id or property is above its limit: `data.limit`, where there is one number. */
  | 'TOO_LARGE'
  /** The request is wrong in itself: `data.parameter` names the parameter at fault. */
  | 'BAD_REQUEST'
  /** No such method. */
  | 'UNKNOWN_METHOD'
  /** The disk is full: nothing was stored. */
  | 'DISK_FULL'
  /** What is stored here does not match its hash. */
  | 'DAMAGED'
  /** The payload is not here and no holder is reached: `data.holders`. Or the member cannot now. */
  | 'UNAVAILABLE'
  /** This member left or was removed from its network: it reads, but takes no writes. */
  | 'REMOVED'
  /** The store, the socket or the port is held by another process: `data.pid`, where known. */
  | 'IN_USE'
  /** An invitation's time is over, or a watch cursor lies before the kept events. */
  | 'EXPIRED'
  /** An invitation was redeemed already. */
  | 'USED'
  /** Who asks is not let in. */
  | 'FORBIDDEN'
  /** Something that was waited for did not come in time; it changed nothing. */
  | 'TIMEOUT'
  /** The folder is no Veche store. */
  | 'NOT_A_STORE'
  /** The store was written by a newer version of Veche. */
  | 'NEWER_FORMAT'
  /** The operating system refuses access. */
  | 'NO_PERMISSION'
  /** Client only: no daemon answers at this socket. */
  | 'NOT_RUNNING'
  /** Client only: the answer was lost. A write may have happened or not; nobody retried it. */
  | 'UNKNOWN'
  /** Client only: the client was closed by its own program. */
  | 'CLOSED'
  /** The daemon is stopping: nothing was done. */
  | 'STOPPING'
  /** A fault of Veche itself. */
  | 'INTERNAL'

/** Particulars of an error, as they go over the socket. */
export type ErrorData = Readonly<Record<string, unknown>>

/** An error with a stable code, a sentence that a person can act on, and particulars. */
export class VecheError extends Error {
  override readonly name = 'VecheError'
  readonly code: ErrorCode
  readonly data: ErrorData

  constructor(code: ErrorCode, sentence: string, data: ErrorData = {}, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause })
    this.code = code
    this.data = data
  }
}

/** Whether a thrown value is a VecheError, with this code if one is given. */
export function isVecheError(error: unknown, code?: ErrorCode): error is VecheError {
  return error instanceof VecheError && (code === undefined || error.code === code)
}
