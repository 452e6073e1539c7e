/**
 * The run as the view asks for it: lanes as spans, all that can be pointed at or searched as one
 * list of events in the order of time. Reads the data of the page once and changes none of it.
 */

export const run = JSON.parse(document.getElementById('run').textContent)

/** Spans of one state for each member, in the order of time. */
export const lanes = run.members.map((_, member) => {
  const changes = run.lanes.filter(change => change.member === member)
  const spans = [{ sinceMs: 0, untilMs: run.endMs, state: 'down', sentence: 'not started yet' }]
  for (const { atMs, state, sentence } of changes) {
    const last = spans.at(-1)
    last.untilMs = atMs
    spans.push({ sinceMs: atMs, untilMs: run.endMs, state, sentence })
  }
  return spans.filter(span => span.untilMs > span.sinceMs || span.state !== 'down')
})

/** Directions that were cut, for each member by the other one. */
export const cutsOf = run.members.map((_, member) =>
  run.cuts.filter(cut => cut.from === member || cut.to === member),
)

export const nameOf = place => run.members[place] ?? '·'

/** Everything with a moment and a sentence. */
export const events = [
  ...run.lanes.map(({ atMs, member, state, sentence }) => ({
    atMs,
    member,
    kind: 'status',
    color: state,
    sentence: `${state}: ${sentence}`,
  })),
  ...run.faults.map(({ sinceMs, untilMs, members, sentence }) => ({
    atMs: sinceMs,
    member: members.length === 1 ? members[0] : null,
    kind: 'fault',
    color: 'fault',
    sentence: untilMs > sinceMs ? `${sentence}, until ${seconds(untilMs)}` : sentence,
  })),
  ...run.asked.map(({ atMs, member, outcome, isWrite, sentence, tookMs }) => ({
    atMs,
    member,
    kind: isWrite ? 'write' : 'read',
    color: outcome,
    sentence: `${sentence} (${tookMs} ms)`,
  })),
  ...run.notes.map(({ atMs, member, kind, sentence }) => ({
    atMs,
    member,
    kind,
    color: kind === 'mark' ? 'accent' : 'dim',
    sentence,
  })),
  ...run.violations.map(({ atMs, guarantee, sentence }) => ({
    atMs,
    member: null,
    kind: 'violation',
    color: 'fault',
    sentence: `${guarantee}: ${sentence}`,
  })),
].sort((a, b) => a.atMs - b.atMs)

/** Messages in the order of sending. */
export const messages = run.messages
  .map(([sentMs, tookMs, from, to, kind, bytes]) => ({
    sentMs,
    cameMs: sentMs + Math.max(0, tookMs),
    from,
    to,
    kind,
    bytes,
  }))
  .sort((a, b) => a.sentMs - b.sentMs)

/** The place of the first entry at or after a time, in a list that ascends by `key`. */
export function firstAt(list, key, atMs) {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle][key] < atMs) low = middle + 1
    else high = middle
  }
  return low
}

export function seconds(ms) {
  return `${(ms / 1000).toFixed(3)} s`
}
