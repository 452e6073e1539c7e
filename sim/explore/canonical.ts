/**
 * The name of a state: two worlds with one name behave alike from here on. Left out is what changes
 * no behaviour: absolute times (only how long ago, up to the largest threshold that anything is
 * compared with), clocks (only their order on one link), tickets (only who waits for a job),
 * incarnations (only which are over), entries of histories that nothing can match any more.
 *
 * What a member is called depends on the moment and on the lives of all; it is kept until it changes.
 */

import { refKey } from '../../src/base/fact.ts'
import { unreachable } from '../../src/base/invariant.ts'
import { limits } from '../../src/base/limits.ts'
import type { Stamp } from '../../src/base/stamp.ts'
import { isInFirstPeriod } from '../../src/consensus/agreement/check.ts'
import type { Entry } from '../../src/consensus/agreement/history.ts'
import type { AgreementState, Peer, Round } from '../../src/consensus/agreement/state.ts'
import { type Print, printOf } from './seen.ts'
import { cutOf, msOfStamp, networkMs } from './time.ts'
import { IDS, type Job, type Member, type Message, type World } from './world.ts'

/** `added` this long before now differs from others of its age in nothing. */
const oldAddedMs = 10_000
/** More openings of one member than any exploration has surprises. */
const livesMax = 32

/** The print of a world. Members are named by `memberName`, once for each moment. */
export function printOfWorld(world: World): Print {
  const at = momentOf(world)
  let name = `${world.now % 1000}|${world.blocked}|${world.twoSidesMs}|${world.writes}`
  for (const member of world.members) {
    if (member.print?.at !== at) member.print = { at, ...printOf(memberName(world, member)) }
    name += `#${member.print.low}.${member.print.high}`
  }
  return printOf(name)
}

/** The moment and the lives of all, in one number: what else a member's name depends on. */
function momentOf(world: World): number {
  let at = world.now
  for (const { life } of world.members) at = at * livesMax + Math.min(life, livesMax - 1)
  return at
}

function memberName(world: World, member: Member): string {
  const { facts, state } = member
  const parts: (string | number)[] = [
    facts.agreed,
    facts.aside,
    facts.freshHeld,
    facts.freshNew,
    facts.isHolding ? 1 : 0,
    member.isPaused ? 1 : 0,
    facts.added.map(ms => addedName(world, ms)).join(),
    member.sent.join(''),
  ]
  for (const [from, incoming] of member.incoming.entries()) {
    if (incoming === null) parts.push('-')
    else parts.push(`${lifeName(world, from, incoming.life)}.${incoming.got}.${incoming.last}`)
  }
  if (state === null) return `down ${parts.join()}`
  for (const [from, queue] of member.inbox.entries()) {
    if (from !== member.at) parts.push(linkName(world, state, from, queue))
  }
  parts.push(agreementName(world, member, state))
  parts.push(
    member.jobs
      .map(job => jobName(world, state, job))
      .sort()
      .join(';'),
  )
  return parts.join()
}

function addedName(world: World, ms: number): string {
  if (ms <= 0) return ms === 0 ? 'z' : '-'
  return String(Math.min(networkMs(world.now) - ms, oldAddedMs))
}

function stampName(world: World, added: Stamp): string {
  return addedName(world, msOfStamp(added))
}

/** Which incarnation: how many lives ago. */
function lifeName(world: World, at: number, life: string): string {
  return life === '' ? '' : String(world.members[at]!.life - Number(life.slice(1)))
}

function since(now: number, at: number, limit: number): number {
  return Math.min(now - at, limit)
}

function until(now: number, at: number): number {
  return Math.max(at - now, 0)
}

/** Cuts are told from each other only while they may still be equal to another. */
function cutName(world: World, cut: number): number {
  return Math.min((cutOf(world.now) - cut) / 1000, 9)
}

/** What a member knows of another, and what is on its way from it, with their clocks by rank. */
function linkName(
  world: World,
  state: AgreementState,
  from: number,
  queue: readonly Message[],
): string {
  const peer = state.peers.get(IDS[from]!)!
  const clocks = [
    peer.clock,
    peer.ping?.clock ?? '',
    ...queue.map(({ envelope }) => envelope.clock),
  ]
  const order = [...new Set(clocks)].sort()
  const rank = (clock: string) => order.indexOf(clock)
  const messages = queue.map(message => {
    const { envelope, late } = message
    const { status, hash, cut, held, empty } = envelope
    const life = lifeName(world, from, envelope.incarnation)
    const said = `${rank(envelope.clock)}${late ? 'l' : ''}${life}${status}${hash}.${(cutOf(world.now) - cut) / 1000}${held}${empty}`
    if (message.kind === 'answer') return `a${said}`
    if (message.kind === 'probe') return `q${said}`
    if (message.kind === 'add') {
      return `+${said}${message.number}.${message.name}.${addedName(world, message.addedMs)}`
    }
    const { answers, reached, marked, sequence } = message.ping
    return `p${said}${answers.join('')}.${reached.join('')}.${marked.join('')}.${sequence}`
  })
  const known = rank(peer.clock) * 10 + rank(peer.ping?.clock ?? '')
  return `${known}${peerName(world, state, peer, from)}[${messages.sort().join(';')}]`
}

