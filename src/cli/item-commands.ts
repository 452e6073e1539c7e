/**
 * Commands about items: `rm`, `ls`, `log`, `links`.
 */
import type { Command } from 'commander'
import { limits } from '../base/limits.ts'
import type { Client } from '../client/client.ts'
import type { HistoryFact, ItemHeader, ListParams } from '../control/protocol.ts'
import { type Session, sessionOf, withClient, withCommonOptions } from './command.ts'
import { type Io, isGone } from './io.ts'
import { type PutOptions, tellPut, withWriteOptions, writeOf } from './payload-commands.ts'
import { bytes, type Cell, namesOf, plain, short, table, time } from './text.ts'
import { countOf, idOf, timeOf } from './usage.ts'

/** Adds `rm`, `ls`, `log` and `links`. */
export function addItemCommands(program: Command, io: Io): void {
  withWriteOptions(
    withCommonOptions(
      program.command('rm').argument('<id>').description('delete an item (its history stays)'),
    ),
  )
    .addHelpText(
      'after',
      '\nA change made elsewhere at the same time survives a delete.\n\nExample:\n  veche rm old/notes',
    )
    .action(async (id: string, options: PutOptions, command: Command) => {
      const session = sessionOf(io, command)
      const params = { id: idOf(id), ...writeOf(options) }
      await tellPut(session, await withClient(session, client => client.delete(params)))
    })

  withCommonOptions(
    program.command('ls').argument('[prefix]').description('list items, in the order of their ids'),
  )
    .option('--prefix <prefix>', 'only ids that begin so (the same as the argument)')
    .option('--deleted', 'also those that were deleted')
    .option('--at <time>', 'as they were at a time: 2026-03-01T12:00, or 2h ago as "2h"')
    .option('--limit <n>', 'at most so many')
    .option('--ids', 'print nothing but ids, one a line')
    .addHelpText('after', '\nExamples:\n  veche ls photos/\n  veche ls --ids | wc -l')
    .action(async (prefix: string | undefined, options: LsOptions, command: Command) => {
      const session = sessionOf(io, command)
      await withClient(session, client => ls(session, client, { prefix, ...options }))
    })

  withCommonOptions(
    program.command('log').argument('<id>').description('the versions of an item, youngest first'),
  )
    .option('--limit <n>', 'at most so many')
    .addHelpText(
      'after',
      '\nExample:\n  veche log plan\n  veche get plan --version VERSION   (from: veche log plan --json)',
    )
    .action(async (id: string, options: { readonly limit?: string }, command: Command) => {
      const session = sessionOf(io, command)
      await withClient(session, client => log(session, client, idOf(id), options.limit))
    })

  withCommonOptions(
    program
      .command('links')
      .argument('<id>')
      .description('what an item depends on, and what on it'),
  ).action(async (id: string, _: object, command: Command) => {
    const session = sessionOf(io, command)
    await withClient(session, client => links(session, client, idOf(id)))
  })
}

interface LsOptions {
  readonly prefix?: string | undefined
  readonly deleted?: boolean
  readonly at?: string
  readonly limit?: string
  readonly ids?: boolean
}

async function ls(session: Session, client: Client, options: LsOptions): Promise<void> {
  const { prefix, deleted, at, limit, ids } = options
  const params: ListParams = {
    ...(prefix === undefined ? {} : { prefix: tildes(prefix) }),
    ...(deleted ? { deleted } : {}),
    ...(at === undefined ? {} : { at: timeOf(at, Date.now()) }),
  }
  let left =
    limit === undefined ? Number.POSITIVE_INFINITY : countOf(limit, '--limit', 1, 1_000_000_000)
  let after: string | undefined
  let isFirst = true
  const damaged: string[] = []
  if (session.json) await session.print('{"items":[')
  do {
    const page = await client.list({
      ...params,
      limit: Math.min(left, limits.pageMax),
      ...(after === undefined ? {} : { after }),
    })
    if (session.json) {
      const text = page.items.map(item => JSON.stringify(item)).join(',')
      await session.print(text !== '' && !isFirst ? `,${text}` : text)
    } else if (ids) {
      await session.print(page.items.map(({ id }) => `${id}\n`).join(''))
    } else {
      await session.print(table(page.items.map(item => itemRow(session, item))))
    }
    isFirst = false
    damaged.push(...(page.damaged ?? []))
    left -= page.items.length
    after = page.next
  } while (after !== undefined && left > 0 && !isGone(session.io.stdout))
  if (!session.json) return await sayDamaged(session, damaged)
  const next = after === undefined ? '' : `,"next":${JSON.stringify(after)}`
  const leftOut = damaged.length === 0 ? '' : `,"damaged":${JSON.stringify(damaged)}`
  await session.print(`]${next}${leftOut}}\n`)
}

