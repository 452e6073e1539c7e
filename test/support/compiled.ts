/**
 * Before the first test: the sources of a daemon are compiled once into the cache that all children
 * of the tests use (vitest.config.ts), because a daemon that is killed leaves nothing in it. Takes
 * two seconds on the first run and nothing later; without it all is only slower.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../../node_modules/.cache/veche', import.meta.url))
const daemon = new URL('../../src/node/daemon.ts', import.meta.url).href

export function setup(): void {
  if (existsSync(cache)) return
  const program = ['--disable-warning=ExperimentalWarning', '--input-type=module']
  spawnSync(process.execPath, [...program, '--eval', `await import('${daemon}')`], {
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  })
}
