/**
 * What `npm run bench` is asked for on the command line. Unknown words are refused, so that a
 * misspelt `--quick` does not run for an hour. Nothing here measures.
 */
import { parseArgs } from 'node:util'

export interface Options {
  /** Small sizes: everything that needs no `--large` in under two minutes. */
  readonly isQuick: boolean
  /** Also the rows with 1,000,000 items and 1 GiB. */
  readonly isLarge: boolean
  readonly isJson: boolean
  /** Names of rows; empty: all. */
  readonly only: readonly string[]
  /** Times that everything is measured; the median is shown. */
  readonly runs: number
  /** Profiles of the daemons in place of figures. */
  readonly isProfile: boolean
  /** Where profiles are kept; null: nowhere. */
  readonly keep: string | null
  /** Another build's `dist/bin/main.js`, to compare with; null: this checkout, built first. */
  readonly daemon: string | null
}

export const usage = `npm run bench -- [options]
  --quick          small sizes, under two minutes
  --large          also the rows with 1,000,000 items and 1 GiB (half an hour)
  --json           figures as data
  --only NAMES     some rows, by their names with commas between; --list shows the names
  --runs N         measures everything N times and shows the median
  --profile        microseconds a write and stage at every member, in place of figures;
                   with --only latency, puts, spread, gets, join or catch-up
  --keep FOLDER    keeps the profiles there, for a browser's developer tools
  --daemon FILE    runs daemons of another build: its dist/bin/main.js
  --list           names of the rows`

/** Reads the words of a command line. Throws an error with a sentence for what is none of them. */
export function readOptions(words: readonly string[]): Options | 'list' | 'help' {
  const { values } = parseArgs({
    args: [...words],
    options: {
      quick: { type: 'boolean', default: false },
      large: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      runs: { type: 'string', default: '1' },
      profile: { type: 'boolean', default: false },
      keep: { type: 'string' },
      daemon: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.list) return 'list'
  const runs = Number(values.runs)
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs must be 1 or more.')
  return {
    isQuick: values.quick,
    isLarge: values.large,
    isJson: values.json,
    only: values.only.split(',').filter(name => name !== ''),
    runs,
    isProfile: values.profile,
    keep: values.keep ?? null,
    daemon: values.daemon ?? null,
  }
}
