/** All rows of the bench, in the order in which they run: light ones before heavy ones. */
import type { Row } from '../bench.ts'
import { catchUp } from './catch-up.ts'
import { gets } from './gets.ts'
import { latency } from './latency.ts'
import { million } from './million.ts'
import { payload } from './payload.ts'
import { puts, spread } from './puts.ts'
import { steady } from './steady.ts'
import { syncs } from './syncs.ts'
import { tree } from './tree.ts'
import { walk } from './walk.ts'

export const rows: readonly Row[] = [
  latency,
  puts,
  spread,
  gets,
  catchUp,
  steady,
  syncs,
  tree,
  walk,
  payload,
  million,
]
