/**
 * One fixed frame for each kind of body. Their bytes are in test/vectors/wire.json, so that no
 * change of the format goes unseen: a change needs a new protocol version, and the old vectors stay.
 */
import type { Fact } from '../../src/base/fact.ts'
import type { Body, Envelope, Frame } from '../../src/consensus/messages.ts'
import type { BodyOf } from '../../src/wire/body-codec.ts'
import { sampleWalkAnswer, sampleWalkRequest } from './walk-arbitraries.ts'

const h = (digits: string) => digits.repeat(64 / digits.length)

export const sampleEnvelope: Envelope = {
  uuid: '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA',
  incarnation: '0123456789abcdef',
  status: 'source',
  hash: h('a1'),
  cut: 1_790_000_000_000,
  clock: '01a0c0ffee000001',
  held: null,
  empty: false,
  gap: false,
}

const fact: Fact = {
  id: 'notes/čtvrtek.txt',
  version: h('01'),
  parents: [h('02'), h('03')],
  dataHash: h('04'),
  blob: h('05'),
  size: 5,
  type: 'text/plain',
  tags: ['a', 'b'],
  description: 'a note',
  meta: { pages: 2, ratio: 0.5, by: null },
  dependsOn: ['notes/index'],
  at: '01a0c0ffee000000',
  by: 'alice',
  base: null,
}
const gone: Fact = {
  ...fact,
  id: 'report~3',
  parents: [],
  dataHash: h('00'),
  blob: null,
  size: 0,
  meta: null,
  base: [{ id: 'report', heads: [h('06'), h('07')] }],
}
const ref = { id: 'a/b', version: h('08') }
const payload = new TextEncoder().encode('hello')
const added = '01a0c0ffee000002'
const ballot = { counter: 2, peer: 'alice' }
const seat = { peer: 'carol', membership: 1 }

const bodies: { readonly [K in Body['kind']]: BodyOf<K> } = {
  ping: {
    kind: 'ping',
    seen: [
      { ref: '0011223344556677', answers: true, reached: true, marked: true },
      { ref: '8899aabbccddeeff', answers: true, reached: false, marked: false },
    ],
    systemRoot: h('09'),
    sequence: 70_000,
    floor: 69_000,
    addresses: ['/ip4/192.0.2.1/tcp/4001'],
    configuration: 3,
    wallMs: 1_700_000_000_000,
  },
  probe: { kind: 'probe', number: 7 },
  probed: { kind: 'probed', number: 7 },
  twin: { kind: 'twin', lives: ['0011223344556677', '8899aabbccddeeff'] },
  adds: {
    kind: 'adds',
    adds: [
      { sequence: 1, added, fact, payload },
      { sequence: 2, added, fact: gone, payload: null },
    ],
  },
  ack: {
    kind: 'ack',
    vector: {
      adder: 'alice',
      incarnation: 'ffeeddccbbaa9988',
      upTo: 10,
      ranges: [
        [12, 12],
        [20, 300],
      ],
    },
  },
  askSequences: {
    kind: 'askSequences',
    request: 1,
    incarnation: 'ffeeddccbbaa9988',
    ranges: [[1, 3]],
  },
  sequences: { kind: 'sequences', request: 1, entries: [{ sequence: 3, ref }] },
  askFacts: { kind: 'askFacts', request: 2, refs: [ref] },
  facts: {
    kind: 'facts',
    request: 2,
    facts: [
      { fact, state: { kind: 'agreed', added }, payload },
      { fact: gone, state: { kind: 'pending', order: 9, fresh: true }, payload: null },
    ],
    answered: 3,
  },
  askHolds: { kind: 'askHolds', request: 3, refs: [ref, ref] },
  holds: {
    kind: 'holds',
    request: 3,
    held: [true, false, true, true, false, false, false, false, false, true],
  },
  askWalk: { kind: 'askWalk', request: 4, scope: 'held', walk: sampleWalkRequest },
  walked: { kind: 'walked', request: 4, walk: sampleWalkAnswer },
  askItems: {
    kind: 'askItems',
    request: 5,
    scope: 'settled',
    want: 'facts',
    items: [{ idHash: h('0a'), have: [h('0b')], skip: 0 }],
  },
  items: {
    kind: 'items',
    request: 5,
    items: [
      {
        idHash: h('0a'),
        id: 'a/b',
        covered: [{ version: h('0b'), digest: h('0c') }],
        names: [{ version: h('0d'), state: { kind: 'agreed', added }, at: added, by: 'bob' }],
        facts: [{ fact, state: { kind: 'agreed', added }, payload: null }],
        more: true,
      },
      { idHash: h('0e'), id: null, covered: [], names: [], facts: [], more: false },
    ],
    refused: false,
  },
  offer: { kind: 'offer', request: 6, facts: [{ fact, payload }] },
  offered: { kind: 'offered', request: 6, agreed: [{ ref, added }] },
  adopt: { kind: 'adopt', adds: [{ sequence: 4, added, ref }] },
  relay: { kind: 'relay', adder: 'bob', adds: [{ added, fact, payload }] },
  askSystem: { kind: 'askSystem', request: 7 },
  system: { kind: 'system', request: 7, facts: [fact] },
  askChunk: { kind: 'askChunk', request: 8, blob: h('05'), offset: 262_144, length: 262_144 },
  chunk: { kind: 'chunk', request: 8, bytes: payload },
  prepare: { kind: 'prepare', number: 4, ballot, members: [seat, { peer: 'bob', membership: 2 }] },
  promise: {
    kind: 'promise',
    number: 4,
    ballot,
    accepted: { ballot: { counter: 1, peer: 'bob' }, change: { kind: 'remove', seat } },
    isSure: true,
  },
  accept: { kind: 'accept', number: 4, ballot, change: { kind: 'add', seat } },
  accepted: { kind: 'accepted', number: 4, ballot, isSure: false },
  denied: { kind: 'denied', number: 4, ballot, promised: { counter: 3, peer: 'bob' } },
}

/** By kind, two envelopes and the changes that the others do not show. */
export const samples: Readonly<Record<string, Frame>> = {
  ...Object.fromEntries(
    Object.entries(bodies).map(([kind, body]) => [
      kind,
      { envelope: sampleEnvelope, bodies: [body] },
    ]),
  ),
  'no body, counter-sync': {
    envelope: { ...sampleEnvelope, status: 'counter-sync', held: h('b2'), gap: true },
    bodies: [],
  },
  'refused walk, empty': {
    envelope: { ...sampleEnvelope, status: 'empty', empty: true },
    bodies: [{ kind: 'walked', request: 4, walk: null }, bodies.probe],
  },
  'the other changes of a roster': {
    envelope: sampleEnvelope,
    bodies: [
      { ...bodies.prepare, members: null },
      { ...bodies.accept, change: { kind: 'begin', members: [seat] } },
      { ...bodies.accept, change: { kind: 'stay', members: [seat] } },
      { ...bodies.accept, change: { kind: 'visible' } },
    ],
  },
}
