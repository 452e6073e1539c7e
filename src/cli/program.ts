/**
 * The command `veche`: which commands there are, in groups, and how a call ends. Parsing is
 * commander's; each group of commands has a module of its own.
 */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addCollisionCommands } from './collision-commands.ts'
import { reportError } from './command.ts'
import { addDaemonCommands } from './daemon-commands.ts'
import { addDemoCommand } from './demo.ts'
import { guardOutput, type Io, outputFailure } from './io.ts'
import { addItemCommands } from './item-commands.ts'
import { addMemberCommands } from './member-commands.ts'
import { addPayloadCommands } from './payload-commands.ts'
import { addWatchCommand } from './watch-command.ts'

/** How a command ends: 0 done, 1 failed, 2 called wrongly. */
export type ExitCode = number

/** Answers how a command ends, to be set by those that end with a verdict. */
export interface Verdict {
  code: ExitCode
}

const examples = `
Examples:
  veche init --name laptop          begin a network with this machine
  veche start                       run its member; stays in the foreground
  veche invite                      print a token for one more machine
  veche join TOKEN --name server    …there, and then: veche start
  veche put notes/today notes.txt   write a file; "-" reads standard input
  veche get notes/today             read it, on any machine
  veche status                      who is there, and are all in sync?
  veche why                         if not: what, where, and what to do

An id is a path-like name, for example notes/2026/march. After two machines changed one item apart,
both versions are kept as report~3 and report~a: see "veche collisions". In a name of your own a
tilde is a letter like any other, unless the name ends like that: then double it (x~~3).

Every command takes --store FOLDER (or VECHE_STORE) and --json.
Exit code: 0 done, 1 failed, 2 called wrongly.`

/** The version of this package. */
export function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** Runs one command line (without the program's name) and answers its exit code. */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const verdict: Verdict = { code: 0 }
  guardOutput(io.stdout)
  guardOutput(io.stderr)
  try {
    await programOf(io, verdict).parseAsync(args, { from: 'user' })
    const failure = outputFailure(io.stdout)
    if (failure !== undefined) throw failure
    return verdict.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return await reportError(io, args.includes('--json'), error)
  }
}

function programOf(io: Io, verdict: Verdict): Command {
  const program = new Command('veche')
    .description(
      'The same items on all your machines: every one may write, none is the leader, and ' +
        'nothing that was acknowledged is lost.',
    )
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .option('--store <folder>', 'folder of the store (or VECHE_STORE)')
    .option('--json', 'print the answer as JSON on one line')
    .addHelpText('after', examples)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(veche --help explains all commands)')
    .configureOutput({
      writeOut: text => void io.stdout.write(text),
      writeErr: text => void io.stderr.write(text),
    })
  program.commandsGroup('Members:')
  addDaemonCommands(program, io)
  addMemberCommands(program, io, verdict)
  program.commandsGroup('Items:')
  addPayloadCommands(program, io)
  addItemCommands(program, io)
  addCollisionCommands(program, io)
  addWatchCommand(program, io)
  program.commandsGroup('To begin with:')
  addDemoCommand(program, io, verdict)
  return program
}
