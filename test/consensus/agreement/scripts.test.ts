/**
 * The paragraphs of the Storage Member specification that speak of agreement, walked through as
 * transcripts (test/scripts). `VECHE_REWRITE=1` writes them anew.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { transcriptOf } from '../../support/agreement-script.ts'

const folder = join(import.meta.dirname, '../../scripts')
const scripts = readdirSync(folder).filter(name => name.endsWith('.txt'))

describe('transcripts', () => {
  it('are there', () => {
    expect(scripts.length).toBeGreaterThan(5)
  })

  for (const name of scripts)
    it(`${name} goes as it is written`, () => {
      const path = join(folder, name)
      const written = readFileSync(path, 'utf8')
      const shown = transcriptOf(written)
      if (process.env.VECHE_REWRITE === '1') writeFileSync(path, shown)
      else expect(shown).toBe(written)
    })
})
