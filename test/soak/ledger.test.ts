/**
 * The ledger's own arithmetic: a figure that is claimed is the sum of rows that were written.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { emptyTable, readLedger, rowOf, type Soak, sumText, withSoak } from './ledger.ts'

const soak: Soak = {
  date: '2026-01-02',
  commit: 'abcdef0',
  minutes: 40,
  seeds: 1200,
  range: '1–1200',
  hours: 30.25,
  faults: { kill: 40_000, 'clock jump': 1500 },
  done: 100_000,
  refused: 2000,
  unknown: 300,
  acknowledged: 90_000,
  lost: 0,
  diverged: 0,
  falseSplits: 0,
  failed: 0,
  kills: 60,
  powerCuts: 12,
  labDone: 5000,
  labAcknowledged: 4000,
  labLost: 0,
  states: 1_000_000,
  inputs: 2_000_000,
}

describe('the ledger of soaks', () => {
  it('reads back what it wrote', () => {
    const text = `${emptyTable()}${rowOf(soak)}\n`
    expect(readLedger(text)).toEqual([soak])
  })

  it('adds its rows up, each zero with its denominator', () => {
    const empty = `<!-- sum -->\n<!-- /sum -->\n\n${emptyTable()}`
    const twice = withSoak(withSoak(empty, soak), { ...soak, lost: 1, kills: 40 })
    expect(readLedger(twice)).toHaveLength(2)
    expect(twice).toContain('2 soaks: 2,400 seeds, 60.50 simulated hours, 83,000 faults;')
    expect(twice).toContain('1 lost of 180,000 acknowledged writes')
    expect(twice).toContain('100 kills and 24 power cuts')
  })

  it('adds up anew what came after the last soak in which something was lost', () => {
    const since = sumText([soak, { ...soak, lost: 1, commit: 'bad0bad' }, soak]).split('\n\n')[1]
    expect(since).toContain('the soak of bad0bad found was mended:\n1 soaks: 1,200 seeds, 30.25')
    expect(since).toContain('0 lost of 90,000 acknowledged writes')
    expect(sumText([soak])).not.toContain('was mended')
  })

  it('refuses a row that it cannot read', () => {
    const row = rowOf(soak)
    expect(() => readLedger(`${emptyTable()}${row.replace('| 1,200 |', '| many |')}`)).toThrow()
    expect(() => readLedger(`${emptyTable()}${row.replace('| 1,200 ', '')}`)).toThrow()
  })

  it('of this repository says the sum of its rows', () => {
    const text = readFileSync(new URL('../../docs/ledger.md', import.meta.url), 'utf8')
    expect(text).toContain(`<!-- sum -->\n${sumText(readLedger(text))}\n<!-- /sum -->`)
  })
})
