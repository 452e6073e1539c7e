/**
 * Transcripts: a plain-text script is run in a model world, and what it shows stands in the same
 * file below each command. `#` begins a comment, `> ` a command, all else is output. A changed
 * transcript is a changed protocol: regenerate with `VECHE_REWRITE=1`, and commit the difference
 * only when you understand it.
 *
 *   members 5 [roster]        a world; members m1 … m5, none started
 *   have 1 2: k x             agreed facts;  aside 3: y  the same as set aside
 *   spoil 3: z                a fact that is agreed there and told to nobody
 *   start [1 2]  crash 1  wipe 1  pause 1 4s
 *   put 3 x  |  cut 1 2 | 3 4 5  |  block 1 2 (one way)  |  heal
 *   delay 5 80  |  loss 30  |  walk 20s (a comparison)  |  skew 2 10s
 *   run 5s                    shows what happened to statuses, with the second of the world
 *   until whole 30s           runs until all are Source with one set; shows what happened
 *   status | facts | list 1   where all stand; who holds what; whom member 1 lists
 */
import { World } from './agreement-world.ts'

/** A script as it should stand in its file: commands and comments as they were, output anew. */
export function transcriptOf(script: string): string {
  const runner = new Runner()
  const out: string[] = []
  for (const line of script.split('\n')) {
    if (line.startsWith('> '))
      out.push(line, ...runner.run(line.slice(2)).map(shown => `  ${shown}`))
    else if (line === '' || line.startsWith('#')) out.push(line)
  }
  return out.join('\n')
}

type Command = (runner: Runner, words: readonly string[]) => readonly string[]

class Runner {
  world = new World({ members: 1 })
  /** Status lines that were shown. */
  shown = 0

  run(line: string): readonly string[] {
    const [name = '', ...words] = line.split(/\s+/)
    const command = commands.get(name)
    if (command === undefined) throw new Error(`no such command: ${line}`)
    return command(this, words)
  }

  /** What happened to statuses since this was last asked. */
  happened(): readonly string[] {
    const lines = this.world.lines.slice(this.shown)
    this.shown = this.world.lines.length
    return lines.map(
      ({ at, member, from, to, sentence }) =>
        `${(at / 1000).toFixed(1).padStart(5)}  ${member}  ${from} -> ${to}: ${sentence}`,
    )
  }
}

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'members',
    (runner, [count, quorum]) => {
      const kind = quorum === 'roster' ? 'roster' : 'visible'
      runner.world = new World({ members: Number(count), quorum: kind, seed: 3 })
      runner.shown = 0
      return []
    },
  ],
  ['have', ({ world }, words) => each(words, (at, names) => world.have(at, ...names))],
  ['aside', ({ world }, words) => each(words, (at, names) => world.haveAside(at, ...names))],
  ['spoil', ({ world }, words) => each(words, (at, names) => spoil(world, at, names))],
  ['start', ({ world }, words) => done(() => world.start(...words.map(Number)))],
  ['crash', ({ world }, [at]) => done(() => world.member(Number(at)).crash())],
  ['wipe', ({ world }, [at]) => done(() => world.wipe(Number(at)))],
  ['pause', ({ world }, [at, ms]) => done(() => world.member(Number(at)).pause(msOf(ms)))],
  ['put', ({ world }, [at, name = '']) => done(() => world.put(Number(at), name))],
  ['cut', ({ world }, words) => done(() => world.cut(...sidesOf(words)))],
  ['block', ({ world }, [from, to]) => done(() => world.network.block(`m${from}`, `m${to}`))],
  ['heal', ({ world }) => done(() => world.network.heal())],
  ['loss', ({ world }, [percent]) => done(() => setLoss(world, Number(percent) / 100))],
  ['delay', ({ world }, [min, max]) => done(() => setDelay(world, Number(min), Number(max)))],
  ['walk', ({ world }, [ms]) => done(() => setWalk(world, msOf(ms)))],
  ['skew', ({ world }, [at, ms]) => done(() => setSkew(world, Number(at), msOf(ms)))],
  [
    'run',
    (runner, [ms]) => {
      runner.world.run(msOf(ms))
      return runner.happened()
    },
  ],
  [
    'until',
    (runner, [what, ms]) => {
      const { world } = runner
      const isReached = what === 'whole' ? () => world.isWhole() : () => world.sources().length > 0
      world.runUntil(isReached, msOf(ms))
      return runner.happened()
    },
  ],
  ['status', ({ world }) => statusOf(world)],
  ['facts', ({ world }) => factsOf(world)],
  ['list', ({ world }, [at]) => listOf(world, Number(at))],
])

function done(work: () => unknown): readonly string[] {
  work()
  return []
}

/** `1 2: k x` as the same work for each member. */
function each(
  words: readonly string[],
  work: (at: number, names: readonly string[]) => void,
): readonly string[] {
  const colon = words.findIndex(word => word.endsWith(':'))
  const members = words.slice(0, colon + 1).map(word => Number(word.replace(':', '')))
  for (const at of members) work(at, words.slice(colon + 1))
  return []
}

function sidesOf(words: readonly string[]): number[][] {
  const sides = words.join(' ').split('|')
  return sides.map(side => side.trim().split(' ').map(Number))
}

function msOf(text = ''): number {
  const [, number, unit] = /^(-?[\d.]+)(ms|s|min)$/.exec(text) ?? []
  if (unit === undefined) throw new Error(`no duration: ${text}`)
  return Number(number) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000)
}

/** Facts that come to be agreed at one member and are told to nobody. */
function spoil(world: World, at: number, names: readonly string[]): void {
  world.have(at, ...names)
  world.member(at).tellOwn()
}

function setLoss(world: World, loss: number): void {
  world.network.loss = loss
}

function setDelay(world: World, min: number, max: number): void {
  world.network.delay = { min, max }
}

function setWalk(world: World, ms: number): void {
  world.compareMs = ms
}

function setSkew(world: World, at: number, ms: number): void {
  world.member(at).skewMs = ms
}

/** Equal hashes get equal letters, in the order in which they are first seen. */
function statusOf(world: World): readonly string[] {
  const letters = new Map<string, string>()
  return world.members.map(({ id, isAlive, state, sets }) => {
    if (!isAlive) return `${id}  down`
    const hash = sets.settledHash
    if (!letters.has(hash)) letters.set(hash, String.fromCharCode(65 + letters.size))
    const agreed = `${sets.agreed.size} agreed, ${sets.pending.size} pending`
    return `${id}  ${state.status.padEnd(12)}  hash ${letters.get(hash)}  ${agreed}`
  })
}

function factsOf(world: World): readonly string[] {
  const known = [...world.accepted].sort()
  return known.map(name => {
    const agreed = world.members.filter(({ sets }) => sets.agreed.has(name)).map(({ id }) => id)
    const pending = world.members.filter(({ sets }) => sets.pending.has(name)).map(({ id }) => id)
    const queue = pending.length === 0 ? '' : `; pending at ${pending.join(' ')}`
    return `${name}: agreed at ${agreed.join(' ') || 'nobody'}${queue}`
  })
}

function listOf(world: World, at: number): readonly string[] {
  const { state } = world.member(at)
  return [...state.peers.values()].map(peer => {
    const source = peer.sourceSince === null ? 'not on the list of Sources' : 'a Source'
    return `${peer.id}  says ${peer.status}; ${source}`
  })
}
