/**
 * The commands that make a store and run its member: `init`, `join`, `start`. Everything else
 * speaks with a running member.
 */
import type { Command } from 'commander'
import { compileNoMore } from './background-compiling.ts'
import { type Session, sessionOf, withCommonOptions } from './command.ts'
import { loadDaemon, type MadeStore } from './daemon.ts'
import type { Io } from './io.ts'
import { collectAllRarely } from './old-generation.ts'
import { collectAtRest } from './rest.ts'
import { plain } from './text.ts'
import { quorumOf, UsageError } from './usage.ts'
import { keepYoungSmall } from './young-generation.ts'

interface AddressOptions {
  readonly listen?: readonly string[]
  readonly announce?: readonly string[]
}

interface MakeOptions extends AddressOptions {
  readonly name?: string
}

/** Adds `init`, `join` and `start`. */
export function addDaemonCommands(program: Command, io: Io): void {
  withMakeOptions(
    program.command('init').description('make a store, and with it a new network of one member'),
  )
    .option('--network <name>', 'name of the network (default: that of the member)')
    .option('--quorum <rule>', 'who may add data in a cut: "visible" (default) or "roster"')
    .addHelpText(
      'after',
      `
With --quorum visible both sides of a cut work on, and what changed on both is kept twice. With
roster only the side of more than half of all members adds data and changes who is a member; the
other keeps its writes waiting. Two members then need each other for everything: take three.

Examples:
  veche init --name laptop
  veche init --store /srv/veche --listen /ip4/0.0.0.0/tcp/4001`,
    )
    .action(async (options: MakeOptions & InitExtras, command: Command) => {
      const session = sessionOf(io, command)
      const { initStore } = await loadDaemon()
      const made = await initStore({
        store: session.store,
        ...makeOf(options),
        ...extrasOf(options),
      })
      await tellMade(session, made, 'A new network')
    })

  withMakeOptions(
    program
      .command('join')
      .argument('<token>', 'what "veche invite" printed on another machine')
      .description('make a store that belongs to an existing network'),
  )
    .addHelpText('after', '\nExample:\n  veche join veche1abc… --name server\n  veche start')
    .action(async (token: string, options: MakeOptions, command: Command) => {
      const session = sessionOf(io, command)
      const { joinNetwork } = await loadDaemon()
      const made = await joinNetwork({ store: session.store, token, ...makeOf(options) })
      await tellMade(session, made, 'Joined the network')
    })

  withCommonOptions(
    program.command('start').description('run the member of a store, in the foreground'),
  )
    .option('--no-mdns', 'do not look for members on the local network')
    .option('--listen <multiaddr>', 'listen here from now on (saved), repeatable', gathered)
    .option('--announce <multiaddr>', 'let others dial this from now on (saved)', gathered)
    .option('--no-announce', 'let others dial what this member listens on again (saved)')
    .addHelpText(
      'after',
      `
Runs until it is told to stop (Ctrl-C, SIGTERM). Programs of this machine reach the member through
the socket STORE/control.sock. The others learn of new addresses by themselves.

Examples:
  veche start --store /srv/veche
  veche start --listen /ip4/0.0.0.0/tcp/4002     this machine's port has changed`,
    )
    .action(async (options: StartOptions, command: Command) => {
      await start(sessionOf(io, command), options)
    })
}

interface StartOptions {
  readonly mdns: boolean
  readonly listen?: readonly string[]
  /** `false`: `--no-announce`. */
  readonly announce?: readonly string[] | false
}

interface InitExtras {
  readonly network?: string
  readonly quorum?: string
}

function withMakeOptions(command: Command): Command {
  return withCommonOptions(command)
    .option('--name <name>', 'name of this member (default: the host name)')
    .option(
      '--listen <multiaddr>',
      'where to listen, repeatable (default: all interfaces, a port chosen once)',
      gathered,
    )
    .option(
      '--announce <multiaddr>',
      'what others dial, where that is not it (router, container), repeatable',
      gathered,
    )
}

/** The values of a repeatable option. `--no-announce` makes true or false of the one before. */
function gathered(value: string, before?: readonly string[] | boolean): readonly string[] {
  return [...(Array.isArray(before) ? before : []), value]
}

function makeOf({ name, listen, announce }: MakeOptions): MakeOptions {
  if (name === '') throw new UsageError('The name is an empty text.')
  return { ...(name === undefined ? {} : { name }), ...addressesOf({ listen, announce }) }
}

/** Commander has `true` where neither `--announce` nor `--no-announce` was said. */
function announceOf(given: StartOptions['announce'] | true): readonly string[] | undefined {
  if (given === false) return []
  return given === true ? undefined : given
}

/** Options as they were given: what was not said is not there. */
function addressesOf(options: { [K in keyof AddressOptions]: AddressOptions[K] | undefined }) {
  const { listen, announce } = options
  return {
    ...(listen === undefined ? {} : { listen }),
    ...(announce === undefined ? {} : { announce }),
  }
}

function extrasOf({ network, quorum }: InitExtras): {
  readonly network?: string
  readonly quorum?: 'visible' | 'roster'
} {
  return {
    ...(network === undefined ? {} : { network }),
    ...(quorum === undefined ? {} : { quorum: quorumOf(quorum) }),
  }
}

async function tellMade(session: Session, made: MadeStore, what: string): Promise<void> {
  const { bold, dim, green } = session.colors
  await session.answer(
    made,
    () =>
      `${green('✓')} ${what} ${bold(plain(made.network))}: this member is ${bold(plain(made.name))}\n` +
      `  ${dim('store')}  ${made.store}\n` +
      `  ${dim('uuid')}   ${made.uuid}\n`,
  )
  const where = made.store === session.store ? storeArgument(session) : ''
  await session.note(`Next: veche start${where}`)
}

function storeArgument({ io, store }: Session): string {
  const isDefault = io.env.VECHE_STORE !== undefined || store.endsWith('/share/veche')
  return isDefault ? '' : ` --store ${store}`
}

async function start(session: Session, options: StartOptions): Promise<void> {
  keepYoungSmall()
  collectAllRarely()
  collectAtRest()
  const { startDaemon } = await loadDaemon()
  const { mdns, listen, announce } = options
  const daemon = await startDaemon({
    store: session.store,
    mdns,
    jsonLog: session.json,
    ...addressesOf({ listen, announce: announceOf(announce) }),
  })
  const failed = Promise.withResolvers<never>()
  let stops = 0
  const stop = () => {
    stops++
    if (stops > 1) process.exit(1) // asked twice: the store is safe at any moment
    compileNoMore()
    daemon.stop().catch(failed.reject)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const { uuid, name, socket, addresses } = daemon
  const { bold, dim, green } = session.colors
  await session.answer(
    { uuid, name, socket, addresses },
    () =>
      `${green('●')} ${bold(plain(name))} is running\n` +
      `  ${dim('socket')}   ${socket}\n` +
      addresses.map(address => `  ${dim('address')}  ${address}\n`).join(''),
  )
  await session.note('Stop it with Ctrl-C. On another terminal: veche status')
  try {
    await Promise.race([daemon.ended, failed.promise])
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}
