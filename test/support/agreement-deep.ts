/**
 * How far the tests of agreement go: everyday sizes in `npm test`, full sizes with `VECHE_DEEP=1`.
 */

/** Whether the full sizes were asked for. */
export const isDeep = process.env.VECHE_DEEP === '1'

/** A size for everyday, or for the deep mode. */
export function sizeOf(everyday: number, deep: number): number {
  return isDeep ? deep : everyday
}
