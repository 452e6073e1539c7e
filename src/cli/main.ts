#!/usr/bin/env node
/**
 * The entry of `veche`: checks the Node it runs on, then loads the program. The program is loaded
 * late so that nothing of it is linked before the check.
 */
import './node-version.ts'

const { compileNoMore } = await import('./background-compiling.ts')
if (process.argv[2] !== 'start') compileNoMore()
const { run } = await import('./program.ts')
const code = await run(process.argv.slice(2), process)
// The network's libraries leave timers behind that would hold the process for a second, and pipes
// are written in the background: wait for what was printed, then end.
for (const stream of [process.stdout, process.stderr])
  await new Promise<void>(resolve => stream.write('', () => resolve()))
process.exit(code)
