/**
 * The 64-bit stamp of the network clock (PROTOCOL 4): 48 bits of milliseconds since 1970, 16 bits
 * of a counter within the millisecond. Written as 16 lower-case hex digits, so that text order is
 * time order. Times before 1970 are stamped 0; the 48 bits last beyond the year 10000.
 */
import { Memo } from './memo.ts'

/** Such a stamp, as text. */
export type Stamp = string

/** The smallest stamp: a fact that became agreed without ever being added counts as added here. */
export const STAMP_ZERO: Stamp = '0000000000000000'

const MS_MAX = 2 ** 48 - 1

/** Under load many stamps are of one millisecond. */
const texts = new Memo<number, string>(16, ms => ms.toString(16).padStart(12, '0'))

/** The stamp of a millisecond and a counter (0…65535). */
export function stampOf(ms: number, counter = 0): Stamp {
  const clamped = ms <= 0 ? 0 : ms >= MS_MAX ? MS_MAX : Math.floor(ms)
  return texts.of(clamped) + (counter === 0 ? '0000' : counter.toString(16).padStart(4, '0'))
}

/** The milliseconds of a stamp. */
export function stampMs(stamp: Stamp): number {
  return Number.parseInt(stamp.slice(0, 12), 16)
}

/** The counter of a stamp. */
export function stampCounter(stamp: Stamp): number {
  return Number.parseInt(stamp.slice(12), 16)
}

/** Whether a text is a stamp. */
export function isStamp(text: string): text is Stamp {
  return text.length === 16 && /^[0-9a-f]{16}$/.test(text)
}

/** The smaller of two stamps. */
export function stampMin(a: Stamp, b: Stamp): Stamp {
  return a < b ? a : b
}

/** The larger of two stamps. */
export function stampMax(a: Stamp, b: Stamp): Stamp {
  return a > b ? a : b
}
