/**
 * What a history tells of versions that rotted on a disk. Nobody knows of it until somebody looks:
 * the member's tree goes on with them, and what stands on them is not shown where it was looked.
 */
import type { FaultLine, HistoryLine } from './format.ts'

/** How the version begins that rotted by a fault; undefined when none did. */
export function rottenBegin(line: FaultLine): string | undefined {
  return /^rot in version ([0-9a-f]+)$/.exec(line.fault)?.[1]
}

/** How the versions begin that rotted, by member. */
export class Rotten {
  readonly #begins = new Map<string, string[]>()

  take(line: HistoryLine): void {
    if (line.kind !== 'fault') return
    const begin = rottenBegin(line)
    if (begin === undefined) return
    for (const member of line.scope) {
      this.#begins.set(member, [...(this.#begins.get(member) ?? []), begin])
    }
  }

  of(member: string): readonly string[] {
    return this.#begins.get(member) ?? []
  }
}
