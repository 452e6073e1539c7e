/**
 * The repository holds itself to its rules: import directions, the pure core, habits, shape,
 * dependencies, paths. Each rule is first shown a planted violation, so that none of them can
 * pass because it looks at nothing.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkDirections, layers, reach } from './tidy/directions.ts'
import { checkHabits, checkShape, linesMax } from './tidy/habits.ts'
import { checkPurity } from './tidy/purity.ts'
import {
  checkDependencies,
  checkLinks,
  checkLockFile,
  checkMachinePaths,
} from './tidy/repository.ts'
import { scan } from './tidy/scan.ts'
import { type Finding, filesUnder, read, root, say, sourceOf } from './tidy/sources.ts'

const files = filesUnder()
const sources = files
  .filter(path => /^(?:src|sim|test|bench|examples)\/.*\.ts$/.test(path))
  .map(path => sourceOf(path, read(path)))
const product = sources.filter(({ path }) => /^(?:src|sim)\//.test(path) && !isTest(path))

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

function expectNone(findings: readonly Finding[]) {
  expect(findings.map(say)).toEqual([])
}

/** What a check says of a planted source. */
function planted(check: (source: ReturnType<typeof sourceOf>) => Finding[], path: string) {
  return (text: string) => check(sourceOf(path, text)).map(finding => finding.sentence)
}

describe('the repository', () => {
  it('imports only along the arrows of the table', () => {
    expect(product.length).toBeGreaterThan(10)
    expectNone(product.flatMap(checkDirections))
  })

  it('keeps the core pure and deterministic', () => {
    expectNone(product.flatMap(checkPurity))
  })

  it('swallows no error and hides nothing', () => {
    expectNone(sources.flatMap(checkHabits))
  })

  it('has short files that say what they are for', () => {
    expectNone(product.flatMap(checkShape))
  })

  it('never runs libp2p in the simulator', () => {
    const world = reach(
      sources,
      sources.filter(({ path }) => path.startsWith('sim/')),
    )
    expect([...world].filter(path => path.startsWith('src/node/libp2p'))).toEqual([])
  })

  it('has an exact version and a reason for each dependency', () => {
    expectNone(checkDependencies(JSON.parse(read('package.json')), read('CONTRIBUTING.md')))
    expectNone(checkLockFile(read('package-lock.json')))
  })

  it('names no path of a machine', () => {
    const texts = files.filter(path => !/\.(?:bin|png|gz|tgz|ldb|log)$/.test(path))
    expectNone(texts.flatMap(path => checkMachinePaths(path, read(path), root)))
  })

  it('has no dead link between its documents', () => {
    const exists = (path: string) => existsSync(join(root, path))
    const documents = files.filter(path => path.endsWith('.md'))
    expect(documents.length).toBeGreaterThan(5)
    expectNone(documents.flatMap(path => checkLinks(path, read(path), exists)))
  })

  it('is tested on the Node that it runs on: 22.15 or newer', () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
    expect(major * 100 + minor).toBeGreaterThanOrEqual(2215)
  })
})

describe('the scanner', () => {
  it('tells code, comments and texts apart, with offsets kept', () => {
    const hole = (inside: string) => `$\{${inside}}`
    const text = [
      "const a = 'code // no' // say 'hi'",
      `/* x */ b = \`t ${hole(`c + \`${hole('{ d }.d')}\``)} e\` + /[/']/.test(f)`,
    ].join('\n')
    const parts = scan(text)
    for (const part of Object.values(parts)) expect(part.length).toBe(text.length)
    expect(parts.code.replace(/ +/g, ' ')).toBe(
      `const a = ' ' \n b = \` ${hole(`c + \`${hole('{ d }.d')}\``)} \` + / /.test(f)`,
    )
    expect(parts.comments.trim().replace(/\s+/g, ' ')).toBe("// say 'hi' /* x */")
    expect(parts.strings.replace(/\s+/g, ' ').trim()).toBe('code // no t e')
  })

  it('finds every form of import, and which of them are types', () => {
    const { imports } = sourceOf(
      'src/node/x.ts',
      [
        "import type { A } from './a.ts'",
        "import { type B, b } from '../b.ts'",
        "import * as c from 'c'",
        "import 'd'",
        "export { e } from './e.ts'",
        "export * from './f.ts'",
        "const g = await import('./g.ts')",
        "// import { h } from './h.ts'",
        `const i = "import { i } from './i.ts'"`,
        "import j, { k } from 'j'",
        'import {',
        '  l,',
        "} from './l.ts'",
        "export type { M } from './m.ts'",
      ].join('\n'),
    )
    expect(imports.map(({ specifier, isType, line }) => `${line} ${specifier} ${isType}`)).toEqual([
      '1 ./a.ts true',
      '2 ../b.ts false',
      '3 c false',
      '4 d false',
      '5 ./e.ts false',
      '6 ./f.ts false',
      '7 ./g.ts false',
      '10 j false',
      '11 ./l.ts false',
      '14 ./m.ts true',
    ])
    expect(imports[1]?.target).toBe('src/b.ts')
    expect(imports[2]?.target).toBeNull()
  })
})

