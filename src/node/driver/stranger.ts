/**
 * Being unknown to who should know one (PROTOCOL 10): a machine that was let in by a member which
 * was removed before it told anybody is in nobody's roster but its own. It hears so at the doors of
 * the others, and nothing else of them. Here that is kept, told, and written down, so that `join`
 * takes a new token for a store which says that it is a member.
 *
 * It changes nothing else: who let this machine in may be away for a while only, and come back.
 */
import { utf8 } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import type { Store } from '../../storage/store.ts'
import type { Member } from './member.ts'

const KEY = 'stranger'

/** What a store remembers of it, as `join` has to write or forget it, too. */
export async function isStranger(store: Store): Promise<boolean> {
  return ((await store.meta(KEY))?.length ?? 0) > 0
}

export function strangerMark(is: boolean) {
  return { kind: 'meta', key: KEY, value: utf8(is ? '1' : '') } as const
}

export class Stranger {
  readonly #member: Member
  /** Members that do not know this one. */
  readonly #to = new Set<MemberId>()
  /** What is on disk; null: not read yet. */
  #isMarked: boolean | null = null

  constructor(member: Member) {
    this.#member = member
  }

  /** A member said at its door whether it knows this one. */
  async hear(peer: MemberId, isKnown: boolean): Promise<void> {
    if (isKnown) this.#to.delete(peer)
    else this.#to.add(peer)
    await this.#tell()
  }

  /** Who is reached knows this member; who is no member any more does not matter. */
  async tick(reached: readonly MemberId[]): Promise<void> {
    const before = this.#to.size
    for (const peer of this.#to) {
      if (reached.includes(peer) || !this.#member.roster.isMember(peer)) this.#to.delete(peer)
    }
    const isFirst = this.#isMarked === null && reached.length > 0
    if (isFirst || this.#to.size < before) await this.#tell()
  }

  async #tell(): Promise<void> {
    const { ledger, problems, roster, store } = this.#member
    const [peer] = this.#to
    const is = peer !== undefined
    problems.note(
      KEY,
      is
        ? {
            reason: 'stranger',
            member: peer,
            sentence: `${roster.nameOf(peer) || peer} does not know this machine: who let it in may have been removed before it told anybody.`,
            nextStep:
              'If that member does not come back: `veche invite` on a machine that goes on, stop this one, and `veche join TOKEN` on the same store.',
          }
        : undefined,
    )
    this.#isMarked ??= await isStranger(store)
    if (this.#isMarked === is) return
    this.#isMarked = is
    await ledger.record([strangerMark(is)])
  }
}
