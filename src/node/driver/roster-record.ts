/**
 * A member's vote on the next configuration, as it lies in its store: one record under a name of its
 * own, `roster/vote`, with the checksum that all records have. No system fact: it is nobody else's
 * business. Written before anything that follows from it is said.
 *
 * A record that does not read is a vote that is not sure: what was promised may be lost.
 */
import type { Bytes } from '../../base/bytes.ts'
import { decodeWith, encodeCbor } from '../../base/cbor.ts'
import { asBoolean, asInt, asNullable, asTuple } from '../../base/cbor-read.ts'
import { limits } from '../../base/limits.ts'
import type { Vote } from '../../consensus/roster/state.ts'
import type { Store, Write } from '../../storage/store.ts'
import { acceptedValue, ballotValue, readAccepted, readBallot } from '../../wire/roster-bodies.ts'

const FORMAT = 1
const KEY = 'roster/vote'

export function voteWrite(vote: Vote): Write {
  return { kind: 'meta', key: KEY, value: encodeVote(vote) }
}

/**
 * The vote that a store has, and `null` where it never voted. A store that lost anything may have
 * lost its newest vote: then what is there is not sure, and neither is what is not there.
 */
export async function readVote(store: Store): Promise<Vote | null> {
  const bytes = await store.meta(KEY)
  const { gap, damages } = store.report
  const isWhole = !gap && damages.length === 0
  if (bytes === undefined && isWhole) return null
  const vote = bytes === undefined ? undefined : decodeVote(bytes)
  if (vote === undefined) return { number: 0, promised: null, accepted: null, isSure: false }
  return isWhole ? vote : { ...vote, isSure: false }
}

export function encodeVote({ number, promised, accepted, isSure }: Vote): Bytes {
  const ballot = promised === null ? null : ballotValue(promised)
  return encodeCbor([FORMAT, number, ballot, acceptedValue(accepted), isSure])
}

export function decodeVote(bytes: Bytes): Vote | undefined {
  const read = (value: unknown): Vote => {
    const field = asTuple(value, 5, 'a vote')
    asInt(field[0], FORMAT, FORMAT, 'the format of a vote')
    return {
      number: asInt(field[1], 0, Number.MAX_SAFE_INTEGER, 'a configuration'),
      promised: asNullable(field[2], readBallot),
      accepted: readAccepted(field[3]),
      isSure: asBoolean(field[4], 'the sureness of a vote'),
    }
  }
  const decoded = decodeWith(bytes, limits.streamFrameBytesMax, read)
  return decoded.ok ? decoded.value : undefined
}
