/**
 * Commands about the network: `status`, `members`, `why`, `verify`, `invite`, `leave`, `remove`,
 * `quorum`.
 */
import type { Command } from 'commander'
import type { VerifyResult } from '../control/protocol-network.ts'
import { startBar } from './bar.ts'
import { type Session, sessionOf, withClient, withCommonOptions } from './command.ts'
import type { Io } from './io.ts'
import type { Verdict } from './program.ts'
import { membersText, problemsText, statusText } from './status-text.ts'
import { counted, namesOf, plain, short, time } from './text.ts'
import { countOf, durationOf, idOf, quorumOf } from './usage.ts'

/** Adds the commands about the network. */
export function addMemberCommands(program: Command, io: Io, verdict: Verdict): void {
  addInvite(program, io)
  withCommonOptions(
    program.command('members').description('the members of the network, as this one sees them'),
  ).action(async (_: object, command: Command) => {
    const session = sessionOf(io, command)
    await withClient(session, async client => {
      const status = await client.status()
      await session.answer(await client.members(), () => membersText(status, session.colors))
    })
  })

  withCommonOptions(
    program
      .command('leave')
      .description('leave the network; this store keeps its data, and may join again'),
  ).action(async (_: object, command: Command) => {
    const session = sessionOf(io, command)
    const result = await withClient(session, client => client.leave())
    await session.answer(result, () => `${session.colors.green('✓')} This member left.\n`)
    if (result.unshared > 0)
      await session.note(`${counted(result.unshared, 'version')} that nobody else holds stay here.`)
    const { unsharedPayloads: payloads } = result
    if (payloads === null)
      await session.note('Nobody could be asked whether others hold all payloads that are here.')
    else if (payloads > 0)
      await session.note(
        `${counted(payloads, 'payload')} that nobody else holds stay here: keep this store.`,
      )
  })

  withCommonOptions(
    program
      .command('remove')
      .argument('<member>', 'its name or uuid')
      .description('remove a member from the network, for good'),
  )
    .addHelpText('after', '\nA removed machine can come back with a new invitation.')
    .action(async (member: string, _: object, command: Command) => {
      const session = sessionOf(io, command)
      const result = await withClient(session, client => client.remove(member))
      const { green, bold } = session.colors
      await session.answer(result, () => `${green('✓')} ${bold(plain(result.name))} was removed.\n`)
      if (result.warning !== undefined) await session.note(plain(result.warning))
    })

  addQuorum(program, io)
  withCommonOptions(
    program.command('status').description('this member, its network, and whether all are in sync'),
  )
    .option('--live-hash', 'also compute the hash over everything up to this moment')
    .action(async (options: { readonly liveHash?: boolean }, command: Command) => {
      const session = sessionOf(io, command)
      const params = options.liveHash ? { liveHash: true } : {}
      const status = await withClient(session, client => client.status(params))
      await session.answer(status, () => statusText(status, session.colors))
    })
  addChecks(program, io, verdict)
}

function addQuorum(program: Command, io: Io): void {
  withCommonOptions(
    program
      .command('quorum')
      .argument('[rule]', '"visible" or "roster": changes it for the whole network')
      .description('which majority counts in a cut'),
  )
    .addHelpText(
      'after',
      `
visible  both sides of a cut work on, and what changed on both is kept twice (the default)
roster   only a side with more than half of all members takes part in agreement; others wait

To go from visible to roster, every member must be there and agree; back, more than half of them.`,
    )
    .action(async (rule: string | undefined, _: object, command: Command) => {
      const session = sessionOf(io, command)
      const set = rule === undefined ? undefined : quorumOf(rule)
      const result = await withClient(session, client => client.quorum(set))
      await session.answer(result, () => `${result.quorum}\n`)
    })
}

function addInvite(program: Command, io: Io): void {
  withCommonOptions(
    program.command('invite').description('print a token with which another machine can join'),
  )
    .option('--expires <duration>', 'how long it is good, for example 30m, 24h or 7d')
    .option('--uses <n>', 'for how many machines (default 1)')
    .addHelpText(
      'after',
      `
The token is a secret: who has it can join. It goes to standard output alone, so that it can be
sent through a pipe.

Example:
  veche invite | ssh server 'veche join "$(cat)" --name server'`,
    )
    .action(async (options: InviteOptions, command: Command) => {
      const session = sessionOf(io, command)
      const { expires, uses } = options
      const params = {
        ...(expires === undefined ? {} : { expiresInMs: durationOf(expires) }),
        ...(uses === undefined ? {} : { uses: countOf(uses, '--uses', 1, 256) }),
      }
      const invitation = await withClient(session, client => client.invite(params))
      await session.answer(invitation, () => `${invitation.token}\n`)
      await session.note(
        `Good for ${counted(invitation.uses, 'machine')} until ${time(invitation.expires)}. ` +
          'There: veche join TOKEN',
      )
    })
}

interface InviteOptions {
  readonly expires?: string
  readonly uses?: string
}

function addChecks(program: Command, io: Io, verdict: Verdict): void {
  withCommonOptions(
    program
      .command('why')
      .argument('[id]', 'only what concerns this item')
      .description('what is not in sync, why, and what to do'),
  ).action(async (id: string | undefined, _: object, command: Command) => {
    const session = sessionOf(io, command)
    await withClient(session, async client => {
      const found = await client.why(id === undefined ? {} : { id: idOf(id) })
      if (session.json) return session.answer(found, () => '')
      const nameOf = namesOf((await client.members()).members)
      const { green } = session.colors
      await session.print(
        found.reasons.length === 0
          ? `${green('✓')} Everything is in sync.\n`
          : problemsText(found.reasons, session.colors, nameOf),
      )
    })
  })

  withCommonOptions(
    program
      .command('verify')
      .description('check every version, chain, payload and the hash of this store'),
  )
    .addHelpText('after', '\nExit code 1 when something is damaged.')
    .action(async (_: object, command: Command) => {
      const session = sessionOf(io, command)
      const bar = startBar(io, 'count')
      const result = await withClient(session, client =>
        client.verify(step => bar.update(step)),
      ).finally(() => bar.end())
      await session.answer(result, () => verifyText(session, result))
      verdict.code = result.ok ? 0 : 1
    })
}

function verifyText({ colors }: Session, result: VerifyResult): string {
  const { bold, dim, green, red, yellow } = colors
  const counts = [
    counted(result.items, 'item'),
    counted(result.facts, 'version'),
    counted(result.payloads, 'payload'),
  ].join(', ')
  const dangling = result.danglingLinks
    .map(({ id, missing }) => `  ${yellow('link')}  ${plain(id)} → ${plain(missing)} is not here\n`)
    .join('')
  const checked = `${counts}  ${dim(`hash ${short(result.hash)}`)}\n`
  if (result.ok) return `${green('✓')} All is well: ${checked}${dangling}`
  const damages = result.damages
    .map(({ what, id, sentence }) => {
      const where = id === undefined ? '' : ` ${bold(plain(id))}`
      return `  ${red(what)}${where}  ${plain(sentence)}\n`
    })
    .join('')
  return `${red('✗')} ${counted(result.damages.length, 'damage')} in ${checked}${damages}${dangling}`
}
