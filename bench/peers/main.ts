/**
 * `npm run bench:peers -- --peers FOLDER`: Veche side by side with other products, by their own bench:
 * a folder with `runner.mjs`, `report.mjs`, `drivers/` and `lib/` (README.md). It is copied, the
 * driver of Veche is put beside the others, and runs take turns. The folder itself is not written to.
 */
import { execFileSync, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from '../build.ts'
import { makeFolder } from '../daemon.ts'
import { OTHERS_SHARE_MAX, Others } from '../machine.ts'
import { compared, type Result } from './compare.ts'

const usage = `npm run bench:peers -- --peers FOLDER [options]
  --peers FOLDER     a checkout of the peers' bench, set up
  --systems NAMES    default: veche,etcd,nats,redis
  --workloads NAMES  default: core,catchup,conflict,sync
  --runs N           turns of the workload core; default 3
  --quick            small sizes: for a look, not for a table
  --save FOLDER      keeps the results there
  --json             results as data`

const { values } = parseArgs({
  options: {
    peers: { type: 'string' },
    systems: { type: 'string', default: 'veche,etcd,nats,redis' },
    workloads: { type: 'string', default: 'core,catchup,conflict,sync' },
    runs: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    save: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const quickSizes = [
  '--seconds',
  '3',
  '--puts',
  '100',
  '--base',
  '1000',
  '--fresh',
  '500',
  '--upd',
  '50',
]

if (values.help) console.log(usage)
else if (values.peers === undefined) refuse(`Where are the peers?\n${usage}`)
else await main(resolve(values.peers))
process.exit()

function refuse(sentence: string): never {
  console.error(sentence)
  process.exit(2)
}

async function main(peers: string): Promise<void> {
  if (!existsSync(join(peers, 'runner.mjs'))) refuse(`${peers} holds no runner.mjs.`)
  const systems = values.systems.split(',')
  if (systems.some(name => name !== 'veche') && !existsSync(join(peers, 'node_modules')))
    refuse(`${peers} is not set up: run setup.sh there, or take --systems veche.`)
  process.env.VECHE_MAIN = build('as users have it')
  const others = new Others()
  const folder = copy(peers)
  const sizes = values.quick ? quickSizes : []
  for (const workload of values.workloads.split(',')) {
    const turns = workload === 'core' ? Number(values.runs) : 1
    for (let turn = 0; turn < turns; turn++) {
      for (const system of systems) {
        process.stderr.write(`${system}: ${workload}, ${turn + 1} of ${turns} …\n`)
        const what = ['--systems', system, '--workloads', workload, '--runs', '1']
        await runner(folder, [...what, ...sizes])
      }
    }
  }
  tell(folder)
  const share = others.share()
  process.stderr.write(
    `Other work on this machine used ${share.toFixed(2)} of a processor meanwhile` +
      `${share > OTHERS_SHARE_MAX ? ': these figures do not count' : ''}.\n`,
  )
}

/** A copy with our driver; packages stay where they are. */
function copy(peers: string): string {
  const folder = join(makeFolder(), 'peers')
  const skipped = new Set(['node_modules', 'results'])
  cpSync(peers, folder, { recursive: true, filter: path => !skipped.has(basename(path)) })
  const packages = join(peers, 'node_modules')
  if (existsSync(packages)) symlinkSync(packages, join(folder, 'node_modules'))
  mkdirSync(join(folder, 'results'), { recursive: true })
  const driver = new URL('driver.ts', import.meta.url).href
  writeFileSync(join(folder, 'drivers', 'veche.mjs'), `export * from '${driver}'\n`)
  return folder
}

/** Its table of each run is in the files; what it prints is progress. */
async function runner(folder: string, words: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['runner.mjs', ...words], {
    cwd: folder,
    stdio: ['ignore', process.stderr, process.stderr],
    env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  })
  const stop = () => child.kill()
  process.once('exit', stop)
  const code = await new Promise(resolve => child.once('exit', resolve))
  process.off('exit', stop)
  if (code !== 0) throw new Error(`The runner ended with ${code}.`)
}

function tell(folder: string): void {
  const path = join(folder, 'results')
  const names = readdirSync(path).filter(name => name.endsWith('.json'))
  const results = names.map(name => JSON.parse(readFileSync(join(path, name), 'utf8')) as Result)
  for (const { system, workload, out } of results)
    if (out.error !== undefined) console.error(`${system} ${workload} failed: ${out.error}`)
  if (values.save !== undefined) cpSync(path, values.save, { recursive: true })
  if (values.json) {
    console.log(JSON.stringify(results))
    return
  }
  execFileSync(process.execPath, ['report.mjs'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  console.log('\n### Veche beside each (in brackets: how many times better Veche is)\n')
  console.log(compared(results, 'veche'))
}
