/**
 * Which stage of a write a function belongs to, by the file that it is in. What belongs to none by
 * itself (Node's own code, native functions, small packages) counts where it was called from. Pure;
 * a file that moves needs its line here, or it shows up as "elsewhere".
 */

/** In the order in which a write passes them, then what no write passes. */
export const stages = [
  'socket in',
  'service',
  'rules and ledger',
  'hash',
  'encode',
  'group',
  'LevelDB',
  'links',
  'libp2p, noise, yamux',
  'decode',
  'acknowledgments',
  'socket out',
  'tree',
  'agreement',
  'gossip',
  'start of the process',
  'elsewhere',
  'Node itself',
  'native code',
  'GC',
  'idle',
] as const

export type Stage = (typeof stages)[number]

/** A function of a profile. */
export interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

/** A stage; a weak one counts only where no caller has a stage of its own. */
export interface Placed {
  readonly stage: Stage
  readonly isWeak: boolean
}

type Rule = readonly [path: RegExp, stage: Stage, functions?: RegExp]

const reading = /^(?:read|decode|as[A-Z])/
const writing = /^(?:write$|encode|seal|listHead|rawOf)|Value$/

/** The first that fits counts. Paths begin behind `dist/`. */
const own: readonly Rule[] = [
  [/^control\/(?:outbox|byte-channel)/, 'socket out'],
  [/^control\/|^base\/line-reader/, 'socket in'],
  [/^node\/service\//, 'service'],
  [/^base\/hash/, 'hash'],
  [/^(?:wire\/|base\/(?:cbor|fact-codec|summary-codec))/, 'decode', reading],
  [/^(?:wire\/|base\/(?:cbor|fact-codec|summary-codec))/, 'encode', writing],
  [/^storage\/(?:group-commit|level-commit|journal)/, 'group'],
  [/^storage\//, 'LevelDB'],
  [/^node\/driver\/adding/, 'acknowledgments', /^(?:onAck|acknowledge|number)/],
  [/^node\/driver\/levels|^consensus\/agreement\/sequences/, 'acknowledgments'],
  [/^node\/driver\/(?:links|adding|inbound|size)/, 'links'],
  [/^node\/libp2p\/gossip/, 'gossip'],
  [/^node\/libp2p\//, 'libp2p, noise, yamux'],
  [/^merkle\//, 'tree'],
  [/^(?:node\/ledger\/|consensus\/items\/)/, 'rules and ledger'],
  [/^(?:node\/driver\/|consensus\/)/, 'agreement'],
]

const weakOwn: readonly Rule[] = [[/^wire\//, 'encode']]

/** By the names of packages and their files. */
const packages: readonly Rule[] = [
  [/^json-rpc-2\.0\//, 'socket in'],
  [/^cborg\/.*decode/, 'decode'],
  [/^cborg\/.*encode/, 'encode'],
  [/^(?:level|classic-level|abstract-level)\//, 'LevelDB'],
  [/^@libp2p\/gossipsub\//, 'gossip'],
  [/^@libp2p\/(?:tcp|yamux|utils|ping|identify|mdns|multistream-select)\//, 'libp2p, noise, yamux'],
  [/^(?:@chainsafe\/|libp2p\/|it-)/, 'libp2p, noise, yamux'],
]

const weakPackages: readonly Rule[] = [
  [/^@noble\//, 'hash'],
  [
    /^(?:@libp2p|uint8|multiformats|@multiformats|protons-runtime|race-|p-)/,
    'libp2p, noise, yamux',
  ],
]

const special: Readonly<Record<string, Stage>> = {
  '(garbage collector)': 'GC',
  '(idle)': 'idle',
  '(program)': 'native code',
}

/** The stage of a function by itself; null: that of its caller. */
export function placeOf({ functionName, url }: CallFrame): Placed | null {
  const marked = special[functionName]
  if (marked !== undefined) return { stage: marked, isWeak: false }
  const name = functionName.replace(/^(?:async |get |set )?#?/, '')
  const foreign = lastAfter(url, '/node_modules/')
  if (foreign !== null) return placed(packages, weakPackages, foreign, name)
  if (url.startsWith('node:internal/modules/'))
    return { stage: 'start of the process', isWeak: false }
  const path = lastAfter(url, '/dist/') ?? lastAfter(url, '/src/')
  if (path === null) return null
  const found = placed(own, weakOwn, path, name)
  return found ?? { stage: 'elsewhere', isWeak: true }
}

function placed(
  strong: readonly Rule[],
  weak: readonly Rule[],
  path: string,
  name: string,
): Placed | null {
  const fits = ([pattern, , functions]: Rule) =>
    pattern.test(path) && (functions?.test(name) ?? true)
  const found = strong.find(fits)
  if (found !== undefined) return { stage: found[1], isWeak: false }
  const weakly = weak.find(fits)
  return weakly === undefined ? null : { stage: weakly[1], isWeak: true }
}

/** What comes after the last mark in a text; null where there is none. */
export function lastAfter(url: string, mark: string): string | null {
  const at = url.lastIndexOf(mark)
  return at < 0 ? null : url.slice(at + mark.length)
}
