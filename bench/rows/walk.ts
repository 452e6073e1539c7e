/**
 * Two sides with a million items each, 100 of them different, compare by the walk over the network
 * that members use: bytes, round trips, and what each process spends. Two processes, since each must
 * have its own loop.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Bench, Row } from '../bench.ts'
import { median, percentile } from '../figures.ts'
import { pause } from '../pump.ts'
import type { FromSide, ToSide } from '../walk-side.ts'

const DIFFERING = 100
const READY_MS_MAX = 120_000

const side = fileURLToPath(new URL('../walk-side.ts', import.meta.url))

export const walk: Row = {
  name: 'walk',
  about: 'comparing two trees with 100 differences over real sockets',
  async run(bench: Bench) {
    await bench.end()
    const items = bench.size(100_000, 1_000_000)
    const walks = bench.size(10, 200)
    const first = bench.size(5, 50)
    const asker = new Side(bench, items, 0)
    const answerer = new Side(bench, items, DIFFERING)
    try {
      const contacts = await Promise.all([asker.hear('ready'), answerer.hear('ready')])
      const linked = [asker.hear('linked'), answerer.hear('linked')]
      asker.tell({ kind: 'contact', contact: contacts[1].contact })
      answerer.tell({ kind: 'contact', contact: contacts[0].contact })
      await Promise.all(linked)
      await asker.walk(first)
      const [idleBytes, idleCpu] = await idle(bench, [asker, answerer])
      const cpuBefore = [await asker.cpu(), await answerer.cpu()]
      const [bytesBefore, begin] = [bench.place.bytes(), performance.now()]
      const took = await asker.walk(walks)
      const seconds = (performance.now() - begin) / 1000
      const wire = bench.place.bytes() - bytesBefore - idleBytes * seconds
      const cpu = [await asker.cpu(), await answerer.cpu()].map(
        (after, at) => ((after - cpuBefore[at]! - idleCpu[at]! * seconds) * 1000) / walks,
      )
      if (took.some(({ found }) => found !== DIFFERING)) throw new Error('A walk missed some.')
      const note = `${items} items a side, ${DIFFERING} changed; after ${first} walks`
      bench.add('frames, both ways', median(took.map(one => one.bytes)), 'B', { note })
      if (bench.place.isOwn) bench.add('over the interface', wire / walks, 'B')
      bench.add('round trips', median(took.map(one => one.rounds)), '')
      bench.add(
        'time of a walk, p50',
        percentile(
          took.map(one => one.ms),
          0.5,
        ),
        'ms',
      )
      bench.add('processor time a walk, asker', cpu[0]!, 'ms', { note: 'with encryption' })
      bench.add('processor time a walk, answerer', cpu[1]!, 'ms', { note: 'with encryption' })
    } finally {
      asker.end()
      answerer.end()
    }
  },
}

/** What a second of nothing costs: bytes, and processor seconds of each side. */
async function idle(bench: Bench, sides: readonly Side[]): Promise<[number, number[]]> {
  const seconds = 2
  const cpuBefore = await Promise.all(sides.map(one => one.cpu()))
  const before = bench.place.bytes()
  await pause(seconds * 1000)
  const bytes = (bench.place.bytes() - before) / seconds
  const after = await Promise.all(sides.map(one => one.cpu()))
  return [bytes, after.map((cpu, at) => (cpu - cpuBefore[at]!) / seconds)]
}

type Heard<Kind extends FromSide['kind']> = Extract<FromSide, { kind: Kind }>

/** The row's end of one process. */
class Side {
  readonly #child: ChildProcess

  constructor(bench: Bench, items: number, differing: number) {
    const words = ['--disable-warning=ExperimentalWarning', side, `${items}`, `${differing}`]
    const [command, rest] = bench.place.command([process.execPath, ...words])
    this.#child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    process.once('exit', () => this.end())
  }

  tell(told: ToSide): void {
    this.#child.send(told)
  }

  hear<Kind extends FromSide['kind']>(kind: Kind): Promise<Heard<Kind>> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`A side of the walk said no "${kind}".`))
      const timer = setTimeout(late, READY_MS_MAX)
      const take = (told: FromSide) => {
        if (told.kind !== kind) return
        clearTimeout(timer)
        this.#child.off('message', take)
        resolve(told as Heard<Kind>)
      }
      this.#child.on('message', take)
    })
  }

  async walk(times: number) {
    const walked = this.hear('walked')
    this.tell({ kind: 'walk', times })
    return (await walked).walks
  }

  async cpu(): Promise<number> {
    const said = this.hear('cpu')
    this.tell({ kind: 'cpu' })
    return (await said).seconds
  }

  end(): void {
    this.#child.kill()
  }
}