describe('a planted violation is found', () => {
  it('in the directions: every arrow that the table lacks', () => {
    const names = new Map(layers.map(layer => [layer.name, fileIn(layer.prefixes[0]!)]))
    for (const from of layers) {
      for (const to of layers) {
        if (from === to) continue
        const text = `import { x } from '${relative(names.get(from.name)!, names.get(to.name)!)}'`
        const found = checkDirections(sourceOf(names.get(from.name)!, text))
        expect(`${from.name} -> ${to.name}: ${found.length}`).toBe(
          `${from.name} -> ${to.name}: ${from.imports.includes(to.name) ? 0 : 1}`,
        )
      }
    }
  })

  it.each([
    ['src/storage/x.ts', "import { a } from '../consensus/a.ts'"],
    ['src/consensus/x.ts', "import { a } from '../storage/a.ts'"],
    ['src/node/x.ts', "import { a } from '../control/protocol.ts'"],
    ['src/node/x.ts', "import type { A } from '../control/server.ts'"],
    ['src/node/x.ts', "import { a } from './libp2p/network.ts'"],
    ['src/cli/put.ts', "import { a } from '../node/daemon.ts'"],
    ['src/cli/put.ts', "const { a } = await import('../storage/level-store.ts')"],
    ['src/client/x.ts', "export { a } from '../control/server.ts'"],
    ['src/merkle/x.ts', "import { a } from 'cborg'"],
    ['src/storage/x.ts', "import { a } from 'libp2p'"],
    ['src/base/x.ts', "import { a } from '../../test/support/a.ts'"],
    ['src/gateway/x.ts', 'export const a = 1'],
    ['sim/x.ts', "import { a } from '../src/storage/level-store.ts'"],
    ['sim/x.ts', "import { a } from '../src/node/libp2p/network.ts'"],
  ])('in the directions: %s with %s', (path, text) => {
    expect(checkDirections(sourceOf(path, text))).toHaveLength(1)
  })

  it.each([
    ['src/node/x.ts', "import type { A } from '../control/protocol.ts'"],
    ['src/cli/daemon.ts', "import { a } from '../node/daemon.ts'"],
    ['src/wire/x.ts', "import { a } from '../consensus/messages.ts'"],
    ['sim/x.ts', "import { a } from '../src/storage/memory-store.ts'"],
    ['sim/x.ts', "import { a } from './world.ts'"],
    ['test/x.test.ts', "import { a } from '../src/storage/level-store.ts'"],
  ])('but not where the arrow is allowed: %s with %s', (path, text) => {
    expect(checkDirections(sourceOf(path, text))).toEqual([])
  })

  it.each([
    'async function f() {}',
    'const p: Promise<void> = g()',
    'setTimeout(f, 5)',
    'const now = Date.now()',
    'const t = performance.now()',
    'const r = Math.random()',
    'const e = process.env.HOME',
    "import { readFileSync } from 'node:fs'",
    'let count = 0',
    'export let open = true',
    'const cache = new Map<string, number>()',
    'const seen: string[] = []',
    'a.localeCompare(b)',
    'new Intl.Collator()',
    "name.normalize('NFC')",
    'name.toLowerCase()',
    'for (const key in object) use(key)',
    'ids.sort()',
  ])('in the core: %s', text => {
    expect(planted(checkPurity, 'src/merkle/x.ts')(text)).toHaveLength(1)
    expect(planted(checkPurity, 'src/node/x.ts')(text)).toEqual([])
  })

  it('but a clean core is left alone', () => {
    const text = [
      '// a Promise of Date.now() and Math.random() in a comment',
      "const text = 'process.env, setTimeout, async'",
      'const table = [1, 2]',
      'const names = new Set([1])',
      'numbers.sort()',
      'function f(event: { process: number; at: UpdateDate }) {',
      '  let sum = 0',
      '  const open: string[] = []',
      '  for (const id of ids.sort(compareText)) sum += event.process',
      '}',
    ].join('\n')
    expect(planted(checkPurity, 'src/merkle/x.ts')(text)).toEqual([])
  })

  it.each([
    'try { f() } catch {}',
    'try { f() } catch (error) {\n  // it may be gone already\n}',
    'f().catch(() => {})',
    'f().catch(() => undefined)',
    'f().catch(_ => null)',
    'export default function f() {}',
    'enum Colour { red }',
    'const x: any = 1',
    'const y = x as any',
    'function f(list: any[]) {}',
    "it.only('x', () => {})",
    '// TODO later',
    '/* FIXME: slow */',
    "export * from './x.ts'",
  ])('in the habits: %s', text => {
    expect(planted(checkHabits, 'src/node/x.ts')(text)).toHaveLength(1)
  })

  it('but good habits are left alone', () => {
    const text = [
      'try { f() } catch (error) { report(error) }',
      'f().catch(error => report(error))',
      'f().catch(() => undefined) // told to its own caller',
      'await Promise.any(list) // any of them',
      'const many = fc.anything()',
      "const todo = 'TODO'",
      '// TODO (#12): measure again',
      'const options = { any: true }',
    ].join('\n')
    expect(planted(checkHabits, 'src/node/x.ts')(text)).toEqual([])
  })

  it('in the shape: a long file, and a file that does not say what it is for', () => {
    const header = '/**\n * What for.\n * Never this.\n */\n'
    const shape = planted(checkShape, 'src/node/x.ts')
    expect(shape(header + 'a()\n'.repeat(linesMax - 4))).toEqual([])
    expect(shape(header + 'a()\n'.repeat(linesMax - 3))).toHaveLength(1)
    expect(shape(`#!/usr/bin/env node\n${header}`)).toEqual([])
    expect(shape('export const a = 1\n')).toHaveLength(1)
    expect(shape('/** a */\nexport const a = 1\n')).toHaveLength(1)
  })

  it('in the dependencies: one without a reason, one that is gone, one that floats', () => {
    const table = '| package | why |\n| `level` | keeps facts on disk |\n'
    expect(checkDependencies({ dependencies: { level: '10.0.0' } }, table)).toEqual([])
    expect(checkDependencies({ dependencies: { level: '^10.0.0' } }, table)).toHaveLength(1)
    expect(checkDependencies({ devDependencies: { pino: '10.4.0' } }, table)).toHaveLength(2)
    expect(checkDependencies({ dependencies: { level: '10.0.0' } }, '| `level` | |')).toHaveLength(
      1,
    )
    expect(checkLockFile('"resolved": "https://mirror.example/a.tgz"')).toHaveLength(1)
  })

  it('in the links: a document that is not there', () => {
    const check = (text: string) =>
      checkLinks('docs/a/b.md', text, path => path === 'docs/c.md').map(found => found.sentence)
    expect(check('[c](../c.md#part) [d](#here) [e](https://e.example/f.md)')).toEqual([])
    expect(check('[c](c.md), [d](../../d.md)')).toEqual([
      'links to docs/a/c.md, which is not there',
      'links to d.md, which is not there',
    ])
  })

  it('in the paths: a home folder, a working folder, this checkout', () => {
    const slash = '/'
    const check = (text: string) => checkMachinePaths('docs/x.md', text, '/srv/here/')
    expect(check(`see ${slash}home/ann/veche`)).toHaveLength(1)
    expect(check(`cd ${slash}work/veche`)).toHaveLength(1)
    expect(check('C:' + '\\Users\\ann')).toHaveLength(1)
    expect(check('cp /srv/here/src/index.ts')).toHaveLength(1)
    expect(check('~/here src/home/x https://a.example/home/x $HOME/root/x')).toEqual([])
  })
})

function fileIn(prefix: string): string {
  if (prefix.endsWith('.ts')) return prefix
  return prefix.endsWith('/') ? `${prefix}planted.ts` : `${prefix}.ts`
}

function relative(from: string, to: string): string {
  return '../'.repeat(from.split('/').length - 1) + to
}
