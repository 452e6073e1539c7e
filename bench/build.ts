/**
 * Daemons run as users have them: compiled. They are built into a folder of the run, so that whoever
 * builds into `dist/` meanwhile does not change what is measured. A build that fails ends the run.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeFolder } from './daemon.ts'

/** Builds this checkout; answers the path of its command line. */
export function build(): string {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const folder = makeFolder()
  process.stderr.write('building …\n')
  const words = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')]
  try {
    execFileSync(join(root, 'node_modules/.bin/tsc'), words, { stdio: ['ignore', 2, 2] })
  } catch (error) {
    process.stderr.write(`The build failed (${error instanceof Error ? error.message : error}).\n`)
    process.exit(1)
  }
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'dist/cli/main.js')
}
