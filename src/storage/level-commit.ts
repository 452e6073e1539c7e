/**
 * The way of batches to LevelDB: encoded and visible at once, durable in groups, one `sync` batch at
 * a time, each with the record that promises it, then a line in the journal, then the answer.
 *
 * Records of groups are kept for as long as LevelDB may hold them in its log (opening.ts finds a
 * lost group by the hole); older ones are removed by the way.
 */
import { limits } from '../base/limits.ts'
import type { Engine } from './engine.ts'
import { GroupCommit } from './group-commit.ts'
import type { Journal } from './journal.ts'
import { keys } from './keys.ts'
import type { BatchEncoder, StagedBatch } from './level-batch.ts'
import { WRITE_BUFFER_BYTES_MAX } from './level-open.ts'
import type { Database } from './level-table.ts'
import type { Op, Overlay } from './overlay.ts'
import { groupPayload, seal, unseal } from './records.ts'
import type { Write } from './store.ts'
import type { TallyChange } from './tally.ts'

/** Two buffers and the largest group, with as much again for LevelDB's own framing. */
const LOG_BYTES = 2 * (2 * WRITE_BUFFER_BYTES_MAX + limits.groupBytesMax)

/** What a commit works on, and who hears of its ends. */
export interface LevelCommitOptions {
  readonly engine: Engine
  readonly overlay: Overlay
  readonly encoder: BatchEncoder
  readonly journal: Journal
  /** The group that the opening wrote. */
  readonly group: number
  readonly onFault: (error: Error) => void
  /** Says what a failure of LevelDB means, with its code. */
  readonly faultOf: (error: unknown) => Error
  /** Events before this sequence may be removed from the disk. */
  readonly onTrimmed: (firstEvent: number) => void
}

/** All writing of an open store. */
export class LevelCommit {
  readonly #options: LevelCommitOptions
  readonly #commits: GroupCommit<StagedBatch>
  /** Kept groups in order, with the bytes written up to and including each. */
  #kept: { readonly group: number; readonly bytes: number }[]
  #group: number
  /** The last group that LevelDB has taken. */
  #taken: number
  #bytes = 0
  #trimmedTo = 0

  constructor(options: LevelCommitOptions) {
    this.#options = options
    this.#group = options.group
    this.#taken = options.group
    this.#kept = [{ group: options.group, bytes: 0 }]
    this.#commits = new GroupCommit({
      write: (batches, bytes) => this.#write(batches, bytes),
      groupBytesMax: limits.groupBytesMax,
      onFault: options.onFault,
    })
  }

  get fault(): Error | null {
    return this.#commits.fault
  }

  /** The disk failed elsewhere: nothing is written any more. */
  fail(fault: Error): void {
    this.#commits.fail(fault)
  }

  /** Hands a batch in. */
  add(batch: readonly Write[]): Promise<void> {
    return this.#stage(this.#options.encoder.encode(batch))
  }

  /** Hands records in that are no batch of the contract. */
  addOps(ops: readonly Op[]): Promise<void> {
    this.#options.encoder.noteWritten(ops)
    let bytes = 0
    for (const op of ops) bytes += op.key.length + (op.type === 'put' ? op.value.length : 0)
    return this.#stage({ ops, bytes, tally: this.#options.encoder.tally.record() })
  }

  /** Takes watched records out that were not written anew since. */
  async remove(keys: readonly string[]): Promise<void> {
    const ops = keys.map(key => this.#options.encoder.removal(key)).filter(op => op !== undefined)
    if (ops.length > 0) await this.addOps(ops)
  }

  /** Changes what is promised to what was counted. */
  rebase(by: TallyChange): Promise<void> {
    this.#options.encoder.tally.change(by)
    return this.addOps([])
  }

  idle(): Promise<void> {
    return this.#commits.idle()
  }

  /** Throws when LevelDB, opened anew, does not hold the group that it took last. */
  async check(db: Database): Promise<void> {
    const key = keys.group(this.#taken)
    const record = await db.get(key)
    if (record === undefined || unseal(key, record) === undefined) {
      throw new Error('corruption: what was written last is not there')
    }
  }

  #stage(staged: StagedBatch): Promise<void> {
    this.#options.overlay.stage(staged.ops)
    return this.#commits.add(staged, staged.bytes)
  }

  async #write(batches: readonly StagedBatch[], bytes: number): Promise<void> {
    const { overlay, journal, onTrimmed } = this.#options
    this.#group += 1
    this.#bytes += bytes
    const tally = { ...batches.at(-1)!.tally, group: this.#group }
    const ops: Op[] = []
    for (const batch of batches) for (const op of batch.ops) ops.push(op)
    for (const group of this.#forget()) ops.push({ type: 'del', key: keys.group(group) })
    this.#kept.push({ group: this.#group, bytes: this.#bytes })
    const key = keys.group(this.#group)
    const value = seal(key, groupPayload({ tally, oldest: this.#kept[0]!.group }))
    ops.push({ type: 'put', key, value })
    await this.#sync(ops, bytes)
    for (const batch of batches) overlay.land(batch.ops)
    await journal.promise(tally)
    if (tally.firstEvent > this.#trimmedTo) {
      this.#trimmedTo = tally.firstEvent
      onTrimmed(tally.firstEvent)
    }
  }

  async #sync(ops: Op[], bytes: number): Promise<void> {
    const { engine, faultOf } = this.#options
    try {
      await engine.use(async db => {
        // Its list form makes each operation anew and hands it over field by field: twice the time.
        const batch = db.batch()
        for (const op of ops) {
          if (op.type === 'put') batch.put(op.key, op.value)
          else batch.del(op.key)
        }
        await batch.write({ sync: true })
        this.#taken = this.#group
      }, bytes)
    } catch (error) {
      throw faultOf(error)
    }
  }

  /** Takes the groups off the list that cannot lie in the log any more. */
  #forget(): number[] {
    const limit = this.#bytes - LOG_BYTES
    const first = this.#kept.findIndex(({ bytes }) => bytes >= limit)
    if (first <= 0) return []
    return this.#kept.splice(0, first).map(({ group }) => group)
  }
}
