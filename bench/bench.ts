/**
 * What a row has at hand: the options, the place for daemons, the floors of this run, the figures so
 * far. Floors are measured when a row asks for them, once, and every row that asks gets the same.
 */
import type { Figure, Floor } from './figures.ts'
import { diskFloor } from './floors/disk.ts'
import { hashFloor } from './floors/hash.ts'
import { hopFloor, levelHopFloor } from './floors/hop.ts'
import { levelFloor } from './floors/level.ts'
import { streamFloor } from './floors/stream.ts'
import { Others } from './machine.ts'
import { Members } from './members.ts'
import type { Options } from './options.ts'
import type { Place } from './place.ts'

/** One row of the table, or some that are measured on one network. */
export interface Row {
  readonly name: string
  /** What it measures, for `--list`. */
  readonly about: string
  readonly isLarge?: boolean
  run(bench: Bench): Promise<void>
}

export class Bench {
  readonly options: Options
  readonly place: Place
  readonly figures: Figure[] = []
  /** How much of a processor others used during each row. */
  readonly shares = new Map<string, number>()
  readonly #main: string
  #row = ''
  #shared: Members | null = null
  readonly #floors = new Map<string, Promise<unknown>>()

  constructor(about: { options: Options; place: Place; main: string }) {
    this.options = about.options
    this.place = about.place
    this.#main = about.main
  }

  /** Seconds of a timed part. */
  get seconds(): number {
    return this.options.isQuick ? 2 : 15
  }

  /** One of two sizes. */
  size(quick: number, whole: number): number {
    return this.options.isQuick ? quick : whole
  }

  /** Progress, for people: never on standard output. */
  say(sentence: string): void {
    process.stderr.write(`${sentence}\n`)
  }

  async measure(row: Row): Promise<void> {
    this.#row = row.name
    this.say(`${row.name}: ${row.about} …`)
    const begin = performance.now()
    const others = new Others()
    await row.run(this)
    const share = others.share()
    this.shares.set(row.name, share)
    const seconds = (performance.now() - begin) / 1000
    this.say(`${row.name}: ${seconds.toFixed(0)} s, others used ${share.toFixed(2)} of a processor`)
  }

  add(
    name: string,
    value: number,
    unit: string,
    more: { readonly floor?: Floor; readonly note?: string } = {},
  ): void {
    // Runs are merged by these names.
    if (this.figures.some(figure => figure.row === this.#row && figure.name === name))
      throw new Error(`${this.#row} has "${name}" twice.`)
    this.figures.push({ row: this.#row, name, value, unit, ...more })
  }

  form(count: number, nodeOptions: readonly string[] = []): Promise<Members> {
    return Members.form({ count, place: this.place, main: this.#main, nodeOptions })
  }

  /** Three members that rows of single writes and reads share. */
  async shared(): Promise<Members> {
    this.#shared ??= await this.form(3)
    return this.#shared
  }

  async end(): Promise<void> {
    await this.#shared?.end()
    this.#shared = null
  }

  disk = () => this.#floor('disk', async () => diskFloor())
  hash = () => this.#floor('hash', async () => hashFloor())
  hop = () => this.#floor('hop', hopFloor)
  level = () => this.#floor('level', () => levelFloor(64, this.size(1, 3)))
  levelHop = () => this.#floor('levelHop', () => levelHopFloor(20_000, this.size(2, 5)))
  stream = () => this.#floor('stream', () => streamFloor(this.size(128, 1024)))

  #floor<Value>(name: string, measure: () => Promise<Value>): Promise<Value> {
    const known = this.#floors.get(name) as Promise<Value> | undefined
    if (known !== undefined) return known
    this.say(`  floor: ${name} …`)
    const measured = measure()
    this.#floors.set(name, measured)
    return measured
  }
}
