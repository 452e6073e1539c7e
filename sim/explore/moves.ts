/**
 * What may happen next. Ways are free: a message or a job in flight is taken, or, when nothing is
 * left in flight, time passes, a cut heals, a member is opened. Surprises are counted: a message is
 * lost, comes twice or late, a job fails or takes long, a link is cut, a member ends or stands
 * still, a user writes. All that happens within so many surprises is explored.
 *
 * `free`: whatever is in flight may be taken in any order. `fifo`: one order of taking, and being
 * late is the surprise that changes it; for three members and more, where free orders are too many.
 */
import { advance, crash, open, receive, tick, write } from './driver.ts'
import { namesMax } from './facts.ts'
import { checkSides } from './invariants.ts'
import { doJob, failJob } from './jobs.ts'
import {
  IDS,
  isAwake,
  isLinked,
  type Job,
  linkBit,
  type Member,
  type Message,
  touch,
  type World,
} from './world.ts'

export type Order = 'free' | 'fifo'

export interface Move {
  readonly text: string
  readonly run: (world: World) => void
}

/** The free ways from a world (cost 0), or all that may surprise it (cost 1). */
export function movesOf(world: World, order: Order, cost: 0 | 1): Move[] {
  const moves: Move[] = []
  const flying = inFlight(world, false)
  const chosen = order === 'free' ? flying : flying.slice(0, 1)
  if (cost === 1) {
    for (const thing of chosen) troubles(thing, moves)
    memberTroubles(world, moves)
    linkTroubles(world, moves)
    return moves
  }
  for (const thing of chosen) moves.push(taking(thing))
  if (flying.length === 0) quietMoves(world, moves)
  else if (order === 'free') for (const thing of inFlight(world, true)) moves.push(taking(thing))
  return moves
}

interface Flying {
  readonly at: number
  readonly from: number
  readonly message: Message | null
  readonly job: Job | null
  readonly text: string
}

/** What is on its way to members that are awake, in a fixed order. */
function inFlight(world: World, late: boolean): Flying[] {
  const found: Flying[] = []
  for (const member of world.members) {
    if (!isAwake(member)) continue
    const { at } = member
    for (const [from, queue] of member.inbox.entries()) {
      for (const message of queue) {
        if (message.late !== late) continue
        const text = `${message.kind} ${IDS[from]}→${IDS[at]}`
        found.push({ at, from, message, job: null, text })
      }
    }
    for (const job of member.jobs) {
      if (job.late !== late) continue
      found.push({ at, from: -1, message: null, job, text: `${IDS[at]}: ${jobText(job)}` })
    }
  }
  return found
}

function jobText(job: Job): string {
  if (job.kind === 'compare') {
    const part = job.said === null ? 'asks' : 'compared with'
    return `${part} ${IDS[job.peer]} (${job.purpose})`
  }
  if (job.kind === 'fill') return `fills a gap from ${IDS[job.peer]}`
  return job.kind
}

function taking(thing: Flying): Move {
  const { at, from, message, job, text } = thing
  const run = (world: World) => {
    if (job !== null) doJob(world, at, job)
    if (message === null) return
    remove(touch(world, at), from, message)
    receive(world, at, from, message)
  }
  return { text, run }
}

function remove(member: Member, from: number, message: Message): void {
  const queue = member.inbox[from]!
  queue.splice(queue.indexOf(message), 1)
}

/** When nothing is in flight but what is late. */
function quietMoves(world: World, moves: Move[]): void {
  moves.push({ text: `${world.setting.quantumMs} ms pass`, run: passTime })
  for (const thing of inFlight(world, true)) moves.push(taking(thing))
  for (const member of world.members) {
    const { at } = member
    if (member.state === null) {
      moves.push({ text: `${IDS[at]} is opened`, run: next => open(next, at) })
    } else if (member.isPaused) {
      moves.push({ text: `${IDS[at]} goes on`, run: next => goOn(next, at) })
    }
  }
  if (world.blocked !== 0) moves.push({ text: 'all links heal', run: heal })
}

/** Time passes for all. */
export function passTime(world: World): void {
  const { quantumMs } = world.setting
  advance(world, quantumMs)
  checkSides(world, quantumMs)
}

export function heal(world: World): void {
  world.blocked = 0
}

export function goOn(world: World, at: number): void {
  touch(world, at).isPaused = false
  tick(world, at)
}

function troubles(thing: Flying, moves: Move[]): void {
  const { at, from, message, job, text } = thing
  if (message !== null) {
    const lose = (world: World) => remove(touch(world, at), from, message)
    moves.push({ text: `LOST ${text}`, run: lose })
    const delay = (world: World) => {
      lose(world)
      touch(world, at).inbox[from]!.push({ ...message, late: true })
    }
    moves.push({ text: `LATE ${text}`, run: delay })
    const twice = (world: World) => {
      delay(world)
      receive(world, at, from, message)
    }
    moves.push({ text: `TWICE ${text}`, run: twice })
    return
  }
  if (job === null) return
  const delay = (world: World) => {
    const member = touch(world, at)
    member.jobs = member.jobs.map(other => (other === job ? { ...job, late: true } : other))
  }
  moves.push({ text: `SLOW ${text}`, run: delay })
  if (job.kind !== 'compare' && job.kind !== 'rearrange') return
  moves.push({ text: `FAILED ${text}`, run: world => failJob(world, at, job) })
}

function memberTroubles(world: World, moves: Move[]): void {
  const name = nextName(world)
  for (const member of world.members) {
    if (!isAwake(member)) continue
    const { at } = member
    const self = IDS[at]
    moves.push({ text: `CRASH of ${self}`, run: next => crash(next, at) })
    const pause = (next: World) => {
      touch(next, at).isPaused = true
    }
    moves.push({ text: `${self} STANDS STILL`, run: pause })
    if (name === null) continue
    moves.push({
      text: `WRITE of n${name} at ${self}`,
      run: next => write(next, at, name),
    })
  }
}

function nextName(world: World): number | null {
  if (world.writes >= world.setting.writesMax) return null
  for (let name = 0; name < namesMax; name++) {
    if ((world.written & (1 << name)) === 0) return name
  }
  return null
}

function linkTroubles(world: World, moves: Move[]): void {
  const { members } = world.setting
  for (let a = 0; a < members; a++) {
    for (let b = 0; b < members; b++) {
      if (a === b || !isLinked(world, a, b)) continue
      const oneWay = (next: World) => cut(next, a, b)
      moves.push({ text: `CUT ${IDS[a]}→${IDS[b]}`, run: oneWay })
      if (a > b || !isLinked(world, b, a)) continue
      const both = (next: World) => {
        cut(next, a, b)
        cut(next, b, a)
      }
      moves.push({ text: `CUT ${IDS[a]}↔${IDS[b]}`, run: both })
    }
  }
  if (members < 3 || world.blocked !== 0) return
  for (let alone = 0; alone < members; alone++) {
    const away = (next: World) => {
      for (let other = 0; other < members; other++) {
        if (other === alone) continue
        cut(next, alone, other)
        cut(next, other, alone)
      }
    }
    moves.push({ text: `CUT ${IDS[alone]} from all`, run: away })
  }
}

/** Nothing passes any more, and what is on its way does not arrive. */
function cut(world: World, from: number, to: number): void {
  world.blocked |= linkBit(from, to)
  touch(world, to).inbox[from]!.length = 0
}
