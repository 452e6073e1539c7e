/**
 * A world for a scenario: the same members and checks as in a run of a seed, but what happens is
 * written down step by step. Every write goes into the history, so `settle` can ask for all of it.
 */
import { utf8, utf8Text } from '../src/base/bytes.ts'
import type { ItemId } from '../src/base/fact.ts'
import { VecheError } from '../src/base/veche-error.ts'
import type { PlantedBug, Quorum } from '../src/consensus/agreement/state.ts'
import type { Status } from '../src/consensus/messages.ts'
import type { Level, PutResult } from '../src/control/protocol.ts'
import { Answers } from './answers.ts'
import { checkEnding } from './ending.ts'
import { History, sha256 } from './history.ts'
import { Monitor } from './monitor.ts'
import { finish, runUntil } from './run.ts'
import { isSettled, whyUnsettled } from './settled.ts'
import { Verdict } from './verdict.ts'
import { type SimMember, World } from './world.ts'

export interface SceneOptions {
  readonly members: number
  readonly seed?: string
  readonly quorum?: Quorum
  readonly planted?: ReadonlySet<PlantedBug>
  readonly latencyMs?: readonly [number, number]
}

export interface PutOptions {
  readonly wait?: Level
  readonly timeoutMs?: number
  readonly ifVersion?: string
}

export class Scene {
  readonly world: World
  readonly verdict: Verdict
  readonly monitor: Monitor
  readonly history = new History()
  readonly #answers: Answers

  /** A world whose stores know each other; nobody is started. */
  static async open(options: SceneOptions): Promise<Scene> {
    const scene = new Scene(options)
    await scene.world.found()
    scene.monitor.start()
    return scene
  }

  /** As `open`, with all started and Source. */
  static async started(options: SceneOptions): Promise<Scene> {
    const scene = await Scene.open(options)
    scene.world.startAll()
    await scene.until(() => scene.are('source'), 10_000)
    return scene
  }

  private constructor({ seed = 'scene', members, quorum, planted, latencyMs }: SceneOptions) {
    this.world = new World({
      seed,
      members,
      ...(quorum === undefined ? {} : { quorum }),
      ...(planted === undefined ? {} : { planted }),
    })
    if (latencyMs !== undefined) this.world.network.weather.latencyMs = latencyMs
    this.verdict = new Verdict(() => this.world.nowMs)
    this.monitor = new Monitor(this.world, this.verdict)
    this.#answers = new Answers(this.world, this.verdict, () => this.history)
  }

  /** Members by their places. */
  at(...places: readonly number[]): SimMember[] {
    return places.map(place => this.world.at(place))
  }

  status(place: number): Status | 'down' {
    return this.world.at(place).member?.agreement.status ?? 'down'
  }

  /** Whether members (all, if none is named) have a status. */
  are(status: Status, ...places: readonly number[]): boolean {
    const members = places.length === 0 ? this.world.members : this.at(...places)
    return members.every(({ member }) => member?.agreement.status === status)
  }

  run(ms: number): Promise<void> {
    return this.world.run(ms)
  }

  /** Runs until something is so; a scenario that waits in vain has failed. */
  async until(isSo: () => boolean, withinMs: number): Promise<void> {
    if (await runUntil(this.world, withinMs, isSo)) return
    throw new Error(`not within ${withinMs} ms: ${isSo.toString()}; ${whyUnsettled(this.world)}`)
  }

  /** Runs until a promise of a member is kept. */
  ask<T>(answer: Promise<T>): Promise<T> {
    return finish(this.world, answer)
  }

  /** A write at a member; `pending` unless more is waited for. */
  put(place: number, id: ItemId, text: string, options: PutOptions = {}): Promise<PutResult> {
    return this.ask(this.begin(place, id, text, options))
  }

  /** A write that is under way: the world must run for it to be answered. */
  async begin(place: number, id: ItemId, text: string, options: PutOptions): Promise<PutResult> {
    const entry = { ...this.world.at(place) } // as it is now: it may stop before it answers
    const payload = utf8(text)
    const operation = this.history.begin({
      client: entry.id,
      member: entry.id,
      kind: 'put',
      id,
      beganAtMs: this.world.nowMs,
      blob: sha256(payload),
    })
    const asked = { wait: 'pending' as Level, ...options }
    try {
      const result = await entry.service!.put({ id, payload, type: 'text/plain', ...asked })
      const { version, level, heldBy, of } = result
      operation.outcome = { kind: 'done', version, level, heldBy, of }
      this.#answers.wrote(operation, entry)
      return result
    } catch (error) {
      if (error instanceof VecheError) {
        operation.outcome = { kind: 'refused', code: error.code, sentence: error.message }
      }
      throw error
    } finally {
      operation.endedAtMs = this.world.nowMs
    }
  }

  /** What a member shows of an item. */
  async get(place: number, id: ItemId): Promise<string | undefined> {
    const found = await this.ask(this.world.at(place).service!.get({ id }, 1_000_000))
    return utf8Text(found.payload)
  }

  /** The ids that a member lists. */
  async list(place: number): Promise<string[]> {
    const { items } = await this.ask(this.world.at(place).service!.list({ limit: 1000 }))
    return items.map(item => item.id)
  }

  /** The storage hash of a member. */
  root(place: number): string {
    return this.world.at(place).member!.ledger.sets.settled.root()
  }

  /** Waits until all are equal, looks at everything once more, and answers after how long. */
  async settle(withinMs = 30_000): Promise<number> {
    const beganAtMs = this.world.nowMs
    await this.until(() => isSettled(this.world), withinMs)
    const tookMs = this.world.nowMs - beganAtMs
    await this.ask(checkEnding(this.world, this.history, this.verdict))
    this.check()
    return tookMs
  }

  /** Throws the first violation. */
  check(): void {
    const first = this.verdict.first
    if (first !== undefined)
      throw new Error(`${first.guarantee} at ${first.atMs}: ${first.sentence}`)
  }
}
