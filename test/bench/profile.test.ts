/** What is read from profiles of V8, from strace, from a journal, and from results of others. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compared, type Result } from '../../bench/peers/compare.ts'
import { placeOf, type Stage } from '../../bench/profile/stages.ts'
import { type CpuProfile, sumProfile } from '../../bench/profile/sum.ts'
import { stageTable, usOf } from '../../bench/profile/table.ts'
import { lastGroup, readCounts } from '../../bench/strace.ts'
import { journalLine } from '../../src/storage/journal.ts'
import { Tally } from '../../src/storage/tally.ts'

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 0 })
const ours = (path: string) => `file:///srv/veche/dist/${path}`
const foreign = (path: string) => `file:///srv/veche/node_modules/${path}`

/** A tree of four functions: a link calls the decoder, which calls a native hash; and GC. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5, 6] },
    {
      id: 2,
      callFrame: frame('onData', foreign('@libp2p/tcp/dist/src/socket.js')),
      children: [3, 7],
    },
    { id: 3, callFrame: frame('readFrame', ours('wire/frame.js')), children: [4] },
    { id: 4, callFrame: frame('hash', 'node:internal/crypto/hash') },
    { id: 5, callFrame: frame('(garbage collector)') },
    { id: 6, callFrame: frame('(idle)') },
    { id: 7, callFrame: frame('concat', foreign('uint8arraylist/dist/src/index.js')) },
  ],
  startTime: 1000,
  //        1010 1030 1060 1100 1150 1210
  samples: [2, 3, 4, 5, 6, 7],
  timeDeltas: [10, 20, 30, 40, 50, 60],
}

describe('a profile', () => {
  it('gives each sample the time until the next, to the stage of its nearest caller', () => {
    const { stages, totalUs } = sumProfile(profile, 0, 1e9)
    expect(Object.fromEntries(stages)).toEqual({
      'libp2p, noise, yamux': 20,
      decode: 30 + 40,
      GC: 50,
      idle: 60,
    })
    expect(totalUs).toBe(20 + 30 + 40 + 50 + 60)
  })

  it('is summed over a stretch of time alone', () => {
    expect(Object.fromEntries(sumProfile(profile, 1030, 1100).stages)).toEqual({ decode: 70 })
  })

  it('names functions by file and line, without the folder that they lie in', () => {
    const { functions } = sumProfile(profile, 0, 1e9)
    expect([...functions.keys()]).toContain('readFrame  wire/frame.js:1')
    expect([...functions.keys()]).toContain('onData  @libp2p/tcp/dist/src/socket.js:1')
  })

  it('is scaled to the processor time that the kernel saw', () => {
    const member = {
      name: 'm1',
      summed: sumProfile(profile, 0, 1e9),
      mainSeconds: 70e-6,
      otherSeconds: 10e-6,
    }
    // 140 µs of samples are not idle; the kernel says that they stand for 70 µs.
    expect(usOf(member, 'decode', 10)).toBeCloseTo(3.5)
    const table = stageTable([member], 10)
    expect(table).toContain('| decode | 3.5 |')
    expect(table).toContain('| **main thread** | 7.0 |')
    expect(table).toContain('| main thread, idle or waiting for a processor | 13.0 |')
  })
})

describe('stages', () => {
  it.each<[string, string, Stage]>([
    ['#receive', ours('control/connection.js'), 'socket in'],
    ['#writeLines', ours('control/outbox.js'), 'socket out'],
    ['hashText', ours('base/hash.js'), 'hash'],
    ['readAdds', ours('wire/adding-bodies.js'), 'decode'],
    ['sealFrame', ours('wire/frame.js'), 'encode'],
    ['encodeFact', ours('base/fact-codec.js'), 'encode'],
    ['decodeFact', ours('base/fact-codec.js'), 'decode'],
    ['#run', ours('storage/group-commit.js'), 'group'],
    ['land', ours('storage/overlay.js'), 'LevelDB'],
    ['onAck', ours('node/driver/adding.js'), 'acknowledgments'],
    ['sendAdds', ours('node/driver/adding.js'), 'links'],
    ['step', ours('consensus/agreement/machine.js'), 'agreement'],
    ['extend', ours('consensus/items/digest.js'), 'rules and ledger'],
    ['sign', foreign('@libp2p/gossipsub/dist/src/utils/buildRawMessage.js'), 'gossip'],
    ['encrypt', foreign('@chainsafe/libp2p-noise/dist/src/noise.js'), 'libp2p, noise, yamux'],
    ['compileSourceTextModule', 'node:internal/modules/esm/utils', 'start of the process'],
    ['(idle)', '', 'idle'],
  ])('%s of %s is %s', (name, url, stage) => {
    expect(placeOf(frame(name, url))).toEqual({ stage, isWeak: false })
  })

  it('no folder of the product that runs in a daemon is without a stage', () => {
    const root = join(import.meta.dirname, '../../src')
    const isOutside = (path: string) => /^(?:cli|client|index)/.test(path)
    const helpers = /^base\//
    const unplaced = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map(path => path.replaceAll('\\', '/'))
      .filter(path => path.endsWith('.ts') && !isOutside(path) && !helpers.test(path))
      .map(path => path.replace(/\.ts$/, '.js'))
      .filter(path => placeOf(frame('any', ours(path)))?.stage === 'elsewhere')
    const folders = new Set(unplaced.map(path => path.slice(0, path.lastIndexOf('/'))))
    // The files of node/ itself put a member together; no write passes them.
    expect([...folders]).toEqual(['node'])
  })
})

describe('strace', () => {
  const table = [
    '% time     seconds  usecs/call     calls    errors syscall',
    '------ ----------- ----------- --------- --------- ----------------',
    ' 98.20    0.041230         412       100           fdatasync',
    '  1.80    0.000755         377         2         1 fsync',
    '------ ----------- ----------- --------- --------- ----------------',
    '100.00    0.041985         411       102         1 total',
  ].join('\n')

  it('its counts are read, with errors or without, and never its total', () => {
    expect([...readCounts(table)]).toEqual([
      ['fdatasync', 100],
      ['fsync', 2],
    ])
  })

  it('a process without such a call has an empty table', () => {
    expect(readCounts('').size).toBe(0)
  })

  it('the groups of a store are read from its journal, also while a line is being written', () => {
    const line = (group: number) =>
      journalLine({ tally: { ...new Tally().record(), group }, cut: null, closed: false })
    expect(lastGroup(line(7) + line(12))).toBe(12)
    expect(lastGroup(`${line(7)}5f0c1d2e {"format":1,"ta`)).toBe(7)
    expect(() => lastGroup('')).toThrow('names no group')
  })
})

describe('side by side', () => {
  const core = (system: string, putsPerSec: number, p50ms: number): Result => ({
    system,
    workload: 'core',
    out: { W2one: { putsPerSec }, W1: { p50ms } },
  })
  const results = [core('veche', 3000, 0.8), core('veche', 5000, 1.0), core('etcd', 2000, 1.8)]

  it('more is better of rates, less of times, and a ratio above 1 is ours', () => {
    const lines = compared(results, 'veche').split('\n')
    expect(lines).toContain('| puts, 64 in flight, one node, /s | 4,000 | 2,000 (2.00 ×) |')
    expect(lines).toContain('| one put at a time, p50, ms | 0.900 | 1.80 (2.00 ×) |')
  })

  it('what was not measured has no figure', () => {
    expect(compared(results, 'veche')).toContain('| gets, 64 in flight, /s | – | – |')
  })

  it('of nodes the largest counts', () => {
    const out = { W6: { rssMiB: [180, 210, 190] } }
    const footprint: Result[] = [{ system: 'veche', workload: 'catchup', out }]
    expect(compared(footprint, 'veche')).toContain('| memory, largest node, MiB | 210 |')
  })
})
