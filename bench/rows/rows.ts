/** All rows of the bench, in the order in which they run: light ones before heavy ones. */
import type { Row } from '../bench.ts'
import { gets } from './gets.ts'
import { latency } from './latency.ts'
import { puts, spread } from './puts.ts'

export const rows: readonly Row[] = [latency, puts, spread, gets]
