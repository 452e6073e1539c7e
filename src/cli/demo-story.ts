/**
 * The story that the demo tells, step by step. Each step does something real, waits until the
 * members themselves say that it has happened, and holds what it claims against their answers: a
 * claim that does not hold ends the demo with an error.
 */
import { isVecheError } from '../base/veche-error.ts'
import type { PutResult } from '../control/protocol.ts'
import type { StatusResult } from '../control/protocol-network.ts'
import { collisionText } from './collision-commands.ts'
import type { Session } from './command.ts'
import type { DemoMember, DemoMembers } from './demo-members.ts'
import { type DemoScreen, reachedBy } from './demo-screen.ts'
import { type Patience, time, until } from './demo-wait.ts'
import { duration, namesOf, short } from './text.ts'

const NAMES = ['laptop', 'server', 'cupboard']
const READING_MS = 1800

export interface Story {
  readonly session: Session
  readonly screen: DemoScreen
  readonly members: DemoMembers
  readonly signal: AbortSignal
  /** Whether to leave time to read between the steps. */
  readonly isSlow: boolean
}

/** Who is cut off, and who stays together. */
interface Sides {
  readonly alone: DemoMember
  readonly pair: readonly [DemoMember, DemoMember]
}

/** What the demo ends with. */
export interface Ending {
  readonly hash: string
  readonly items: number
}

/** Tells all of it. Throws when something that it claims does not happen. */
export async function tell(story: Story): Promise<Ending> {
  await form(story)
  const sides = sidesOf(story.members)
  await write(story)
  await cut(story, sides)
  await workApart(story, sides)
  await heal(story)
  const branches = await showSplit(story, sides)
  return await settle(story, sides, branches)
}

/** What waits and draws the table meanwhile. */
function patienceOf({ members, screen, signal }: Story): Patience {
  return {
    signal,
    look: async () => {
      members.assertRunning()
      if (members.all.length === NAMES.length) await screen.live(await members.statuses())
    },
  }
}

async function form(story: Story): Promise<void> {
  const { screen, members, signal } = story
  await screen.step(
    'Three members, one network',
    'Each is a process of its own with a folder of its own, as on three machines. The first one ' +
      'begins the network (veche init), the others join it with a token (veche invite, veche ' +
      'join). None of them is the leader.',
  )
  for (const name of NAMES) {
    const { uuid, child } = await members.add(name, { signal })
    await screen.act(name, 'veche start', `process ${child.pid}, uuid …${uuid.slice(-8)}`)
    await until(`${name} is Source`, { signal }, async () =>
      (await members.statuses()).every(({ status }) => status === 'source'),
    )
  }
  await agreed(story)
  await screen.say(
    'All three are "source": each may take data and hand it on. The hash is one number over ' +
      'everything that a member holds: equal hashes, equal data.',
  )
  await rest(story)
}

async function write(story: Story): Promise<void> {
  const { screen, members } = story
  const [laptop, server, cupboard] = members.all as [DemoMember, DemoMember, DemoMember]
  await screen.step(
    'Written on one, readable on all',
    'Any member takes a write. It is answered when more than half of the members have it safely ' +
      'on disk: from then on no single machine can lose it.',
  )
  await put(story, laptop, 'report', 'Draft')
  await put(story, server, 'notes/today', 'Call Anna')
  await until('all have both items', patienceOf(story), async () =>
    (await members.statuses()).every(({ items }) => items === 2),
  )
  const { text } = await cupboard.client.get({ id: 'report' })
  await screen.act(cupboard.name, 'get report', `"${text}"`)
  await agreed(story)
  await rest(story)
}

async function cut(story: Story, { alone, pair }: Sides): Promise<void> {
  const { screen, members } = story
  await screen.step(
    `The line to ${alone.name} is cut`,
    `Its connections are dropped and new ones turned away. Neither side can tell a broken line ` +
      'from dead machines, and neither has to: each goes on with whom it can reach.',
  )
  await straighten(story, { alone, pair })
  for (const { door } of members.all) door.shut()
  alone.door.drop()
  const tookMs = await until('both sides have noticed the cut', patienceOf(story), async () =>
    (await members.statuses()).every(status => isCut(status, { alone, pair })),
  )
  await screen.table(await members.statuses())
  await screen.say(`Noticed by all after ${duration(tookMs)}.`)
  await rest(story)
}

/**
 * The member with the largest uuid dials nobody while the others dial it, so all its connections
 * pass through its own door. Where a race at the start made one the other way round, that one is
 * dropped here, and comes back the usual way.
 */
async function straighten({ signal }: Story, { alone, pair }: Sides): Promise<void> {
  const isStraight = () =>
    pair[0].door.connections === 0 && pair[1].door.connections === 1 && alone.door.connections === 2
  await until('each pair of members has one connection', { signal }, async () => {
    if (isStraight()) return true
    if (pair[0].door.connections > 0) pair[0].door.drop()
    if (pair[1].door.connections > 1) pair[1].door.drop()
    if (alone.door.connections > 2) alone.door.drop()
    return false
  })
}

function isCut(status: StatusResult, { alone, pair }: Sides): boolean {
  const others = reachedBy(status)
  if (status.uuid === alone.uuid) return others.length === 0 && status.status === 'source'
  const other = status.uuid === pair[0].uuid ? pair[1] : pair[0]
  return others.join() === other.name && status.status === 'source'
}

