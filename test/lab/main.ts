/**
 * The lab's command line: real daemons under faults, see asked.ts. It starts itself a second time in
 * namespaces of its own (mounts, network, processes), so that nothing outlives it however it ends:
 * with the inner process everything in it is gone, and the outer one removes the folder.
 *
 * Exits 0 when every network passed, 1 when one did not, 2 when it could not run.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Asked, HELP, readArguments, UsageError } from './asked.ts'
import { Dice } from './dice.ts'
import { figuresOf, figuresText, isGood, type Outcome } from './figures.ts'
import { runNetwork } from './network.ts'
import { extrasIn, missingTools, run } from './tools.ts'

/** Names the folder of a run, and that this process is the inner one. */
const INSIDE = 'VECHE_LAB_FOLDER'
const KEPT = 'kept'
/** Faults of one network: longer ones make histories that take long to judge. */
const NETWORK_S = 150
/** What a network takes beside its faults: forming, settling, judging. */
const BESIDE_S = 60
const MEMBERS = [3, 3, 4, 5, 5, 7] as const

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** The inner process: one network after the other. */
async function inside(asked: Asked, folder: string): Promise<number> {
  // Whoever started it has gone: so does it, and everything in its namespaces with it.
  process.stdin.on('end', () => process.exit(130)).resume()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
  // `ip netns exec` copies the mounts for each daemon: a disk must come off all copies at once.
  await run('mount', ['--make-rshared', '/'])
  mkdirSync('/run/netns', { recursive: true })
  await run('mount', ['-t', 'tmpfs', 'tmpfs', '/run/netns'])
  await run('ip', ['link', 'set', 'lo', 'up'])
  // Daemons start from the sources again and again: what was compiled once is kept.
  process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled')
  const extras = extrasIn(folder)
  const outcomes: Outcome[] = []
  const begin = performance.now()
  const leftS = () => asked.minutes * 60 - (performance.now() - begin) / 1000
  const size = Math.min(
    NETWORK_S,
    Math.max(20, asked.minutes * 60 - (asked.isSmall ? 0 : BESIDE_S)),
  )
  do {
    const seed = `${asked.seed}/${outcomes.length + 1}`
    const members = asked.members ?? new Dice(`members ${seed}`).pick(MEMBERS)
    const name = join(folder, `network-${outcomes.length + 1}`)
    const { isSmall, isCanary } = asked
    say(`network ${seed}: ${members} members, ${Math.round(size)} s of faults`)
    const seconds = Math.round(size)
    const outcome = await runNetwork({
      seed,
      members,
      seconds,
      folder: name,
      extras,
      isSmall,
      isCanary,
    })
    outcomes.push(outcome)
    tell(outcome)
    if (isGood(outcome)) rmSync(name, { recursive: true })
    else {
      writeFileSync(join(folder, KEPT), '')
      say(`logs, history and stores are in ${name}`)
    }
    save(asked, outcomes)
  } while (!asked.isSmall && leftS() > NETWORK_S / 2 + BESIDE_S)
  say(figuresText(figuresOf(outcomes)))
  return outcomes.every(isGood) ? 0 : 1
}

function tell(outcome: Outcome): void {
  say(figuresText(figuresOf([outcome])))
  for (const { answer, name, findings } of outcome.verdict?.answers ?? []) {
    if (answer !== 'pass') say(`${answer}: ${name}`)
    if (answer !== 'pass') for (const { sentence } of findings.slice(0, 5)) say(`    ${sentence}`)
  }
  for (const finding of outcome.findings) say(`FOUND: ${finding}`)
  say(isGood(outcome) ? 'PASS' : 'FAIL')
}

function save({ resultPath, jsonPath }: Asked, outcomes: readonly Outcome[]): void {
  const figures = figuresOf(outcomes)
  const { passed, failed } = figures
  if (resultPath !== null) writeFileSync(resultPath, JSON.stringify({ passed, failed }))
  if (jsonPath !== null) writeFileSync(jsonPath, `${JSON.stringify(figures, null, 2)}\n`)
}

/** The outer process: looks whether the lab can run, and lets it. */
async function outside(args: readonly string[]): Promise<number> {
  if (process.getuid?.() !== 0) {
    process.stderr.write('the lab makes network namespaces and mounts disks: it needs root\n')
    return 2
  }
  const { needed, extra } = missingTools()
  for (const sentence of [...needed, ...extra]) process.stderr.write(`missing: ${sentence}\n`)
  if (needed.length > 0) return 2
  const folder = mkdtempSync(join(tmpdir(), 'veche-lab-'))
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  const node = [process.execPath, '--disable-warning=ExperimentalWarning']
  const command = [...namespaces, '--', ...node, fileURLToPath(import.meta.url), ...args]
  const env = { ...process.env, [INSIDE]: folder }
  const child = spawn('unshare', command, { env, stdio: ['pipe', 'inherit', 'inherit'] })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => child.stdin.end())
  }
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => resolve(code ?? 1))
  })
  if (!existsSync(join(folder, KEPT))) rmSync(folder, { recursive: true, force: true })
  return code
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const asked = readArguments(args)
    if (asked === 'help') {
      say(HELP)
      return 0
    }
    const folder = process.env[INSIDE]
    return folder === undefined ? await outside(args) : await inside(asked, folder)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n\n${HELP}`)
    return 2
  }
}

process.exit(await main(process.argv.slice(2)))
