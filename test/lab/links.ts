/**
 * The network between the members as the lab harms it: who cannot hear whom, whose packets get lost,
 * whose connections are reset, whose line is pulled. Each harm is laid on under a name of its own and
 * taken off again; each namespace always has exactly the rules that all harms together make.
 */
import { outsideOf } from '../support/namespaces.ts'
import { run } from './tools.ts'

export interface Place {
  readonly name: string
  readonly namespace: string
  readonly address: string
}

/** One direction: `to` does not hear `from`. */
export interface Pair {
  readonly from: string
  readonly to: string
}

type Harm =
  | { readonly kind: 'cut'; readonly pairs: readonly Pair[] }
  | { readonly kind: 'loss'; readonly at: string; readonly percent: number }
  | { readonly kind: 'reset'; readonly at: string }

export class Links {
  readonly #places: ReadonlyMap<string, Place>
  readonly #harms = new Map<number, Harm>()
  #last: Promise<void> = Promise.resolve()
  #next = 1

  constructor(places: readonly Place[]) {
    this.#places = new Map(places.map(place => [place.name, place]))
  }

  /** Lays a harm on; answers what takes it off. */
  async lay(harm: Harm): Promise<() => Promise<void>> {
    const number = this.#next
    this.#next += 1
    this.#harms.set(number, harm)
    await this.#apply()
    return async () => {
      this.#harms.delete(number)
      await this.#apply()
    }
  }

  /** Pulls a member's line, or plugs it in. */
  async line(name: string, state: 'up' | 'down'): Promise<void> {
    await run('ip', ['link', 'set', outsideOf(this.#places.get(name)!.namespace), state])
  }

  /** One application of all rules after the other, each with all harms of its moment. */
  #apply(): Promise<void> {
    const before = this.#last
    const now = (async () => {
      await before
      await Promise.all([...this.#places.values()].map(place => this.#rule(place)))
    })()
    this.#last = now
    return now
  }

  async #rule({ name, namespace }: Place): Promise<void> {
    const input: string[] = []
    const output: string[] = []
    for (const harm of this.#harms.values()) {
      if (harm.kind === 'cut') {
        for (const { from, to } of harm.pairs) {
          if (to === name) input.push(`ip saddr ${this.#places.get(from)!.address} drop`)
        }
      } else if (harm.at !== name) continue
      else if (harm.kind === 'loss') {
        input.push(`numgen random mod 100 < ${harm.percent} drop`)
      } else {
        input.push('meta l4proto tcp iifname != lo reject with tcp reset')
        output.push('meta l4proto tcp oifname != lo reject with tcp reset')
      }
    }
    const chain = (hook: string, rules: readonly string[]) => [
      `chain ${hook} {`,
      `type filter hook ${hook} priority 0;`,
      ...rules,
      '}',
    ]
    const table = ['table inet lab {', ...chain('input', input), ...chain('output', output), '}']
    const script = ['flush ruleset', ...table, ''].join('\n')
    await run('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], script)
  }
}

/** Both directions between two groups. */
export function between(one: readonly string[], other: readonly string[]): Pair[] {
  return one.flatMap(from =>
    other.flatMap(to => [
      { from, to },
      { from: to, to: from },
    ]),
  )
}
