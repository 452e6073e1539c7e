/**
 * An operator runs `veche verify`: until then rot may lie where nobody reads, and no member can know
 * of it. Every rot of a run is followed by such a look, at the latest when all is healed.
 */
import type { SimMember, World } from '../world.ts'

/** A member that is not open yet is looked at again after so long. */
const AGAIN_MS = 500

/** Looks at a whole store, if its member runs. */
export function scrub(world: World, { id, disk, service }: SimMember): void {
  if (service === null || !disk.isRotten) return
  const { rots } = disk
  world.tell(id, 'verify')
  const { signal } = new AbortController()
  void service.verify({ signal, progress: () => undefined }).then(
    () => disk.scrubbed(rots),
    () => world.trace(id, 'verify was cut short'), // the member stopped: somebody looks again
  )
}

/** Looks at every store with rot that nobody has looked for, until there is none. */
export function scrubAll(world: World): void {
  const rotten = world.members.filter(({ disk }) => disk.isRotten)
  for (const entry of rotten) scrub(world, entry)
  if (rotten.length > 0) world.timeline.after(AGAIN_MS, () => scrubAll(world))
}
