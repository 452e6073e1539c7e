/**
 * What a seed decides before its world exists.
 */

/** How many members a seed has when nobody says. */
export function membersOf(seed: number): number {
  return [3, 5, 4, 3, 7, 5, 2, 6][seed % 8]!
}
