/**
 * `put` and `get`: payloads between files and the member, streamed. Standard input has no size
 * that is known before its end, so it is gathered in memory up to a bound and beyond it in a
 * temporary file. A file that is read is written under another name and renamed when it is whole.
 */
import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import type { HeadParams, ItemHeader, Level, PutResult, UploadParams } from '../control/protocol.ts'
import { startBar } from './bar.ts'
import { type Session, sessionOf, withClient, withCommonOptions } from './command.ts'
import { type Io, isGone, write } from './io.ts'
import { isText, mediaTypeOf } from './media-type.ts'
import { type Source, sourceOfFile, sourceOfStream } from './source.ts'
import { bytes, plain, short } from './text.ts'
import { durationOf, idOf, jsonOf, timeOf, UsageError } from './usage.ts'

export interface PutOptions {
  readonly type?: string
  readonly tag?: readonly string[]
  readonly description?: string
  readonly meta?: string
  readonly dependsOn?: readonly string[]
  readonly ifVersion?: string
  readonly ifAbsent?: boolean
  readonly merge?: boolean
  readonly wait?: string
  readonly timeout?: string
}

/** Adds `put` and `get`. */
export function addPayloadCommands(program: Command, io: Io): void {
  withPropertyOptions(
    withWriteOptions(
      withCommonOptions(
        program
          .command('put')
          .argument('<id>')
          .argument('<file>', 'the file to read; "-" reads standard input')
          .description('write an item'),
      ),
    ),
  )
    .option('--if-absent', 'only if there is no such item, or it was deleted')
    .option('--merge', 'of a split item: make this the merge of all its branches')
    .addHelpText(
      'after',
      `
Examples:
  veche put photos/cat.jpg ~/cat.jpg --tag cat --tag pets
  echo hello | veche put greeting -
  veche put lock/backup - --if-absent < /etc/hostname
  veche put plan plan.md --if-version "$(veche get plan --json | jq -r .version)"`,
    )
    .action(async (id: string, file: string, options: PutOptions, command: Command) => {
      const session = sessionOf(io, command)
      const params = {
        id: idOf(id),
        ...propertiesOf(options),
        ...writeOf(options),
        ...absentOf(options),
        ...(options.merge ? { merge: true } : {}),
      }
      const result = await put(session, file, params)
      await tellPut(session, result)
    })

  withCommonOptions(program.command('get').argument('<id>').description('read an item'))
    .option('-o, --output <file>', 'write to a file instead of standard output')
    .option('--version <version>', 'this version, and not the newest')
    .option('--at <time>', 'as it was at a time: 2026-03-01T12:00, or 2h ago as "2h"')
    .addHelpText(
      'after',
      `
Examples:
  veche get photos/cat.jpg -o cat.jpg
  veche get notes/today --at 2h
  veche get config --json | jq .json`,
    )
    .action(async (id: string, options: GetOptions, command: Command) => {
      await get(sessionOf(io, command), id, options)
    })
}

/** Options of whatever writes. */
export function withWriteOptions(command: Command): Command {
  return command
    .option('--if-version <version>', 'only if this is still its newest version')
    .option('--wait <level>', 'wait for "pending", "agreed" or "majority" (default)')
    .option('--timeout <duration>', 'wait so long at most, for example 30s (default 5s)')
}

/** Options of whatever brings content. */
export function withPropertyOptions(command: Command): Command {
  const gather = (value: string, before: readonly string[] = []) => [...before, value]
  return command
    .option('--type <type>', 'media type (default: by name and content)')
    .option('--tag <tag>', 'a tag, repeatable', gather)
    .option('--description <text>', 'a description')
    .option('--meta <json>', 'free metadata, as JSON')
    .option('--depends-on <id>', 'an item that this one depends on, repeatable', gather)
}

/** The parameters behind `withWriteOptions`. */
export function writeOf({ ifVersion, wait, timeout }: PutOptions) {
  if (wait !== undefined && !['pending', 'agreed', 'majority'].includes(wait))
    throw new UsageError('--wait must be "pending", "agreed" or "majority".')
  return {
    ...(ifVersion === undefined ? {} : { ifVersion }),
    ...(wait === undefined ? {} : { wait: wait as Level }),
    ...(timeout === undefined ? {} : { timeoutMs: durationOf(timeout) }),
  }
}

/** The parameter behind `--if-absent`. */
function absentOf({ ifAbsent, ifVersion }: PutOptions) {
  if (!ifAbsent) return {}
  if (ifVersion !== undefined)
    throw new UsageError('--if-absent and --if-version exclude each other.')
  return { ifVersion: null }
}

