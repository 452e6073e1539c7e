/**
 * The rival changes that are explored: two wishes at once over 3+1 and 3−1 members and what comes
 * near them, each with its bounds. Small ones run with every test; all of them run deep.
 */
import type { Change } from '../../../src/consensus/roster/configuration.ts'
import type { Bounds } from './explore.ts'
import { type Rival, rosterOf, type Setting, seat } from './world.ts'

const add = (peer: string): Change => ({ kind: 'add', seat: seat(peer) })
const remove = (peer: string): Change => ({ kind: 'remove', seat: seat(peer) })

const usual = {
  numbersMax: 1,
  counterMax: 1,
  crashesMax: 0,
  lossesMax: 0,
  isPrompt: true,
  planted: new Set<never>(),
  forgetsPromises: false,
} as const

const two = rosterOf('a', 'b')
const three = rosterOf('a', 'b', 'c')
const addAndRemove: readonly Rival[] = [
  { at: 'a', wish: add('d') },
  { at: 'b', wish: remove('c') },
]
const begin: Change = { kind: 'begin', members: three.members }

/** Few states, explored to their end, or as far as a second goes. */
export const quick: readonly (readonly [Setting, Bounds])[] = [
  [
    {
      ...usual,
      name: 'a adds c, b removes a, two numbers',
      begin: two,
      numbersMax: 2,
      rivals: [
        { at: 'a', wish: add('c') },
        { at: 'b', wish: remove('a') },
      ],
    },
    { statesMax: 30_000, recoverEvery: 5 },
  ],
  [
    { ...usual, name: 'a adds d, b removes c', begin: three, rivals: addAndRemove },
    { statesMax: 40_000, recoverEvery: 20 },
  ],
  [
    {
      ...usual,
      name: 'a and b end quorum visible',
      begin: { ...three, quorum: 'visible' },
      rivals: [
        { at: 'a', wish: begin },
        { at: 'b', wish: begin },
      ],
    },
    { statesMax: 20_000, recoverEvery: 20 },
  ],
]

/** As far as minutes go. */
export const deep: readonly (readonly [Setting, Bounds])[] = [
  ...quick.map(([setting]) => [setting, { statesMax: 300_000, recoverEvery: 50 }] as const),
  ...(
    [
      ['a adds d, b removes c, with a crash', addAndRemove, { crashesMax: 1 }],
      ['a adds d, b removes c, a ballot more', addAndRemove, { counterMax: 2 }],
      ['a adds d, b removes c, two numbers', addAndRemove, { numbersMax: 2 }],
      ['a adds d, b removes c, a vote is lost and known to be', addAndRemove, { lossesMax: 1 }],
      ['a adds d, b removes c, own messages late', addAndRemove, { isPrompt: false }],
      [
        'a adds d, b adds e, with a crash',
        [
          { at: 'a', wish: add('d') },
          { at: 'b', wish: add('e') },
        ],
        { crashesMax: 1 },
      ],
      [
        'a removes c, c removes a, with a crash',
        [
          { at: 'a', wish: remove('c') },
          { at: 'c', wish: remove('a') },
        ],
        { crashesMax: 1, counterMax: 2 },
      ],
    ] as const
  ).map(([name, rivals, more]) => {
    const setting: Setting = { ...usual, name, begin: three, rivals, ...more }
    return [setting, { statesMax: 300_000, recoverEvery: 50 }] as const
  }),
]

/** Errors planted on purpose, each where it shows soonest. */
export const planted: readonly Setting[] = [
  {
    ...usual,
    name: 'the configuration to come decides alone',
    begin: two,
    rivals: quick[0]![0].rivals,
    planted: new Set(['new-roster-alone']),
  },
  {
    ...usual,
    name: 'a promise is not kept',
    begin: two,
    counterMax: 2,
    rivals: quick[0]![0].rivals,
    planted: new Set(['accepts-without-looking']),
  },
  {
    ...usual,
    name: 'a vote is forgotten unawares',
    begin: three,
    crashesMax: 1,
    forgetsPromises: true,
    rivals: [
      { at: 'a', wish: remove('c') },
      { at: 'c', wish: remove('a') },
    ],
  },
]
