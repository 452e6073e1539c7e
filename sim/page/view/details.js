/**
 * What is told in words: what the pointer is at, the list of events beside the lanes, violations,
 * the legend. Texts are set as text, never as markup: a run's data is shown and not believed.
 */
import { color, pointY } from './draw.js'
import { events, firstAt, lanes, messages, nameOf, run, seconds } from './model.js'
import { laneHeight, laneY, layout, msAt, shown, TRAVEL_MS, view, x } from './scale.js'

/** Pixels between the pointer and what it means. */
const NEAR_PX = 6
const LISTED_MAX = 400

/** What is under the pointer: a violation, question, message, fault or status; null: nothing. */
export function whatIsAt(px, py) {
  return violationAt(px) ?? askedAt(px, py) ?? laneAt(px, py) ?? messageAt(px, py) ?? null
}

function violationAt(px) {
  const found = run.violations.find(({ atMs }) => Math.abs(x(atMs) - px) <= 3)
  if (found === undefined) return undefined
  return {
    atMs: found.atMs,
    text: `${found.guarantee} at ${seconds(found.atMs)}\n${found.sentence}`,
  }
}

function askedAt(px, py) {
  let best
  let distance = NEAR_PX
  const first = firstAt(run.asked, 'atMs', view.fromMs - TRAVEL_MS)
  for (let at = first; at < run.asked.length; at++) {
    const { atMs, tookMs, member, isWrite, sentence } = run.asked[at]
    if (atMs > view.toMs) break
    if (!(isWrite ? shown.writes : shown.reads)) continue
    const away = Math.max(x(atMs) - px, px - x(atMs + tookMs), 0)
    const off = Math.hypot(away, (py - pointY(member, at)) * 1.5)
    if (off >= distance) continue
    distance = off
    best = { atMs, text: `${seconds(atMs)}, ${tookMs} ms\n${sentence}` }
  }
  return best
}

function laneAt(px, py) {
  const ms = msAt(px)
  const member = lanes.findIndex((_, at) => py >= laneY(at) - 8 && py <= laneY(at) + laneHeight())
  if (member < 0) return undefined
  const parts = []
  if (py <= laneY(member) + layout.bar) {
    const span = lanes[member].find(({ sinceMs, untilMs }) => sinceMs <= ms && ms < untilMs)
    if (span === undefined) return undefined
    const { state, sinceMs, untilMs, sentence } = span
    parts.push(
      `${nameOf(member)} is ${state}, ${seconds(sinceMs)} to ${seconds(untilMs)}`,
      sentence,
    )
    parts.push(...faultsAt(member, ms))
    return { atMs: sinceMs, text: parts.join('\n') }
  }
  if (py >= laneY(member) + layout.bar + layout.points) {
    parts.push(...cutsAt(member, ms))
  }
  parts.push(...faultsAt(member, ms))
  return parts.length === 0 ? undefined : { atMs: ms, text: parts.join('\n') }
}

function faultsAt(member, ms) {
  const slack = msAt(NEAR_PX) - msAt(0)
  return run.faults
    .filter(({ members }) => members.includes(member))
    .filter(({ sinceMs, untilMs }) => sinceMs - slack <= ms && ms <= untilMs + slack)
    .map(({ sinceMs, sentence }) => `fault at ${seconds(sinceMs)}: ${sentence}`)
}

function cutsAt(member, ms) {
  return run.cuts
    .filter(({ from, to }) => from === member || to === member)
    .filter(({ sinceMs, untilMs }) => sinceMs <= ms && ms <= untilMs)
    .map(({ from, to, sinceMs, untilMs }) => {
      const span = `${seconds(sinceMs)} to ${seconds(untilMs)}`
      return `nothing passes from ${nameOf(from)} to ${nameOf(to)}, ${span}`
    })
}

