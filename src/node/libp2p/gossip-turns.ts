/**
 * Members pass a message on in turns. Its author sends it to everybody directly, and everybody sends
 * it on to everybody else, in case a link works one way only: among three members each message would cross the
 * link between its two hearers twice, in both directions at the same time. Here they have an order, another one for each author:
 * the first passes it on at once, the next ones a moment later, and not to whom a copy came from meanwhile.
 *
 * Invariant: whoever heard a message passes it on, or heard it from all whom it would pass it on to.
 */
import { type GossipSub, type GossipsubMessage, TopicValidatorResult } from '@libp2p/gossipsub'
import { limits } from '../../base/limits.ts'

/** What gossipsub is told when a message may be passed on; its interface does not name it. */
interface Passing {
  reportMessageValidationResult(id: string, from: string, result: TopicValidatorResult): void
}

/** Gossipsub has to be made with `asyncValidation`: it delivers a message, and waits to be told to pass it on. */
export function passOnInTurns(gossip: GossipSub, self: string): void {
  const passing = gossip as unknown as Passing
  gossip.addEventListener('gossipsub:message', ({ detail }) => {
    const passOn = () => {
      const from = detail.propagationSource.toString()
      passing.reportMessageValidationResult(detail.msgId, from, TopicValidatorResult.Accept)
    }
    const waitMs = turnMs(detail, gossip.getSubscribers(detail.msg.topic), self)
    if (waitMs === 0) passOn()
    else setTimeout(passOn, waitMs).unref()
  })
}

function turnMs(
  { msg, propagationSource }: GossipsubMessage,
  subscribers: readonly object[],
  self: string,
): number {
  // Where a message goes from neighbour to neighbour, each hop counts.
  if (msg.type !== 'signed' || subscribers.length > limits.floodPeersMax) return 0
  const author = msg.from.toString()
  // Nor does its author reach everybody where somebody else was quicker.
  if (propagationSource.toString() !== author) return 0
  return turnOf(self, author, subscribers.map(String))
}

/**
 * How long a member waits before it passes on what an author says, in milliseconds: by its place
 * behind the author in the order of ids, which begins anew after the last one.
 */
export function turnOf(self: string, author: string, subscribers: readonly string[]): number {
  const others = [...new Set([...subscribers, self])].filter(id => id !== author).sort()
  const first = others.findIndex(id => id > author)
  const begin = first < 0 ? 0 : first
  const place = (others.indexOf(self) - begin + others.length) % others.length
  return (place * limits.gossipTurnsMs) / others.length
}
