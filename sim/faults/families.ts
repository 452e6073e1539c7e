/**
 * All kinds of faults, of all families. A new family is a file of its own and one line here.
 */
import { clockFaults } from './clock-faults.ts'
import type { Strike } from './context.ts'
import { diskFaults } from './disk-faults.ts'
import { memberFaults } from './member-faults.ts'
import { networkFaults } from './network-faults.ts'
import { processFaults } from './process-faults.ts'

const families = [processFaults, networkFaults, diskFaults, clockFaults, memberFaults] as const

type Families = (typeof families)[number]
export type FaultKind = Families extends infer F ? (F extends unknown ? keyof F : never) : never

export const strikes = Object.assign({}, ...families) as Readonly<Record<FaultKind, Strike>>

/** Those of each family. */
export const kindsByFamily = families.map(family => Object.keys(family) as FaultKind[])

export const kinds: readonly FaultKind[] = kindsByFamily.flat()