function messageAt(px, py) {
  let best
  let distance = NEAR_PX
  const end = firstAt(messages, 'sentMs', msAt(px + NEAR_PX))
  for (let at = firstAt(messages, 'sentMs', msAt(px) - TRAVEL_MS); at < end; at++) {
    const message = messages[at]
    const { sentMs, cameMs, from, to, kind, bytes } = message
    const { name, group } = run.kinds[kind]
    if (!shown.groups.has(group) || x(cameMs) < px - NEAR_PX) continue
    const [above, below] = from < to ? [laneHeight(), 0] : [0, laneHeight()]
    const [x1, y1, x2, y2] = [x(sentMs), laneY(from) + above, x(cameMs), laneY(to) + below]
    const share = Math.min(1, Math.max(0, (py - y1) / (y2 - y1 || 1)))
    const off = Math.hypot(x1 + share * (x2 - x1) - px, y1 + share * (y2 - y1) - py)
    if (off >= distance) continue
    distance = off
    const travelled = `${(cameMs - sentMs).toFixed(1)} ms`
    const text = `${nameOf(from)} → ${nameOf(to)}: ${name}\n${seconds(sentMs)}, ${travelled}, ${bytes} bytes`
    best = { atMs: sentMs, text, message }
  }
  return best
}

/** Events in sight that fit the search; answers them all. */
export function fitting() {
  const { search, writes, reads } = shown
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return events.filter(({ kind, member, sentence }) => {
    if (words.length === 0) return isWorthTelling(kind, sentence)
    if ((kind === 'write' && !writes) || (kind === 'read' && !reads)) return false
    const text = `${kind} ${member === null ? '' : nameOf(member)} ${sentence}`.toLowerCase()
    return words.every(word => text.includes(word))
  })
}

/** What the list shows when nothing is searched: questions and small talk stay out of it. */
function isWorthTelling(kind, sentence) {
  if (kind === 'log') return !/^(debug|info) /.test(sentence)
  return kind !== 'link' && kind !== 'write' && kind !== 'read'
}

/** Writes the list of events; `go` is called with one that was chosen. */
export function listEvents(list, found, near, go) {
  const first = firstAt(found, 'atMs', view.fromMs)
  const end = firstAt(found, 'atMs', view.toMs + 1)
  const rows = found.slice(first, Math.min(end, first + LISTED_MAX)).map(event => {
    const row = document.createElement('li')
    const button = row.appendChild(document.createElement('button'))
    button.type = 'button'
    if (event === near) button.className = 'near'
    const time = button.appendChild(document.createElement('time'))
    time.textContent = (event.atMs / 1000).toFixed(3)
    const who = button.appendChild(document.createElement('b'))
    who.textContent = event.member === null ? '' : nameOf(event.member)
    who.style.color = color(event.color)
    const what = button.appendChild(document.createElement('span'))
    what.textContent = event.sentence
    if (event.kind === 'fault' || event.kind === 'violation') what.style.color = color('fault')
    button.addEventListener('click', () => go(event))
    return row
  })
  if (end - first > LISTED_MAX) {
    const more = document.createElement('li')
    more.className = 'more'
    more.textContent = `${end - first - LISTED_MAX} more: go nearer`
    rows.push(more)
  }
  list.replaceChildren(...rows)
  return end - first
}

/** The violations as buttons that lead to their moment. */
export function listViolations(section, go) {
  section.replaceChildren(
    ...run.violations.map(violation => {
      const button = document.createElement('button')
      button.type = 'button'
      const name = button.appendChild(document.createElement('b'))
      name.textContent = `${violation.guarantee} `
      button.append(`${seconds(violation.atMs)}  ${violation.sentence}`)
      button.addEventListener('click', () => go(violation))
      return button
    }),
  )
}

const LEGEND = [
  ['source', 'source'],
  ['source-sync', 'source-sync'],
  ['counter-sync', 'counter-sync'],
  ['empty', 'empty'],
  ['opening', 'opening'],
  ['still', 'stands still'],
  ['down', 'down'],
  ['removed', 'removed'],
  ['fault', 'fault; rows beneath a lane: others that are not heard'],
  ['done', 'done'],
  ['refused', 'refused'],
  ['unknown', 'unknown'],
  ['accent', 'mark; dashed line: all is healed'],
]

export function listLegend(list) {
  list.replaceChildren(
    ...LEGEND.map(([name, text]) => {
      const row = document.createElement('li')
      row.append(swatch(name), text)
      return row
    }),
  )
}

export function swatch(name) {
  const square = document.createElement('span')
  square.className = 'swatch'
  square.style.background = `var(--${name})`
  return square
}