async function workApart(story: Story, { alone, pair }: Sides): Promise<void> {
  const { screen, members } = story
  await screen.step(
    'Both sides change the same item',
    `${capital(alone.name)} is alone and still takes data: it is yours, on your machine. The ` +
      'answer says honestly how many members have it. Meanwhile the others change the same ' +
      'report, and one more item.',
  )
  await put(story, alone, 'report', 'Draft, with figures', 'agreed')
  await put(story, pair[0], 'report', 'Draft, with a summary')
  await put(story, pair[1], 'notes/today', 'Call Anna and Boris')
  await until('the two sides have settled', patienceOf(story), async () => {
    const statuses = await members.statuses()
    const hashes = new Set(statuses.map(({ hash }) => hash))
    return hashes.size === 2 && statuses.every(isQuiet)
  })
  await screen.table(await members.statuses())
  await screen.say('Two hashes now: the sides hold different data, and each knows exactly what.')
  await rest(story)
}

async function heal(story: Story): Promise<void> {
  const { screen, members } = story
  await screen.step(
    'The line heals',
    'The members find each other by themselves, compare what they hold by hashes of hashes, so ' +
      'that only what differs crosses the line, and hand each other what is missing.',
  )
  for (const { door } of members.all) door.reopen()
  const tookMs = await agreed(story)
  await screen.say(`One hash again, ${duration(tookMs)} after the line was back.`)
  await rest(story)
}

/** Answers the ids of the branches. */
async function showSplit(story: Story, { alone, pair }: Sides): Promise<string[]> {
  const { screen, members, session } = story
  await screen.step(
    'Nobody was overwritten',
    'notes/today was changed on one side only: the newer version is everywhere. The report was ' +
      'changed on both, and neither change knew of the other. No clock decides whose work is ' +
      'thrown away: both are kept, and every member gives them the same names.',
  )
  const [found, ...others] = await Promise.all(members.all.map(({ client }) => client.collisions()))
  const { client } = pair[0]
  if (found === undefined || others.some(one => JSON.stringify(one) !== JSON.stringify(found)))
    throw new Error('The members do not name the collision alike.')
  const nameOf = namesOf((await client.members()).members)
  await screen.act(pair[0].name, 'veche collisions', 'the same answer on every member')
  await screen.raw(`\n${collisionText(session, found.collisions, nameOf)}\n`)
  const ids = found.collisions.flatMap(({ branches }) => branches.map(({ id }) => id))
  if (ids.length !== 2) throw new Error('The report was changed on two sides and has not split.')
  for (const id of ids) {
    const { text } = await alone.client.get({ id })
    await screen.act(alone.name, `get ${id}`, `"${text}"`)
  }
  const refusal = await client.get({ id: 'report' }).catch((error: unknown) => error)
  if (!isVecheError(refusal, 'SPLIT')) throw new Error('The split report was answered as one.')
  await screen.act(pair[0].name, 'get report', refusal.message)
  await rest(story)
  return ids
}

async function settle(story: Story, sides: Sides, branches: readonly string[]): Promise<Ending> {
  const { screen, members } = story
  const { client, name } = sides.pair[1]
  await screen.step(
    'A person decides',
    `Only you know what is right: keep one (veche resolve report --keep ${branches[0]}), or write ` +
      'the two together, as here. Both branches stay in the history of the report.',
  )
  const merged = 'Draft, with figures and a summary'
  const { version } = await client.resolve({ id: 'report', text: merged })
  await screen.act(name, `resolve report "${merged}"`, `version ${short(version)}`)
  await until('the collision is gone on all members', patienceOf(story), async () => {
    const found = await Promise.all(members.all.map(one => one.client.collisions()))
    return found.every(({ collisions }) => collisions.length === 0)
  })
  await agreed(story)
  const texts = await Promise.all(members.all.map(one => one.client.get({ id: 'report' })))
  if (texts.some(({ text }) => text !== merged)) throw new Error('A member reads another report.')
  const lists = await Promise.all(members.all.map(one => one.client.list()))
  if (lists.some(({ items }) => items.map(({ id }) => id).join() !== 'notes/today,report'))
    throw new Error('A member lists other items than the two that there are.')
  const [first] = await members.statuses()
  const { hash, items } = first!
  await screen.say(
    `One report, on three members, with one hash: ${short(hash)}. Nothing that was acknowledged ` +
      'was lost, and no member was ever in charge.',
  )
  return { hash, items }
}

/** Waits until all are Source, in touch, and hold the same; draws the table. */
export async function agreed(story: Story): Promise<number> {
  const { screen, members } = story
  const tookMs = await until('all members are Source with one hash', patienceOf(story), async () =>
    isOne(await members.statuses()),
  )
  await screen.table(await members.statuses())
  return tookMs
}

function isOne(statuses: readonly StatusResult[]): boolean {
  return statuses.every(
    status =>
      status.hash === statuses[0]?.hash &&
      status.status === 'source' &&
      isQuiet(status) &&
      reachedBy(status).length === NAMES.length - 1,
  )
}

/** Everything that it holds is in its hash. */
function isQuiet({ pending, unsettled }: StatusResult): boolean {
  return pending === 0 && unsettled === 0
}

async function put(
  { screen }: Story,
  { name, client }: DemoMember,
  id: string,
  text: string,
  wait: 'agreed' | 'majority' = 'majority',
): Promise<void> {
  const result = await client.put({ id, text, wait })
  if (result.level !== wait && result.level !== 'majority')
    throw new Error(`The write of ${id} on ${name} came only to the level "${result.level}".`)
  await screen.act(name, `put ${id} "${text}"`, levelText(result))
}

function levelText({ level, heldBy, of }: PutResult): string {
  return `${level}: safe on ${heldBy.length} of ${of}`
}

function sidesOf(members: DemoMembers): Sides {
  const [first, second, third] = members.all.toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1))
  return { alone: third!, pair: [first!, second!] }
}

async function rest({ isSlow, signal }: Story): Promise<void> {
  if (isSlow) await time(READING_MS, signal)
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
