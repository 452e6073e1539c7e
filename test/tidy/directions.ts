/**
 * Who may import whom (ARCHITECTURE.md): the table below is the rule, as data. An arrow that is not
 * in it is an error, so that storage never learns of agreement, the pure core never of a socket,
 * and nothing above the client reaches below it. A new folder under src/ needs a line here first.
 */
import type { Finding, Import, Source } from './sources.ts'

interface Layer {
  readonly name: string
  /** A path belongs to the first layer that has a prefix of it. */
  readonly prefixes: readonly string[]
  readonly imports: readonly string[]
  /** Layers of which only types may be imported. */
  readonly types?: readonly string[]
  /** Packages allowed, by name or by prefix; absent: all. */
  readonly packages?: readonly string[]
}

const agreementLayers = ['base', 'merkle', 'consensus', 'wire']

/** The table of layers; special files stand before the folder that they lie in. */
export const layers: readonly Layer[] = [
  {
    name: 'base',
    prefixes: ['src/base/'],
    imports: [],
    packages: ['cborg', '@noble/hashes', 'node:crypto'],
  },
  { name: 'merkle', prefixes: ['src/merkle/'], imports: ['base'], packages: [] },
  { name: 'consensus', prefixes: ['src/consensus/'], imports: ['base', 'merkle'], packages: [] },
  {
    name: 'wire',
    prefixes: ['src/wire/'],
    imports: ['base', 'merkle', 'consensus'],
    packages: [],
  },
  {
    name: 'storage',
    prefixes: ['src/storage/'],
    imports: ['base', 'merkle'],
    packages: ['node:', 'level', 'abstract-level', 'classic-level'],
  },
  // The one place where a whole member is put together: its store, its network, its socket.
  {
    name: 'node/daemon',
    prefixes: ['src/node/daemon', 'src/node/embed'],
    imports: [...agreementLayers, 'storage', 'node', 'node/libp2p', 'control', 'control/protocol'],
  },
  { name: 'node/libp2p', prefixes: ['src/node/libp2p/'], imports: ['base', 'node'] },
  {
    name: 'node',
    prefixes: ['src/node/'],
    imports: [...agreementLayers, 'storage'],
    types: ['control/protocol'],
    packages: ['node:', 'pino'],
  },
  {
    // What both ends of the socket share: shapes, lines, payload forms, the member's interface.
    name: 'control/protocol',
    prefixes: [
      'src/control/protocol',
      'src/control/member-service.ts',
      'src/control/line-reader.ts',
      'src/control/byte-channel.ts',
      'src/control/payload-form.ts',
    ],
    imports: ['base'],
    packages: [],
  },
  {
    name: 'control',
    prefixes: ['src/control/'],
    imports: ['base', 'node', 'control/protocol'],
    packages: ['node:', 'json-rpc-2.0'],
  },
  {
    name: 'client',
    prefixes: ['src/client/'],
    imports: ['base', 'control/protocol'],
    packages: ['node:', 'json-rpc-2.0'],
  },
  // The commands that run a member in this process: init, join, start, demo.
  {
    name: 'cli/daemon',
    prefixes: ['src/cli/daemon'],
    imports: ['base', 'control/protocol', 'client', 'cli', 'node/daemon'],
  },
  {
    name: 'cli',
    prefixes: ['src/cli/'],
    imports: ['base', 'control/protocol', 'client', 'cli/daemon'],
    packages: ['node:', 'commander', 'picocolors', 'cli-progress'],
  },
  {
    name: 'index',
    prefixes: ['src/index.ts'],
    imports: ['base', 'control/protocol', 'client', 'node/daemon'],
    packages: [],
  },
  // What judges a run shares nothing with what is judged: no import from src/, not even a type.
  { name: 'sim/checker', prefixes: ['sim/checker/'], imports: [], packages: ['node:'] },
  {
    // Everything that takes bytes of others is fuzzed, in whatever layer it is.
    name: 'sim/fuzz',
    prefixes: ['sim/fuzz/'],
    imports: [...agreementLayers, 'node', 'storage', 'control', 'control/protocol', 'sim'],
    packages: ['node:'],
  },
  {
    name: 'sim',
    prefixes: ['sim/'],
    imports: [...agreementLayers, 'node', 'storage/contract', 'sim/checker'],
    types: ['control/protocol'],
    packages: ['node:', 'vitest', 'fast-check', 'playwright-core'],
  },
]

/** What a simulated member may take from storage: the contract and the twin in memory. */
const storageContract = ['src/storage/store.ts', 'src/storage/memory-']

/** The layer of a path under src/ or sim/; undefined elsewhere, and for an unknown folder. */
export function layerOf(path: string): Layer | undefined {
  return layers.find(layer => layer.prefixes.some(prefix => path.startsWith(prefix)))
}

/** Arrows of a source that the table does not have. */
export function checkDirections(source: Source): Finding[] {
  const layer = layerOf(source.path)
  if (layer === undefined) {
    if (!source.path.startsWith('src/')) return []
    return [{ path: source.path, line: 1, sentence: 'lies in a folder that no layer owns' }]
  }
  return source.imports.flatMap(arrow => {
    const sentence = arrow.target === null ? foreign(layer, arrow) : own(layer, arrow, arrow.target)
    return sentence === null ? [] : [{ path: source.path, line: arrow.line, sentence }]
  })
}

function foreign(layer: Layer, { specifier }: Import): string | null {
  const isAllowed = layer.packages?.some(
    name => specifier === name || specifier.startsWith(name.endsWith(':') ? name : `${name}/`),
  )
  return isAllowed === false ? `${layer.name} may not import the package ${specifier}` : null
}

function own(layer: Layer, arrow: Import, target: string): string | null {
  const to = layerOf(target)
  if (to === layer) return null
  if (to === undefined) return `${layer.name} may not import ${target}`
  if (layer.imports.includes(to.name)) return null
  if (arrow.isType && layer.types?.includes(to.name)) return null
  const isContract = storageContract.some(prefix => target.startsWith(prefix))
  if (isContract && layer.imports.includes('storage/contract')) return null
  return `${layer.name} may not import ${to.name} (${target})`
}

/** Sources that `from` runs, directly or not, following value imports only. */
export function reach(sources: readonly Source[], from: readonly Source[]): Set<string> {
  const byPath = new Map(sources.map(source => [source.path, source]))
  const seen = new Set<string>()
  const open = [...from]
  for (let source = open.pop(); source !== undefined; source = open.pop()) {
    if (seen.has(source.path)) continue
    seen.add(source.path)
    for (const { target, isType } of source.imports) {
      const next = target === null || isType ? undefined : byPath.get(target)
      if (next !== undefined) open.push(next)
    }
  }
  return seen
}
