/**
 * `collisions` and `resolve`: items that were changed on two machines apart. Both versions are
 * kept; only a person can say what is right, so each listing ends with what can be done.
 */
import type { Command } from 'commander'
import { limits } from '../base/limits.ts'
import type { Collision } from '../control/protocol.ts'
import { type Session, sessionOf, withClient, withCommonOptions } from './command.ts'
import type { Io } from './io.ts'
import { mediaTypeOf } from './media-type.ts'
import {
  type PutOptions,
  propertiesOf,
  withPropertyOptions,
  withWriteOptions,
  writeOf,
} from './payload-commands.ts'
import { sourceOfFile, sourceOfStream } from './source.ts'
import { bytes, counted, namesOf, plain, short, table, time } from './text.ts'
import { idOf, UsageError } from './usage.ts'

/** Adds `collisions` and `resolve`. */
export function addCollisionCommands(program: Command, io: Io): void {
  withCommonOptions(
    program.command('collisions').description('items that were changed on two machines apart'),
  ).action(async (_: object, command: Command) => {
    const session = sessionOf(io, command)
    await withClient(session, async client => {
      const found = await client.collisions()
      if (session.json) return session.answer(found, () => '')
      const nameOf = namesOf((await client.members()).members)
      await session.print(collisionText(session, found.collisions, nameOf))
    })
  })

  withPropertyOptions(
    withWriteOptions(
      withCommonOptions(
        program
          .command('resolve')
          .argument('<id>', 'the id that was split')
          .argument('[file]', 'the merged content; "-" reads standard input')
          .description('make one item of the branches of a collision again'),
      ),
    ),
  )
    .option('--keep <branch>', 'keep this branch: its id (report~3) or its version')
    .addHelpText(
      'after',
      `
All branches stay in the history, whichever is kept.

Examples:
  veche resolve report --keep report~3
  veche resolve report merged.txt`,
    )
    .action(
      async (
        id: string,
        file: string | undefined,
        options: PutOptions & { readonly keep?: string },
        command: Command,
      ) => {
        const session = sessionOf(io, command)
        if ((file === undefined) === (options.keep === undefined))
          throw new UsageError('Say either which branch to --keep, or a file with the merge.')
        const content =
          file === undefined
            ? { keep: keepOf(options.keep ?? '') }
            : { ...(await payloadOf(io, file)), ...propertiesOf(options) }
        const result = await withClient(session, client =>
          client.resolve({ id: idOf(id), ...content, ...writeOf(options) }),
        )
        const { green, bold, dim } = session.colors
        await session.answer(
          result,
          () =>
            `${green('✓')} ${bold(plain(result.id))} is one item again  ${dim(short(result.version))}\n`,
        )
      },
    )
}

/** A version stays as it is; an id is read as ids are. */
function keepOf(branch: string): string {
  return /^[0-9a-f]{64}$/.test(branch) ? branch : idOf(branch)
}

async function payloadOf(io: Io, file: string): Promise<{ base64: string; type: string }> {
  await using source = file === '-' ? await sourceOfStream(io.stdin) : await sourceOfFile(file)
  if (source.size > limits.getPayloadBytesMax)
    throw new UsageError(
      `A merge given here has at most ${bytes(limits.getPayloadBytesMax)}: write a larger one with ` +
        '"veche put ID FILE --merge".',
    )
  const pieces: Uint8Array[] = []
  for await (const piece of source.bytes()) pieces.push(piece)
  const type = mediaTypeOf(file, await source.head())
  return { base64: Buffer.concat(pieces).toString('base64'), type }
}

/** Collisions, their branches, and what can be done about each. */
export function collisionText(
  { colors }: Session,
  collisions: readonly Collision[],
  nameOf: (uuid: string) => string,
): string {
  const { bold, cyan, dim, green, yellow } = colors
  if (collisions.length === 0) return `${green('✓')} No collisions.\n`
  const parts = collisions.map(({ id, branches }) => {
    const rows = branches.map(branch => [
      { text: plain(branch.id), dress: bold },
      { text: time(branch.at) },
      { text: nameOf(branch.by), dress: cyan },
      { text: bytes(branch.size), align: 'right' as const },
      { text: short(branch.version), dress: dim },
    ])
    const keep = branches[0]?.id ?? id
    return (
      `${yellow('⑂')} ${bold(plain(id))} was changed apart\n${table(rows, '    ')}` +
      dim(`    keep one:      veche resolve ${plain(id)} --keep ${plain(keep)}\n`) +
      dim(`    write a merge: veche resolve ${plain(id)} FILE\n`)
    )
  })
  return `${parts.join('\n')}\n${counted(collisions.length, 'collision')}. All versions are kept until you decide.\n`
}
