/**
 * How much the tests try. `npm test` is the everyday size, and ends within five minutes on two cores.
 * The automatic checks run what takes longer once more, in the size of `npm run test:deep`
 * (`VECHE_DEEP=ci`, ten minutes). `VECHE_DEEP=1` is for hours.
 *
 * No size proves another sentence, only more of it: each must be able to fail. A test file that
 * imports this is run by `npm run test:deep` (vitest.config.ts), a file that does not is not.
 */

export type Size = 'everyday' | 'ci' | 'deep'

const asked = process.env.VECHE_DEEP ?? ''

/** What was asked for. */
export const size: Size = asked === '1' ? 'deep' : asked === 'ci' ? 'ci' : 'everyday'

/** Of several sizes the one that was asked for; without one of its own, `ci` is as everyday. */
export function sized<T>(sizes: { readonly everyday: T; readonly ci?: T; readonly deep: T }): T {
  return size === 'ci' ? (sizes.ci ?? sizes.everyday) : sizes[size]
}
