/**
 * The command: what it prints, and how it exits.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HistoryLine } from './format.ts'
import { goodHistory } from './model.ts'
import { Recorder } from './recorder.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veche-history-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const command = fileURLToPath(new URL('main.ts', import.meta.url))

function run(...paths: readonly string[]) {
  return spawnSync(process.execPath, [command, ...paths], { encoding: 'utf8' })
}

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** As a recorder would have written it. */
function written(lines: readonly HistoryLine[]): string {
  let text = ''
  let nowMs = 0
  const recorder = new Recorder(
    () => nowMs,
    line => {
      text += line
    },
  )
  for (const { atMs, seq, ...line } of lines) {
    nowMs = atMs
    expect(recorder.write(line)).toBe(seq)
  }
  return text
}

describe('the command that judges a history', () => {
  const good = goodHistory({ seed: 'command' })

  it('passes a good one with 0, and tells what it looked at', () => {
    const { status, stdout } = run(file('good', written(good)))
    expect(stdout).toMatch(/1 pass +nothing acknowledged is lost: \d+ acknowledged writes/)
    expect(stdout.trimEnd().endsWith('PASS')).toBe(true)
    expect(status).toBe(0)
  })

  it('fails one whose last dump lost a fact with 1, and names the lines', () => {
    const lines = good.map((line, at) => {
      if (line.kind !== 'dump' || at < good.length - 1) return line
      return { ...line, facts: line.facts!.slice(1) }
    })
    const { status, stdout } = run(file('lost', written(lines)))
    expect(stdout).toMatch(/lost [0-9a-f]{12} of \S+ \(lines \d+, \d+\)/)
    expect(stdout).toMatch(/FAIL: checks 1, /)
    expect(status).toBe(1)
  })

  it('cannot tell of one whose end is cut off, or that is empty', () => {
    const cut = run(file('cut', written(good).slice(0, -100)))
    expect(cut.stdout).toContain('cannot be read: no JSON')
    expect(cut.status).toBe(1)
    expect(run(file('empty', '')).status).toBe(1)
  })

  it('exits with 2 when there is no such file, or none is named', () => {
    expect(run(join(folder, 'absent')).status).toBe(2)
    expect(run().status).toBe(2)
  })
})
