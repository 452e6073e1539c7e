/**
 * What all commands share: the options `--store` and `--json`, a connected client, printing, and
 * how an error ends the program: exit 1 when it failed, 2 when it was called wrongly.
 */
import type { Command } from 'commander'
import { isVecheError } from '../base/veche-error.ts'
import { type Client, connect } from '../client/client.ts'
import { type Colors, colorsFor, type Io, write } from './io.ts'
import { plain } from './text.ts'
import { storeFolder, UsageError } from './usage.ts'

export interface CommonOptions {
  readonly store?: string
  readonly json?: boolean
}

/** One running command. */
export interface Session {
  readonly io: Io
  readonly store: string
  readonly json: boolean
  /** For stdout. */
  readonly colors: Colors
  /** Prints an answer: `value` on one line with `--json`, else the text. */
  answer(value: unknown, text: () => string): Promise<void>
  /** Prints a text to stdout. */
  print(text: string): Promise<void>
  /** Prints a sentence to stderr, unless `--json`. */
  note(sentence: string): Promise<void>
}

/** Adds the options that every command takes. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--store <folder>', 'folder of the store (or VECHE_STORE)')
    .option('--json', 'print the answer as JSON on one line')
}

/** The session of a command that was called with these options. */
export function sessionOf(io: Io, command: Command): Session {
  const options = command.optsWithGlobals<CommonOptions>()
  const print = (text: string) => write(io.stdout, text)
  const json = options.json === true
  return {
    io,
    store: storeFolder(options.store, io.env),
    json,
    colors: colorsFor(io.stdout, io.env),
    print,
    answer: (value, text) => print(json ? `${JSON.stringify(value)}\n` : text()),
    note: async sentence => {
      if (!json) await write(io.stderr, `${sentence}\n`)
    },
  }
}

/** Runs work with a client that is closed afterwards. */
export async function withClient<T>(
  session: Session,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect({ store: session.store })
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

/** Says what went wrong, on stderr, and answers the exit code. */
export async function reportError(io: Io, json: boolean, error: unknown): Promise<number> {
  const colors = colorsFor(io.stderr, io.env)
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (json) {
    const data = isVecheError(error) ? error.data : {}
    await write(io.stderr, `${JSON.stringify({ error: { code, message, data } })}\n`)
  } else {
    const hint = hintOf(error)
    await write(io.stderr, `${colors.red('error:')} ${plain(message)}\n`)
    if (hint !== undefined) await write(io.stderr, `${colors.dim('hint:')}  ${plain(hint)}\n`)
  }
  return code === 'USAGE' || code === 'BAD_REQUEST' ? 2 : 1
}

/** Errors of the system and of the store have codes of their own. */
function codeOf(error: unknown): string {
  if (error instanceof UsageError) return 'USAGE'
  const { code } = error instanceof Error ? (error as { readonly code?: unknown }) : {}
  return typeof code === 'string' ? code : 'FAILED'
}

/** The next step in words of the command line, where the member's own sentence cannot know it. */
function hintOf(error: unknown): string | undefined {
  if (!isVecheError(error)) return undefined
  switch (error.code) {
    case 'SPLIT':
      return (
        'Read one of them by its own id, or see "veche collisions" and settle it with ' +
        '"veche resolve".'
      )
    case 'VERSION_MISMATCH':
      return 'Somebody wrote in between: look with "veche log", then write again.'
    case 'UNAVAILABLE':
      return '"veche why" tells what is missing and when it is tried again.'
    case 'DAMAGED':
      return 'See "veche verify". What another member still holds is fetched again by itself.'
    default:
      return undefined
  }
}
