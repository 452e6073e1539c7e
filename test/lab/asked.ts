/**
 * What the lab's command line asks for. Options are checked one by one: a misspelt one is refused
 * with the help, never passed over.
 */

export interface Asked {
  readonly members: number | null
  readonly minutes: number
  readonly seed: number
  readonly isSmall: boolean
  /** Disks lie about syncing: nothing that runs on them can keep its word, and it must show. */
  readonly isCanary: boolean
  /** Counts for the automatic checks. */
  readonly resultPath: string | null
  /** Figures for the ledger. */
  readonly jsonPath: string | null
}

export const HELP = `npm run lab -- [options]

Real daemons in network namespaces under faults of every kind, judged by the history checker.
Needs root, and Linux.

  --members N     3 to 7; drawn for each network if absent
  --minutes M     about how long, in networks of some minutes each (default 10)
  --seed S        what to draw from (default 1); networks are S/1, S/2, …
  --ci            the small form: 3 daemons, kills, power cuts, every shape of cut once
  --canary        disks that lie about syncing: a run that passes then sees nothing
  --result FILE   {"passed": N, "failed": N}, a network each
  --json FILE     all figures
`

export class UsageError extends Error {}

export function readArguments(args: readonly string[]): Asked | 'help' {
  const isSmall = args.includes('--ci')
  const isCanary = args.includes('--canary')
  let asked: Asked = {
    members: isSmall ? 3 : null,
    minutes: isSmall ? 2 : 10,
    seed: 1,
    isSmall,
    isCanary,
    resultPath: null,
    jsonPath: null,
  }
  const rest = [...args]
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '--help' || name === '-h') return 'help'
    if (name === '--ci' || name === '--canary') continue
    const value = rest.shift()
    if (value === undefined) throw new UsageError(`${name} needs a value`)
    if (name === '--members') asked = { ...asked, members: wholeNumber(name, value, 3, 7) }
    else if (name === '--minutes') asked = { ...asked, minutes: minutesOf(value) }
    else if (name === '--seed') asked = { ...asked, seed: wholeNumber(name, value, 0, 1e9) }
    else if (name === '--result') asked = { ...asked, resultPath: value }
    else if (name === '--json') asked = { ...asked, jsonPath: value }
    else throw new UsageError(`there is no option ${name}`)
  }
  return asked
}

function wholeNumber(name: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= low && value <= high) return value
  throw new UsageError(`${name} is a whole number from ${low} to ${high}`)
}

function minutesOf(text: string): number {
  const value = Number(text)
  if (value > 0 && value <= 10_000) return value
  throw new UsageError('--minutes is a number above 0')
}
