/**
 * `watch`: what happens, as it happens, one line an event. It goes on across restarts of the
 * member and shows each event once.
 */
import type { Command } from 'commander'
import type { WatchEvent } from '../control/protocol-network.ts'
import { type Session, sessionOf, withClient, withCommonOptions } from './command.ts'
import { colorsFor, type Io, isGone } from './io.ts'
import { bytes, namesOf, plain, short, time } from './text.ts'

interface WatchCommandOptions {
  readonly prefix?: string
  readonly since?: string
}

/** Adds `watch`. */
export function addWatchCommand(program: Command, io: Io): void {
  withCommonOptions(
    program.command('watch').argument('[prefix]').description('show what happens, as it happens'),
  )
    .option('--prefix <prefix>', 'only items whose ids begin so (the same as the argument)')
    .option('--since <cursor>', 'all events after this one; "0" shows all that are kept')
    .addHelpText(
      'after',
      `
With --json each line is an event with its "cursor", from which --since goes on.

Examples:
  veche watch photos/
  veche watch --json --since 0 | jq 'select(.kind == "collision")'`,
    )
    .action(async (prefix: string | undefined, options: WatchCommandOptions, command: Command) => {
      await watch(sessionOf(io, command), { prefix, ...options })
    })
}

async function watch(
  session: Session,
  { prefix, since }: { readonly prefix?: string | undefined; readonly since?: string | undefined },
): Promise<void> {
  const { io } = session
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  const { yellow } = colorsFor(io.stderr, io.env)
  try {
    await withClient(session, async client => {
      const nameOf = namesOf((await client.members()).members)
      const events = client.watch({
        ...(prefix === undefined ? {} : { prefix }),
        ...(since === undefined ? {} : { since }),
        signal: stop.signal,
        onConnection: state =>
          void session.note(
            yellow(state === 'lost' ? 'The member is gone; waiting for it.' : 'It is back.'),
          ),
      })
      for await (const event of events) {
        if (isGone(io.stdout)) return
        await session.print(
          session.json ? `${JSON.stringify(event)}\n` : eventLine(session, event, nameOf),
        )
      }
    })
  } finally {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
  }
}

function eventLine(
  { colors }: Session,
  event: WatchEvent,
  nameOf: (uuid: string) => string,
): string {
  const { bold, cyan, dim, green, red, yellow } = colors
  const kind = (dress: (text: string) => string) => dress(event.kind.padEnd(9))
  switch (event.kind) {
    case 'added':
    case 'deleted': {
      const what = event.kind === 'added' ? kind(green) : kind(red)
      const size = event.kind === 'added' ? `  ${bytes(event.size)}` : ''
      const by = cyan(nameOf(event.by))
      return `${dim(time(event.at))}  ${what}  ${bold(plain(event.id))}${size}  ${by}\n`
    }
    case 'agreed':
    case 'resolved':
      return `${' '.repeat(19)}  ${kind(dim)}  ${plain(event.id)}  ${dim(short(event.version))}\n`
    case 'collision': {
      const ids = event.branches.map(({ id }) => plain(id)).join(', ')
      return `${' '.repeat(19)}  ${kind(yellow)}  ${bold(plain(event.id))}  now ${ids}\n`
    }
    case 'status': {
      const sync = event.synchronized ? green('in sync') : yellow('not in sync')
      return `${' '.repeat(19)}  ${kind(cyan)}  ${event.status}, network ${sync}\n`
    }
    case 'member': {
      const status = event.status === undefined ? '' : `  ${event.status}`
      return `${' '.repeat(19)}  ${kind(cyan)}  ${bold(plain(event.name))}  ${event.change}${status}\n`
    }
    case 'problem':
      return `${' '.repeat(19)}  ${kind(red)}  ${plain(event.sentence)}\n`
    default:
      return `${' '.repeat(19)}  ${dim(JSON.stringify(event satisfies never))}\n` // a newer daemon's
  }
}
