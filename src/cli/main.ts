#!/usr/bin/env node
/**
 * The entry of `veche`: checks the Node it runs on, then loads the program. The program is loaded
 * late so that nothing of it is linked before the check.
 */
import './node-version.ts'

const { run } = await import('./program.ts')
process.exitCode = await run(process.argv.slice(2), process)