function peerName(world: World, state: AgreementState, peer: Peer, at: number): string {
  const { now } = world
  const { ping } = peer
  const heard = since(now, peer.heardAt, limits.rosterSilenceMs)
  const isSettled = heard <= limits.heardMs ? since(now, peer.heardSince, limits.pingMs) : ''
  const answered = since(now, peer.answeredAt, limits.heardMs + 1)
  const pinged =
    ping === null || now - ping.at > limits.heardMs
      ? (ping === null ? '-' : '') + [...(ping?.marked ?? [])].join('')
      : `${now - ping.at}.${[...ping.answers].join('')}.${[...ping.reached].join('')}.${[...ping.marked].join('')}`
  const source =
    peer.sourceSince === null
      ? '-'
      : state.source !== null && peer.sourceSince > state.source.checkAt - limits.checkMs
        ? 'n'
        : 's'
  const history = (peer.sourceSince === null ? [] : peer.history)
    .filter(entry => entry.cut >= state.own.cut || isIn(state.history, entry))
    .map(entry => entryName(state, entry))
  const marks = `${peer.marked ? 1 : 0}${peer.markedBefore ? 1 : 0}`
  const healed = since(now, peer.healedAt, 1000)
  const said = `${peer.status}${peer.hash}.${cutName(world, peer.cut)}${peer.held}${peer.empty}${peer.rttMs}`
  return `${said}${lifeName(world, at, peer.incarnation)}.${heard}.${isSettled}.${answered}(${pinged})${source}${history.join()}.${marks}.${healed}`
}

function isIn(entries: readonly Entry[], entry: Entry): boolean {
  return entries.some(other => other.cut === entry.cut && other.hash === entry.hash)
}

/** Seen from the own cut: of a member that stands still both stay behind together. */
function entryName(state: AgreementState, entry: Entry): string {
  return `${(state.own.cut - entry.cut) / 1000}${entry.hash}`
}

function agreementName(world: World, member: Member, state: AgreementState): string {
  const { now } = world
  const { own, source, round, sync } = state
  const history = state.history
    .filter(entry => mayMatch(member, state, entry))
    .map(entry => entryName(state, entry))
    .sort()
  return [
    state.status,
    own.hash,
    own.held,
    cutName(world, own.cut),
    history.join('/'),
    source === null ? '-' : `${until(now, source.checkAt)}${isInFirstPeriod(source) ? 'f' : ''}`,
    round === null ? '-' : roundName(world, round),
    sync === null
      ? '-'
      : `${sync.asking?.peer}.${sync.rearranging !== null}.${until(now, sync.nextAt)}.${[
          ...sync.failedAt,
        ]
          .map(([id, at]) => id + since(now, at, limits.checkMs))
          .sort()
          .join('')}`,
    state.holding ? 1 : 0,
    state.announcesSoon ? 1 : 0,
    since(now, state.startedAt, limits.rosterSilenceMs),
    since(now, state.lastTickAt, limits.heardMs + 1),
    since(now, state.pingedAt, limits.pingMs),
    since(now, state.reachedAnybodyAt, limits.heardMs),
    since(now, state.reachedMajorityAt, limits.heardMs + 1),
  ].join()
}

/** An own entry can be met by what comes, by what is known, or by what is on its way. */
function mayMatch(member: Member, state: AgreementState, entry: Entry): boolean {
  if (entry.cut >= state.own.cut) return true
  for (const peer of state.peers.values()) {
    if (peer.sourceSince !== null && isIn(peer.history, entry)) return true
  }
  return member.inbox.some(queue =>
    queue.some(
      ({ kind, envelope }) =>
        kind === 'ping' && envelope.cut === entry.cut && envelope.hash === entry.hash,
    ),
  )
}

function roundName(world: World, round: Round): string {
  const { now } = world
  const answers = [...round.answers].map(
    ([id, { theirHeld, lacks, has }]) =>
      `${id}${theirHeld}-${[...lacks.keys()].sort().join('')}+${[...has]
        .map(
          ([key, { state }]) =>
            key + (state.kind === 'agreed' ? stampName(world, state.added) : 'p'),
        )
        .sort()
        .join('')}`,
  )
  const asking = [...round.asking].map(([id, { gained }]) => `${id}${gained === round.gained.size}`)
  const retries = [...round.retryAt].map(([id, at]) => `${id}${until(now, at)}`)
  const { rearranging, inLineAt, isGaining, gained } = round
  return [
    answers.sort().join('/'),
    asking.sort().join('/'),
    [...gained].sort().join('/'),
    isGaining,
    rearranging?.revision,
    inLineAt,
    retries.sort().join('/'),
  ].join('~')
}

function jobName(world: World, state: AgreementState, job: Job): string {
  const late = job.late ? 'l' : ''
  switch (job.kind) {
    case 'hold':
      return `h${late}`
    case 'compare': {
      const isRound = state.round?.asking.get(IDS[job.peer]!)?.ticket === job.ticket
      const isSync = state.sync?.asking?.ticket === job.ticket
      const { said } = job
      const answer =
        said === null
          ? '-'
          : `${said.held}.${said.settled}.${cutName(world, said.cut)}.${said.facts.added.map(ms => addedName(world, ms)).join()}.${said.facts.aside}`
      return `c${late}${job.peer}${job.scope}${job.purpose}${job.mine}${isRound}${isSync}${answer}`
    }
    case 'rearrange': {
      const { ticket, setAside, fetch, keepPending } = job.effect
      const isRound = state.round?.rearranging?.ticket === ticket
      const isSync = state.sync?.rearranging === ticket
      const fetched = fetch.map(
        ({ peer, facts }) =>
          peer + facts.map(({ ref, added }) => refKey(ref) + stampName(world, added)).join(),
      )
      const kept = keepPending === null ? '-' : [...keepPending].sort().join()
      return `r${late}${isRound}${isSync}${setAside.map(refKey).join()}/${fetched.join()}/${kept}`
    }
    case 'fill':
      return `f${late}${job.peer}${lifeName(world, job.peer, job.life)}${job.numbers}`
    case 'drain':
      return `d${late}${job.slice}.${job.waiting}.${job.shown.map(ms => addedName(world, ms)).join()}`
    default:
      return unreachable(job)
  }
}
