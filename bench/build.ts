/**
 * Daemons run as users have them: compiled. They are built into a folder of the run, so that whoever
 * builds into `dist/` meanwhile does not change what is measured. A build that fails ends the run.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeFolder } from './daemon.ts'

/** Builds this checkout, each module a file if asked; answers the path of its command line. */
export function build(how: 'as users have it' | 'modules'): string {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const folder = makeFolder()
  process.stderr.write('building …\n')
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const run = (tool: string, ...words: string[]) => {
    const bin = join(root, 'node_modules/.bin', tool)
    execFileSync(bin, words, { cwd: folder, stdio: ['ignore', 2, 2] })
  }
  try {
    run('tsc', '-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist'))
    if (how === 'modules') return join(folder, 'dist/cli/main.js')
    run('rolldown', '--config', join(root, 'rolldown.config.mjs'), '--log-level', 'silent')
    return join(folder, 'dist/bin/main.js')
  } catch (error) {
    process.stderr.write(`The build failed (${error instanceof Error ? error.message : error}).\n`)
    process.exit(1)
  }
}
