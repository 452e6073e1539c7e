/**
 * All kinds of faults, of all families. A new family is a file of its own and one line here.
 */
import { clockFaults } from './clock-faults.ts'
import type { Strike } from './context.ts'
import { diskFaults } from './disk-faults.ts'
import { memberFaults } from './member-faults.ts'
import { networkFaults } from './network-faults.ts'
import { processFaults } from './process-faults.ts'

const families = {
  ...processFaults,
  ...networkFaults,
  ...diskFaults,
  ...clockFaults,
  ...memberFaults,
} as const

export type FaultKind = keyof typeof families

export const strikes: Readonly<Record<FaultKind, Strike>> = families

export const kinds = Object.keys(families) as readonly FaultKind[]
