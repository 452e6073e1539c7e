/**
 * The version of this program, from its own package: told by `--version` and by `status`, so that
 * a person can see which member of a network runs what.
 */
import { readFileSync } from 'node:fs'

interface Package {
  readonly version: string
}

/** As in package.json, which stands beside both `src` and `dist`. */
export const packageVersion: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Package
).version
