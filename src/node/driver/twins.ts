/**
 * Two daemons with one identity: a store was copied, and both copies run. Whoever hears both knows
 * it, for a daemon that ended never speaks again: a life that speaks after a later one began has not
 * ended. It is told to people here, and to whichever copy the link leads to; the copies cannot hear
 * each other otherwise, for no daemon dials its own identity.
 *
 * It is only told. Nothing that another member says may take a status away: one that lies could end
 * all others with it (docs/decisions/0013-two-members-with-one-identity.md).
 */
import type { Incarnation, MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { type Stamp, stampMs } from '../../base/stamp.ts'
import type { Envelope, Twin } from '../../consensus/messages.ts'
import type { Context } from './context.ts'

/** What was heard under one identity. */
interface Lives {
  current: Incarnation
  /** Its clock when it was first heard. */
  since: Stamp
  readonly former: Incarnation[]
  toldAt: number
}

/** Former lives that are remembered of each member: a copy is heard within a few messages. */
const FORMER_MAX = 4

export class Twins {
  readonly #context: Context
  readonly #lives = new Map<MemberId, Lives>()
  /** Problems that are open, with the moment of their last sign. */
  readonly #open = new Map<MemberId, number>()

  constructor(context: Context) {
    this.#context = context
  }

  /** Any message of a member of the roster. */
  heard({ uuid, incarnation, clock }: Envelope): void {
    this.#endOld()
    const { self } = this.#context
    if (uuid === self) {
      // Gossip is signed, so it is our own key that said this; what we said ourselves is ours.
      if (incarnation !== this.#context.incarnation) this.#tell(uuid)
      return
    }
    const lives = this.#lives.get(uuid)
    if (lives === undefined) {
      const toldAt = Number.NEGATIVE_INFINITY
      this.#lives.set(uuid, { current: incarnation, since: clock, former: [], toldAt })
      return
    }
    if (incarnation === lives.current) return
    if (!lives.former.includes(incarnation)) return begin(lives, incarnation, clock)
    // Relayed late, a message of a former life is older than the first of the present one.
    if (stampMs(clock) <= stampMs(lives.since) + limits.twinMarginMs) return
    this.#tell(uuid)
    const other = lives.current
    begin(lives, incarnation, clock)
    const now = this.#context.now()
    if (now - lives.toldAt < limits.blameMs) return
    lives.toldAt = now
    this.#context.links.send(uuid, { kind: 'twin', lives: [incarnation, other] })
  }

  /** Another member hears our identity twice. */
  onTwin(from: MemberId, { lives }: Twin): void {
    if (lives.includes(this.#context.incarnation)) this.#tell(this.#context.self, from)
  }

  #tell(uuid: MemberId, by?: MemberId): void {
    this.#open.set(uuid, this.#context.now())
    const isOwn = uuid === this.#context.self
    const who = isOwn ? 'this member' : 'that member'
    const said = by === undefined ? '' : ` (as ${by} says)`
    this.#context.problems.set(`twin/${uuid}`, {
      reason: 'twin',
      member: uuid,
      sentence: `Two daemons run with the identity of ${who}${said}: its store was copied.`,
      nextStep:
        'Stop one of the two, the one with the older data. To keep its machine as a member of its ' +
        'own, empty its folder and `veche join` there with a new invitation.',
    })
  }

  #endOld(): void {
    const now = this.#context.now()
    for (const [uuid, at] of this.#open) {
      if (now - at < limits.twinMs) continue
      this.#open.delete(uuid)
      this.#context.problems.clear(`twin/${uuid}`)
    }
  }
}

function begin(lives: Lives, incarnation: Incarnation, clock: Stamp): void {
  const known = lives.former.indexOf(incarnation)
  if (known >= 0) lives.former.splice(known, 1)
  lives.former.push(lives.current)
  if (lives.former.length > FORMER_MAX) lives.former.shift()
  lives.current = incarnation
  lives.since = clock
}
