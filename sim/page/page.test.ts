/**
 * The page of a run: whole in itself, its data true to the run, its code fit to be read by a browser.
 * Where Debian's `chromium` is there, it is opened, moved and searched as a person would.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunResult, simulate } from '../run.ts'
import { Collector } from './collect.ts'
import type { PageData } from './data.ts'
import { pageOf } from './page.ts'

const BROWSER = '/usr/bin/chromium'
const OPTIONS = {
  seed: 11,
  members: 3,
  seconds: 15,
  swarm: { kinds: ['kill', 'cutOneWay', 'pause'], everyMs: 1500, atOnce: 2, lastMs: [500, 3000] },
} as const

let result: RunResult
let data: PageData
let html: string

beforeAll(async () => {
  let page: Collector | undefined
  result = await simulate({
    ...OPTIONS,
    watch: world => {
      page = new Collector(world)
      return page.watcher()
    },
  })
  data = page!.data(result, 'npm run sim -- --seed 11')
  // A sentence of a run must never become markup.
  const hostile = { atMs: 1, guarantee: 'G1', sentence: '</script><img src=x onerror=alert(1)>' }
  html = pageOf({ ...data, violations: [hostile] })
})

describe('the page of a run', () => {
  it('changes nothing of the run that it shows', async () => {
    expect((await simulate(OPTIONS)).traceHash).toBe(result.traceHash)
  })

  it('needs nothing from elsewhere', () => {
    expect(html).not.toMatch(/(src|href)=["']?(https?:)?\/\//)
    expect(html.replaceAll(/"sentence":"[^"]*"/g, '')).not.toMatch(/<img|<link|@import|fetch\(/)
    expect(html).toContain(`default-src 'none'`)
  })

  it('holds the run as data that read back equal, and never as markup', () => {
    const json = /<script type="application\/json" id="run">(.*?)<\/script>/s.exec(html)![1]!
    const read = JSON.parse(json) as PageData
    expect(read).toEqual(JSON.parse(JSON.stringify({ ...data, violations: read.violations })))
    expect(read.violations[0]!.sentence).toContain('</script>')
    expect(html.match(/<script/g)).toHaveLength(2)
  })

  it('has code that is one whole: no import is left, no name is given twice', () => {
    const code = /<script type="module">(.*?)<\/script>/s.exec(html)![1]!
    expect(code).not.toMatch(/^\s*(import|export)\b/m)
    expect(() => new Script(`'use strict';(() => {${code}})`)).not.toThrow()
  })

  it('tells every status of every member, with its reason, and every fault', () => {
    for (const change of result.monitor.changes) {
      const { atMs, member, to, sentence } = change
      const place = data.members.indexOf(member)
      expect(data.lanes).toContainEqual({
        atMs: Math.round(atMs),
        member: place,
        state: to,
        sentence,
      })
    }
    const struck = [...result.faults.values()].reduce((sum, count) => sum + count, 0)
    expect(struck).toBeGreaterThan(3)
    expect(data.faults.length).toBeGreaterThanOrEqual(struck)
    expect(data.lanes.some(({ state }) => state === 'down')).toBe(true)
    expect(data.cuts.every(({ sinceMs, untilMs }) => sinceMs < untilMs)).toBe(true)
  })

  it('tells every question of a client with its answer, and every message that came', () => {
    expect(data.asked).toHaveLength(result.history.operations.length)
    const { done, refused, unknown } = result.outcomes
    const told = (outcome: string) => data.asked.filter(asked => asked.outcome === outcome).length
    expect([told('done'), told('refused'), told('unknown')]).toEqual([done, refused, unknown])
    const { frames, gossip } = result.network
    expect(data.messages).toHaveLength(frames + gossip)
    expect(data.kinds.map(({ group }) => group)).toEqual(expect.arrayContaining(['pings', 'adds']))
  })
})

describe.skipIf(!existsSync(BROWSER))('the page in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'veche-page-'))
  const path = join(folder, 'run.html')
  afterAll(() => rmSync(folder, { recursive: true }))

  it('draws from a file, moves by keys, finds by words, and runs no markup of its data', async () => {
    writeFileSync(path, html)
    const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] })
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ viewport: { width: 1200, height: 800 }, colorScheme })
        const errors: string[] = []
        page.on('pageerror', error => errors.push(error.message))
        page.on('dialog', dialog => errors.push(dialog.message()))
        await page.goto(`file://${path}`)
        const seen = page.locator('#window')
        await seen.filter({ hasText: '0.000 s to' }).waitFor()
        const whole = await seen.textContent()
        await page.locator('#lanes').focus()
        await page.keyboard.press('+')
        await page.keyboard.press('ArrowRight')
        await seen.filter({ hasNotText: whole! }).waitFor()
        await page.keyboard.press('/')
        await page.keyboard.type('source')
        await page.keyboard.press('Escape')
        await page.keyboard.press('0')
        const areAllFound = async () => {
          const listed = await page.locator('#events button').allTextContents()
          return listed.length > 0 && listed.every(text => text.toLowerCase().includes('source'))
        }
        await expect.poll(areAllFound, { timeout: 10_000 }).toBe(true) // it is drawn with the next frame
        await page.locator('#violations button').click()
        await seen.filter({ hasText: '0.000 s to 4.000 s' }).waitFor()
        expect(errors).toEqual([])
        await page.close()
      }
    } finally {
      await browser.close()
    }
  })
})
