/**
 * The numbers in the closing line of .ci/run: read from reports, never guessed. A report that
 * hides a failure would turn the automatic checks into decoration.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from './tidy/sources.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-ci-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function counts(
  report: unknown,
  mode: 'count' | 'failures' | 'ran' = 'count',
  ...paths: readonly string[]
) {
  const file = join(folder, 'report.json')
  writeFileSync(file, typeof report === 'string' ? report : JSON.stringify(report))
  const args = mode === 'count' ? [file] : [`--${mode}`, file, ...paths]
  const run = spawnSync(process.execPath, ['.ci/counts.mjs', ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status: run.status, line: run.stdout.trim() }
}

function testFile(name: string, ...statuses: readonly string[]) {
  return {
    name: join(root, name),
    status: statuses.includes('failed') || statuses.length === 0 ? 'failed' : 'passed',
    message: '',
    assertionResults: statuses.map(status => ({ status })),
  }
}

describe('.ci/counts.mjs', () => {
  it('counts the tests of a report, and only those that ran', () => {
    const testResults = [testFile('test/a.test.ts', 'passed', 'failed', 'skipped', 'passed')]
    expect(counts({ success: false, testResults })).toEqual({ status: 0, line: '2 1' })
  })

  it('counts a file that broke outside its tests, and an error outside of all files', () => {
    const good = testFile('test/a.test.ts', 'passed')
    expect(counts({ success: false, testResults: [good, testFile('test/b.test.ts')] }).line).toBe(
      '1 1',
    )
    expect(counts({ success: false, testResults: [good] }).line).toBe('1 1')
  })

  it('takes plain counts of a deep suite', () => {
    expect(counts({ passed: 300, failed: 2 })).toEqual({ status: 0, line: '300 2' })
  })

  it('refuses what is no report', () => {
    expect(counts('').status).not.toBe(0)
    expect(counts({ passed: 'all' }).status).not.toBe(0)
    expect(counts({}).status).not.toBe(0)
  })

  it('tells which tests failed, and why, so that the end of a long log is enough', () => {
    const good = testFile('test/a.test.ts', 'passed')
    const bad = testFile('test/b.test.ts', 'passed')
    const failed = {
      status: 'failed',
      fullName: 'b holds',
      failureMessages: ['expected 1\nat b:3'],
    }
    const testResults = [
      good,
      { ...bad, status: 'failed', assertionResults: [...bad.assertionResults, failed] },
      { ...testFile('test/c.test.ts'), message: 'no such import' },
    ]
    expect(counts({ success: false, testResults }, 'failures').line.split('\n')).toEqual([
      'test/b.test.ts: b holds',
      'expected 1',
      'at b:3',
      'test/c.test.ts: broke outside of its tests',
      'no such import',
    ])
    expect(counts({ passed: 300, failed: 2 }, 'failures')).toEqual({ status: 0, line: '' })
  })

  it('tells a root suite that ran from one that was skipped, wholly or in part, or is missing', () => {
    const testResults = [
      testFile('test/ran.root.test.ts', 'passed', 'failed'),
      testFile('test/part.root.test.ts', 'passed', 'skipped'),
    ]
    const ran = (path: string) => counts({ testResults }, 'ran', path).status
    expect(ran('test/ran.root.test.ts')).toBe(0)
    expect(ran('test/part.root.test.ts')).toBe(1)
    expect(ran('test/missing.root.test.ts')).toBe(1)
  })
})
