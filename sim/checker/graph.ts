/**
 * All facts that any dump ever showed, as one graph: what stands on what, how deep, and whether one
 * version descends from another. Facts of split ids stand on derived versions that nobody holds;
 * ancestry is asked of root ids only.
 */
import type { DumpFact } from './format.ts'
import { parentsFirst } from './hashes.ts'
import { keyOf } from './split.ts'

/** A fact with the dump in which it was first seen. */
export interface SeenFact {
  readonly fact: DumpFact
  readonly seq: number
}

export class Graph {
  readonly facts = new Map<string, SeenFact>()
  readonly #children = new Set<string>()
  #depths: Map<string, number> | null = null

  add(fact: DumpFact, seq: number): void {
    const key = keyOf(fact.id, fact.version)
    if (this.facts.has(key)) return
    this.facts.set(key, { fact, seq })
    for (const parent of fact.parents) this.#children.add(keyOf(fact.id, parent))
    for (const above of fact.base ?? []) {
      for (const head of above.heads) this.#children.add(keyOf(above.id, head))
    }
    this.#depths = null
  }

  get(id: string, version: string): DumpFact | undefined {
    return this.facts.get(keyOf(id, version))?.fact
  }

  /** Whether anything was ever written upon a version, as its child or on a branch of it. */
  hasChild(id: string, version: string): boolean {
    return this.#children.has(keyOf(id, version))
  }

  /** Length of the longest way down within the graph; a first version has 1. */
  depth(id: string, version: string): number {
    this.#depths ??= this.#measure()
    return this.#depths.get(keyOf(id, version)) ?? 0
  }

  /** Whether `newer` is `older` or descends from it; looks no deeper than `older` lies. */
  descends(id: string, newer: string, older: string): boolean {
    const floor = this.depth(id, older)
    const seen = new Set<string>()
    const open = [newer]
    for (let version = open.pop(); version !== undefined; version = open.pop()) {
      if (version === older) return true
      if (seen.has(version) || this.depth(id, version) <= floor) continue
      seen.add(version)
      open.push(...(this.get(id, version)?.parents ?? []))
    }
    return false
  }

  #measure(): Map<string, number> {
    const nodes = new Map<string, { key: string; parents: readonly string[] }>()
    for (const [key, { fact }] of this.facts) {
      const parents = fact.parents.map(parent => keyOf(fact.id, parent))
      nodes.set(key, { key, parents })
    }
    const depths = new Map<string, number>()
    for (const { key, parents } of parentsFirst(nodes)) {
      let longest = 0
      for (const parent of parents) longest = Math.max(longest, depths.get(parent) ?? 0)
      depths.set(key, longest + 1)
    }
    return depths
  }
}
