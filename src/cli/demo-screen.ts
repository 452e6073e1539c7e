/**
 * What the demo shows: numbered steps in plain sentences, what is done and answered, and a table of
 * the three members. On a terminal the table is drawn in place again and again while the demo
 * waits; elsewhere it is printed once, when what was waited for has happened.
 */
import { clearScreenDown, cursorTo, moveCursor } from 'node:readline'
import type { StatusResult } from '../control/protocol-network.ts'
import type { Session } from './command.ts'
import { type Cell, plain, short, table } from './text.ts'

/** Narrower terminals would break the lines of the table, and it could not be drawn in place. */
const LIVE_COLUMNS_MIN = 76
const WRAP_COLUMNS = 78

export class DemoScreen {
  readonly #session: Session
  readonly #isLive: boolean
  #step = 0
  #tableLines = 0

  constructor(session: Session) {
    this.#session = session
    const { stdout } = session.io
    this.#isLive = stdout.isTTY === true && (stdout.columns ?? 0) >= LIVE_COLUMNS_MIN
  }

  /** Whether somebody watches and needs time to read. */
  get isWatched(): boolean {
    return this.#session.io.stdout.isTTY === true && !this.#session.json
  }

  /** Begins a step: its title, and what it shows and why that matters. */
  async step(title: string, sentences: string): Promise<void> {
    const { bold, cyan } = this.#session.colors
    this.#step++
    await this.#print(`\n${bold(cyan(`${this.#step}. ${title}`))}\n`)
    await this.say(sentences)
  }

  async say(sentences: string): Promise<void> {
    await this.#print(`${wrapped(sentences)}\n`)
  }

  /** Something that is done on a member, and what came of it. */
  async act(on: string, what: string, answer: string): Promise<void> {
    const { bold, dim } = this.#session.colors
    await this.#print(`  ${bold(on.padEnd(10))}${what}  ${dim(`→ ${answer}`)}\n`)
  }

  /** Prints a text as it is. */
  async raw(text: string): Promise<void> {
    await this.#print(text)
  }

  /** Draws the table in place, while the demo waits. */
  async live(statuses: readonly StatusResult[]): Promise<void> {
    if (this.#isLive) await this.#draw(statuses)
  }

  /** Draws the table for good. */
  async table(statuses: readonly StatusResult[]): Promise<void> {
    await this.#draw(statuses)
    this.#tableLines = 0
  }

  async #draw(statuses: readonly StatusResult[]): Promise<void> {
    const text = `\n${membersTable(statuses, this.#session)}`
    if (this.#tableLines > 0) {
      const { stdout } = this.#session.io
      moveCursor(stdout, 0, -this.#tableLines)
      cursorTo(stdout, 0)
      clearScreenDown(stdout)
    }
    await this.#print(text)
    this.#tableLines = text.split('\n').length - 1
  }

  async #print(text: string): Promise<void> {
    if (!this.#session.json) await this.#session.print(text)
    this.#tableLines = 0
  }
}

function membersTable(statuses: readonly StatusResult[], { colors }: Session): string {
  const { bold, cyan, dim, green, magenta, yellow } = colors
  const hashes = [...new Set(statuses.map(({ hash }) => hash))]
  const dresses = hashes.length === 1 ? [green] : [cyan, magenta, yellow]
  const head = ['member', 'status', 'hash', 'items', 'waiting', 'in touch with']
  const rows = statuses.map((status): Cell[] => {
    const isAlone = reachedBy(status).length === 0
    return [
      { text: plain(status.name), dress: bold },
      { text: status.status, dress: status.status === 'source' ? green : yellow },
      { text: short(status.hash), dress: dresses[hashes.indexOf(status.hash)] ?? dim },
      { text: String(status.items), align: 'right' },
      { text: String(status.pending + status.unsettled), align: 'right', dress: dim },
      { text: reachedBy(status).join(', ') || 'nobody', dress: isAlone ? yellow : dim },
    ]
  })
  const title = head.map((text, at): Cell => {
    const isNumber = at === 3 || at === 4
    return { text, dress: dim, ...(isNumber ? { align: 'right' as const } : {}) }
  })
  return table([title, ...rows], '  ')
}

/** Names of the others that a member reaches. */
export function reachedBy(status: StatusResult): string[] {
  return status.members
    .filter(({ uuid, reached }) => reached && uuid !== status.uuid)
    .map(({ name }) => plain(name))
    .toSorted()
}

function wrapped(sentences: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of sentences.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > WRAP_COLUMNS) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
