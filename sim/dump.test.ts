/**
 * Real members under the checker: what they answer and what is read from their stores makes a
 * history that passes, and the same story with a planted bug one that does not.
 */
import { describe, expect, it } from 'vitest'
import type { PlantedBug } from '../src/consensus/agreement/state.ts'
import { checkHistory, type Verdict, verdictText } from './checker/check.ts'
import { readHistory } from './checker/read.ts'
import { Recorder } from './checker/recorder.ts'
import { dumpShown, dumpStore, shownItems } from './dump.ts'
import { sha256 } from './history.ts'
import { Scene } from './scene.ts'

class Story {
  readonly scene: Scene
  readonly #lines: string[] = []
  readonly #recorder: Recorder
  #count = 0

  constructor(scene: Scene) {
    this.scene = scene
    const { world } = scene
    this.#recorder = new Recorder(
      () => world.nowMs,
      line => this.#lines.push(line),
    )
    this.#recorder.write({
      kind: 'begin',
      format: 1,
      run: 'dump.test',
      members: world.members.map(({ id }) => id),
      quorum: 'visible',
      records: { holds: false, statuses: false, samples: false },
      mayDestroyAll: false,
      bounds: {
        sourceMs: 10_000,
        debtMs: 20_000,
        writeMs: 10_000,
        rosterLagMs: 0,
        persistMs: 1000,
      },
    })
  }

  async put(place: number, id: string, extraBytes = 0): Promise<void> {
    this.#count += 1
    const request = `r${this.#count}`
    const text = `value ${this.#count}`.padEnd(9 + extraBytes, '.')
    const blob = sha256(Buffer.from(text))
    const member = this.scene.world.at(place).id
    const asked = {
      request,
      client: member,
      member,
      op: 'put',
      id,
      blob,
      size: text.length,
    } as const
    this.#recorder.write({ kind: 'invoke', ...asked })
    const { version, level, heldBy } = await this.scene.put(place, id, text)
    this.#recorder.write({ kind: 'done', request, version, blob: null, level, heldBy })
  }

  cut(phase: 'start' | 'stop'): void {
    const { world } = this.scene
    const scope = [world.at(0).id]
    this.#recorder.write({ kind: 'fault', fault: 'cut', scope, phase, mark: 1, destroyed: [] })
    if (phase === 'stop') world.heal()
    else world.partition([this.scene.at(0), this.scene.at(1, 2)])
  }

  /** Dumps every member through its store and from outside. */
  async judge(): Promise<Verdict> {
    const { world } = this.scene
    for (const { id, member, service } of world.up()) {
      const { settled } = member.ledger.sets
      const dump = await this.scene.ask(
        dumpStore(member.store, {
          member: id,
          moment: 'settled',
          status: member.agreement.status,
          roster: member.agreement.roster,
          cut: settled.cut,
          hash: settled.root(),
          ...(await this.scene.ask(shownItems(params => service.list(params)))),
        }),
      )
      this.#recorder.write(dump)
      const shows = {
        status: () => Promise.resolve(service.status({})),
        list: service.list.bind(service),
      }
      this.#recorder.write(await this.scene.ask(dumpShown(shows, 'settled')))
    }
    return checkHistory(readHistory(this.#lines))
  }
}

/** Two sides write one item apart, meet, and go on on the items that it split into. */
async function tell(planted: ReadonlySet<PlantedBug>): Promise<Verdict> {
  const story = new Story(await Scene.started({ members: 3, planted }))
  const { scene } = story
  await story.put(0, 'report')
  await story.put(1, 'large', 300_000)
  await scene.until(() => isEverywhere(scene, 2), 10_000)
  story.cut('start')
  for (const place of [0, 1]) {
    for (const id of ['report', 'plan', 'notes']) await story.put(place, id)
  }
  story.cut('stop')
  await scene.until(() => isEverywhere(scene, 8), 30_000)
  const [split] = (await scene.list(2)).filter(id => id.startsWith('report~'))
  if (split !== undefined) await story.put(2, split)
  for (const place of [0, 1, 2]) await story.put(place, `after ${place}`)
  await scene.until(() => isEverywhere(scene, 11 + (split === undefined ? 0 : 1)), 30_000)
  await scene.run(5000)
  return await story.judge()
}

/** Whether every member is Source, with so many user facts settled and no payload wanted. */
function isEverywhere(scene: Scene, facts: number): boolean {
  return scene.world.up().every(({ disk, member }) => {
    const users = [...disk.holdings.values()].filter(({ fact }) => !fact.id.startsWith('\u0001'))
    const { pending, wanted } = member.store.counts()
    const isWhole = users.length === facts && pending === 0 && wanted === 0
    return isWhole && member.agreement.status === 'source'
  })
}

describe('real members under the history checker', () => {
  it('pass, with a collision, a write to a split item and a large payload', async () => {
    const verdict = await tell(new Set())
    expect(verdict.ok, verdictText(verdict)).toBe(true)
    const looked = verdict.answers[5]!.looked
    expect(looked.get('collisions')).toBe(3)
  })

  it('do not, where items are split by order of arrival', async () => {
    const verdict = await tell(new Set(['split-by-arrival']))
    expect(verdict.answers[5]!.answer, verdictText(verdict)).toBe('fail')
  })
})