/** The parameters behind `withPropertyOptions`. */
export function propertiesOf(options: PutOptions) {
  const { type, tag, description, meta, dependsOn } = options
  return {
    ...(type === undefined ? {} : { type }),
    ...(tag === undefined ? {} : { tags: tag }),
    ...(description === undefined ? {} : { description }),
    ...(meta === undefined
      ? {}
      : { meta: jsonOf(meta, '--meta') as NonNullable<UploadParams['meta']> }),
    ...(dependsOn === undefined ? {} : { dependsOn: dependsOn.map(idOf) }),
  }
}

async function put(
  session: Session,
  file: string,
  params: Omit<UploadParams, 'size'>,
): Promise<PutResult> {
  const { io } = session
  if (file === '-' && io.stdin.isTTY === true)
    await session.note('Reading from the terminal; end with Ctrl-D.')
  // The member is asked for before standard input is read to its end.
  return withClient(session, async client => {
    await using source = file === '-' ? await sourceOfStream(io.stdin) : await sourceOfFile(file)
    const type = params.type ?? mediaTypeOf(file === '-' ? params.id : file, await source.head())
    return await upload(io, client, { ...params, type, size: source.size }, source)
  })
}

async function upload(
  io: Io,
  client: Client,
  params: UploadParams,
  source: Source,
): Promise<PutResult> {
  const bar = startBar(io, 'bytes')
  let done = 0
  const counted = (async function* () {
    for await (const piece of source.bytes()) {
      done += piece.length
      bar.update({ done, of: params.size, phase: 'writing' })
      yield piece
    }
  })()
  try {
    return await client.upload(params, counted)
  } finally {
    bar.end()
  }
}

/** Says what was written and how far it has come. */
export async function tellPut(session: Session, result: PutResult): Promise<void> {
  const { green, yellow, bold, dim } = session.colors
  const { id, version, size, level, heldBy, of } = result
  const isSafe = level === 'majority'
  const mark = isSafe ? green('✓') : yellow('…')
  const what = result.blob === null ? 'deleted' : bytes(size)
  const holders = `held by ${heldBy.length} of ${of}`
  await session.answer(
    result,
    () => `${mark} ${bold(plain(id))}  ${what}  ${dim(short(version))}  ${level}, ${holders}\n`,
  )
  if (!isSafe)
    await session.note(
      `It is safe on this machine and goes on by itself; "veche why ${id}" tells what it waits for.`,
    )
}

interface GetOptions {
  readonly output?: string
  readonly version?: string
  readonly at?: string
}

async function get(session: Session, argument: string, options: GetOptions): Promise<void> {
  const { output, version, at } = options
  const params: HeadParams = {
    id: idOf(argument),
    ...(version === undefined ? {} : { version }),
    ...(at === undefined ? {} : { at: timeOf(at, Date.now()) }),
  }
  await withClient(session, async client => {
    if (output !== undefined && output !== '-') {
      const header = await getFile(session, client, params, output)
      await session.answer(
        { ...header, file: output },
        () => `${session.colors.green('✓')} ${output}  ${bytes(header.size)}\n`,
      )
    } else if (session.json) {
      await session.answer(await client.get(params), () => '')
    } else {
      await print(session, client, params)
    }
  })
}

async function getFile(
  session: Session,
  client: Client,
  params: HeadParams,
  output: string,
): Promise<ItemHeader> {
  const there = await stat(output).catch(() => undefined) // absent is the usual case
  if (there?.isDirectory()) throw new UsageError(`${output} is a folder: name a file in it.`)
  const { header, stream } = await client.download(params)
  const partial = join(dirname(output), `.${basename(output)}.${randomUUID().slice(0, 8)}.part`)
  const bar = startBar(session.io, 'bytes')
  const file = await open(partial, 'wx')
  try {
    let done = 0
    for await (const piece of stream) {
      await file.writeFile(piece)
      done += piece.length
      bar.update({ done, of: header.size, phase: 'reading' })
    }
    await file.sync()
    await file.close()
    await rename(partial, output)
  } catch (error) {
    await file.close()
    await rm(partial, { force: true })
    throw error
  } finally {
    bar.end()
  }
  return header
}

async function print(session: Session, client: Client, params: HeadParams): Promise<void> {
  const { stdout } = session.io
  const { stream } = await client.download(params)
  let isFirst = true
  for await (const piece of stream) {
    if (isFirst && stdout.isTTY === true && !isText(piece))
      throw new UsageError(
        'This is not text, and it would upset your terminal: write it to a file with -o FILE, ' +
          'or send it through a pipe.',
      )
    isFirst = false
    if (isGone(stdout)) return
    await write(stdout, piece)
  }
}
