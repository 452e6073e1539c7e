/**
 * Groups of what is joined, directly or over others: who can speak with whom, who knows whom. The
 * order of what is given decides the order of the groups, so that a run repeats.
 */

/** The groups of some things by a relation that holds both ways. */
export function groupsOf<T>(all: Iterable<T>, areJoined: (one: T, other: T) => boolean): T[][] {
  const left = new Set(all)
  const groups: T[][] = []
  for (const first of left) {
    const group = [first]
    left.delete(first)
    for (const one of group) {
      for (const other of left) {
        if (!areJoined(one, other)) continue
        left.delete(other)
        group.push(other)
      }
    }
    groups.push(group)
  }
  return groups
}