async function sayDamaged(session: Session, damaged: readonly string[]): Promise<void> {
  const [first] = damaged
  if (first === undefined) return
  const items = damaged.length === 1 ? '1 item is' : `${damaged.length} items are`
  await session.note(
    `${items} not listed: damaged here, and fetched from the others. See \`veche why ${plain(first)}\`.`,
  )
}

/** A prefix may end in the middle of anything, so only tildes that stand alone are doubled. */
function tildes(prefix: string): string {
  return prefix.replace(/~~|~(?![0-9a-f]|$)/g, '~~')
}

function itemRow({ colors }: Session, item: ItemHeader): Cell[] {
  const id: Cell = {
    text: plain(item.id),
    dress: item.deleted ? colors.strikethrough : colors.bold,
  }
  const state = item.deleted ? 'deleted' : item.state === 'pending' ? 'pending' : ''
  const dress = item.deleted ? colors.red : colors.yellow
  return [
    { text: item.deleted ? '–' : bytes(item.size), align: 'right' },
    { text: time(item.at), dress: colors.dim },
    id,
    { text: plain(item.type), dress: colors.dim },
    { text: [state, ...item.tags.map(tag => `#${plain(tag)}`)].join(' ').trim(), dress },
  ]
}

async function log(
  session: Session,
  client: Client,
  id: string,
  limit: string | undefined,
): Promise<void> {
  const wanted = limit === undefined ? 100 : countOf(limit, '--limit', 1, 1_000_000)
  const facts: HistoryFact[] = []
  let after: string | undefined
  do {
    const page = await client.history({
      id,
      limit: Math.min(wanted - facts.length, limits.pageMax),
      ...(after === undefined ? {} : { after }),
    })
    facts.push(...page.facts)
    after = page.next
  } while (after !== undefined && facts.length < wanted)
  const more = after === undefined ? {} : { next: after }
  if (session.json) return session.answer({ facts, ...more }, () => '')
  const nameOf = namesOf((await client.members()).members)
  await session.print(table(facts.map(fact => factRow(session, fact, nameOf))))
  if (after !== undefined) await session.note('There are older versions: see --limit.')
}

function factRow({ colors }: Session, fact: HistoryFact, nameOf: (uuid: string) => string): Cell[] {
  const notes = [
    fact.parents.length > 1 ? `merge of ${fact.parents.length}` : '',
    fact.state === 'pending' ? 'pending' : '',
    plain(fact.description),
  ]
  return [
    { text: String(fact.position), align: 'right', dress: colors.dim },
    { text: short(fact.version), dress: colors.yellow },
    { text: time(fact.at) },
    { text: nameOf(fact.by), dress: colors.cyan },
    fact.deleted
      ? { text: 'deleted', align: 'right', dress: colors.red }
      : { text: bytes(fact.size), align: 'right' },
    { text: plain(fact.type), dress: colors.dim },
    { text: notes.filter(note => note !== '').join(', ') },
  ]
}

async function links(session: Session, client: Client, id: string): Promise<void> {
  const found = await client.links({ id })
  const { bold, dim, red } = session.colors
  await session.answer(found, () => {
    const to = found.dependsOn.map(link =>
      link.missing ? `  → ${plain(link.id)}  ${red('missing')}\n` : `  → ${plain(link.id)}\n`,
    )
    const from = found.dependedOnBy.map(other => `  ← ${plain(other)}\n`)
    const none = dim('  nothing\n')
    return (
      `${bold('depends on')}\n${to.join('') || none}` +
      `${bold('depended on by')}\n${from.join('') || none}`
    )
  })
}
