/**
 * `veche demo`: three members in temporary folders, in one terminal, about half a minute. It is the
 * real thing: three daemons as processes, spoken with over their sockets; only the line between
 * them is ours, so that it can be cut. Whatever way it ends, nothing is left behind, unless `--keep`
 * asks for it.
 */
import type { Command } from 'commander'
import { type Session, sessionOf } from './command.ts'
import { DemoMembers } from './demo-members.ts'
import { DemoScreen } from './demo-screen.ts'
import { agreed, type Ending, type Story, tell } from './demo-story.ts'
import type { Io } from './io.ts'
import type { Verdict } from './program.ts'

/** As shells tell it: 128 and the signal's number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

interface DemoOptions {
  readonly keep?: boolean
  readonly fast?: boolean
}

/** Adds `demo`. */
export function addDemoCommand(program: Command, io: Io, verdict: Verdict): void {
  program
    .command('demo')
    .description('three members, a cut, a collision, the heal: half a minute in this terminal')
    .option('--keep', 'leave the three members running, and say how to stop them')
    .option('--fast', 'leave no time to read')
    .option('--json', 'print only how it ended, as JSON on one line')
    .addHelpText(
      'after',
      `
Everything happens in a temporary folder and on this machine's loopback interface; your own store
is not touched. Ctrl-C stops it at any moment and cleans up.`,
    )
    .action(async (options: DemoOptions, command: Command) => {
      await demo(sessionOf(io, command), options, verdict)
    })
}

async function demo(session: Session, options: DemoOptions, verdict: Verdict): Promise<void> {
  const screen = new DemoScreen(session)
  const members = new DemoMembers()
  const stop = new AbortController()
  const listeners = Object.entries(exitCodes).map(([signal, code]) => {
    const listener = () => {
      if (stop.signal.aborted) process.exit(code) // asked twice: what is left is killed at the exit
      verdict.code = code
      stop.abort(new Error('The demo was stopped.'))
    }
    process.on(signal, listener)
    return { signal, listener }
  })
  const isSlow = screen.isWatched && options.fast !== true
  const story: Story = { session, screen, members, signal: stop.signal, isSlow }
  try {
    const ending = await tell(story)
    if (options.keep) await keep(story)
    await end(story, ending, options)
  } catch (error) {
    if (!stop.signal.aborted) throw await explained(error, members)
    await session.note('\nStopped. Everything is being removed.')
  } finally {
    await members.remove()
    for (const { signal, listener } of listeners) process.off(signal, listener)
  }
}

/** The members move to where no door stands between them, and live on. */
async function keep(story: Story): Promise<void> {
  const { screen, members, signal } = story
  await screen.say('The members are started anew without the demo between them …')
  await members.release({ signal })
  await agreed(story)
}

async function end(
  { session, members }: Story,
  ending: Ending,
  { keep = false }: DemoOptions,
): Promise<void> {
  const { bold, dim, green } = session.colors
  const rows = members.all.map(({ name, uuid, store, client: _, child }) => ({
    name,
    uuid,
    ...(keep ? { store, socket: `${store}/control.sock`, pid: child.pid } : {}),
  }))
  await session.answer({ ok: true, ...ending, kept: keep, members: rows }, () => {
    if (!keep)
      return (
        `\n${green('✓')} ${bold('That was Veche.')} The three members are stopped, their folders ` +
        `removed.\n  ${dim('Your own network:')} veche init, veche start, veche invite\n`
      )
    const pids = rows.map(({ pid }) => pid).join(' ')
    const lines = rows.map(
      ({ name, socket, pid }) => `  ${bold(name.padEnd(10))}process ${pid}  ${dim(socket ?? '')}\n`,
    )
    return (
      `\n${green('✓')} ${bold('The three members go on.')}\n${lines.join('')}` +
      `  ${dim('look')}  veche status --store ${rows[0]?.store}\n` +
      `  ${dim('stop')}  kill ${pids} && rm -r ${members.folder}\n`
    )
  })
  if (keep) await members.leave()
}

/** What failed, and what the members themselves say is wrong. */
async function explained(error: unknown, members: DemoMembers): Promise<unknown> {
  if (!(error instanceof Error)) return error
  const told = await Promise.allSettled(
    members.all.map(async ({ name, client }) => {
      const { reasons } = await client.why()
      return reasons.map(({ sentence }) => ` ${name}: ${sentence}`).join('')
    }),
  )
  const reasons = told.map(one => (one.status === 'fulfilled' ? one.value : '')).join('')
  return reasons === '' ? error : new Error(`${error.message}${reasons}`, { cause: error })
}
