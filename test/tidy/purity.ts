/**
 * The pure core: base, merkle, consensus and wire take events and give effects. They never ask for
 * the time, for chance or for the machine, wait for nothing, and give the same answer on every
 * machine and every version of Node. What they may not name is listed here as data.
 */
import { type Finding, findAll, type Source } from './sources.ts'

const pureFolders = ['src/base/', 'src/merkle/', 'src/consensus/', 'src/wire/']

/** The hash chooses its form when it loads: the one door of the core to the machine. */
const door = 'src/base/hash.ts'

interface Ban {
  readonly words: RegExp
  readonly why: string
  /** Also allowed in the door. */
  readonly atDoor?: boolean
}

const bans: readonly Ban[] = [
  { words: /(?<![\w$#])(async|await|Promise)\b/g, why: 'waits' },
  {
    words: /\b(set(?:Timeout|Interval|Immediate)|queueMicrotask|requestIdleCallback)\b/g,
    why: 'sets a timer',
  },
  { words: /(?<![\w$.])(Date|performance|Temporal)\b/g, why: 'asks for the time' },
  { words: /\b(Math\.random|getRandomValues|randomUUID|randomBytes)\b/g, why: 'asks for chance' },
  {
    words: /(?<![\w$.])(process|globalThis|fetch(?=\())\b(?!\s*\??:)/g,
    why: 'asks the machine',
    atDoor: true,
  },
  { words: /\b(WeakRef|FinalizationRegistry)\b/g, why: 'sees the garbage collector' },
  {
    words: /\.\s*(localeCompare|toLocale\w*|normalize|to(?:Lower|Upper)Case)\b/g,
    why: 'differs between languages or Unicode versions',
  },
  { words: /(?<![\w$.])(Intl)\b/g, why: 'differs between languages' },
  { words: /\bfor\s*\(\s*(?:const|let)\s+[\w$]+\s+(in)\b/g, why: 'depends on the order of keys' },
  {
    // Typed arrays of numbers sort by value; they are called so.
    words: /(?<!\bnumbers)\.\s*((?:sort|toSorted)\(\s*\))/g,
    why: 'needs its order named (compareText, …)',
  },
]

/** Module-level state: a variable, or a container that can only be meant to be filled later. */
const topLevelState =
  /^(?:export\s+)?(?:(let|var)\b|const\s+([\w$]+)[^\n=]*=\s*(?:new\s+(?:Map|Set|WeakMap|WeakSet|Array)\b[^(\n]*\(\s*\)|\[\s*\]|\{\s*\}))/gm

/** What makes a source of the core impure; nothing for all others. */
export function checkPurity(source: Source): Finding[] {
  if (!pureFolders.some(folder => source.path.startsWith(folder))) return []
  const isDoor = source.path === door
  const named = bans.flatMap(({ words, why, atDoor }) =>
    isDoor && atDoor ? [] : findAll(source, 'code', words, m => `\`${m[1]}\` in the core: ${why}`),
  )
  const state = findAll(source, 'code', topLevelState, () => 'module-level state in the core')
  const machine = source.imports
    .filter(({ specifier }) => specifier.startsWith('node:') && !isDoor)
    .map(({ line, specifier }) => ({
      path: source.path,
      line,
      sentence: `\`${specifier}\` in the core: only ${door} may ask Node`,
    }))
  return [...named, ...state, ...machine]
}
