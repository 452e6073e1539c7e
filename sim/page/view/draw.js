/**
 * Draws the part of the run that is seen: lanes by status, cuts beneath them, faults as bands,
 * messages as thin lines from lane to lane, questions of clients as points. It draws from the model
 * and the scale alone and remembers nothing.
 */
import { cutsOf, firstAt, lanes, messages, run } from './model.js'
import { laneHeight, laneY, layout, others, shown, TRAVEL_MS, tickMs, view, x } from './scale.js'

/** More lines than this are a grey cloud: then every nth is drawn, and that is said. */
const LINES_MAX = 5000

let colors = {}

/** Reads the colours of the page, again when light changes to dark. */
export function readColors() {
  const style = getComputedStyle(document.documentElement)
  colors = new Proxy({}, { get: (_, name) => style.getPropertyValue(`--${String(name)}`).trim() })
  const names = [
    ...['ink', 'dim', 'line', 'back', 'panel', 'fault', 'cut', 'accent'],
    ...['source', 'source-sync', 'counter-sync', 'empty', 'opening', 'still', 'down', 'removed'],
    ...['done', 'refused', 'unknown'],
    ...['pings', 'probes', 'adds', 'comparing', 'fetching', 'payloads', 'roster'],
  ]
  colors = Object.fromEntries(names.map(name => [name, colors[name]]))
}

export function color(name) {
  return colors[name] ?? colors.dim
}

/** Draws all; answers how many messages one drawn line stands for, and how many are in sight. */
export function draw(context, near) {
  context.clearRect(0, 0, layout.width, layout.height)
  drawAxis(context)
  drawFaults(context)
  const drawn = drawMessages(context)
  for (let member = 0; member < run.members.length; member++) drawLane(context, member)
  drawAsked(context)
  drawMoments(context)
  if (near !== null) drawNear(context, near)
  return drawn
}

function drawAxis(context) {
  const step = tickMs()
  const digits = step >= 1000 ? 0 : Math.ceil(3 - Math.log10(step))
  context.font = '11px system-ui, sans-serif'
  context.textBaseline = 'middle'
  for (let ms = Math.ceil(view.fromMs / step) * step; ms <= view.toMs; ms += step) {
    const at = Math.round(x(ms)) + 0.5
    context.strokeStyle = color('line')
    line(context, at, layout.top - 4, at, layout.height)
    context.fillStyle = color('dim')
    context.fillText(`${(ms / 1000).toFixed(digits)} s`, at + 3, 10)
  }
}

/** Over the lanes of whom they strike; the heal is a line through all. */
function drawFaults(context) {
  context.fillStyle = color('fault')
  for (const { sinceMs, untilMs, members } of run.faults) {
    if (untilMs < view.fromMs || sinceMs > view.toMs) continue
    const from = Math.max(x(sinceMs), layout.left)
    const width = Math.max(1, Math.min(x(untilMs), layout.width) - from)
    if (untilMs === sinceMs) {
      context.globalAlpha = 0.7
      for (const member of members) context.fillRect(from, laneY(member) - 6, 2, 6)
      if (members.length === 0) context.fillRect(from, layout.top - 8, 2, 6)
      continue
    }
    context.globalAlpha = members.length === 0 ? 0.05 : 0.14
    if (members.length === 0) context.fillRect(from, layout.top - 6, width, layout.height)
    for (const member of members) context.fillRect(from, laneY(member) - 6, width, laneHeight() + 6)
  }
  context.globalAlpha = 1
  context.setLineDash([4, 3])
  context.strokeStyle = color('accent')
  const healed = Math.round(x(run.healedMs)) + 0.5
  if (healed >= layout.left) line(context, healed, layout.top - 8, healed, layout.height)
  context.setLineDash([])
}

function drawMessages(context) {
  const wanted = run.kinds.map(({ group }) => shown.groups.has(group))
  const first = firstAt(messages, 'sentMs', view.fromMs - TRAVEL_MS)
  const end = firstAt(messages, 'sentMs', view.toMs)
  const seen = []
  for (let at = first; at < end; at++) {
    const message = messages[at]
    if (wanted[message.kind] && message.cameMs >= view.fromMs) seen.push(message)
  }
  const every = Math.max(1, Math.ceil(seen.length / LINES_MAX))
  context.globalAlpha = seen.length > 800 ? 0.35 : 0.75
  context.save()
  context.beginPath()
  context.rect(layout.left, 0, layout.width, layout.height)
  context.clip()
  for (let at = 0; at < seen.length; at += every) {
    const { sentMs, cameMs, from, to, kind, bytes } = seen[at]
    context.strokeStyle = color(run.kinds[kind].group)
    context.lineWidth = bytes > 20_000 ? 2 : 1
    const [above, below] = from < to ? [laneHeight(), 0] : [0, laneHeight()]
    line(context, x(sentMs), laneY(from) + above, x(cameMs), laneY(to) + below)
  }
  context.restore()
  context.lineWidth = 1
  context.globalAlpha = 1
  return { every, seen: seen.length }
}

function drawLane(context, member) {
  const top = laneY(member)
  context.fillStyle = color('back')
  context.fillRect(layout.left, top, layout.width, layout.bar)
  // What is shorter than a point comes last: it must not vanish under what follows it.
  const seen = lanes[member].filter(
    span => span.untilMs >= view.fromMs && span.sinceMs <= view.toMs,
  )
  for (const span of seen) if (x(span.untilMs) - x(span.sinceMs) >= 2) drawSpan(context, top, span)
  for (const span of seen) if (x(span.untilMs) - x(span.sinceMs) < 2) drawSpan(context, top, span)
  drawCuts(context, member, top + layout.bar + layout.points)
  context.fillStyle = color('back')
  context.fillRect(0, top - 6, layout.left - 2, laneHeight() + 6)
  context.fillStyle = color('ink')
  context.font = 'bold 13px system-ui, sans-serif'
  context.textAlign = 'right'
  context.fillText(run.members[member], layout.left - 8, top + layout.bar / 2)
  context.textAlign = 'left'
}

function drawSpan(context, top, { sinceMs, untilMs, state }) {
  const from = Math.max(x(sinceMs), layout.left)
  const width = Math.max(2, Math.min(x(untilMs), layout.width) - from)
  context.fillStyle = color(state)
  context.fillRect(from, top, width, layout.bar)
  if (width < 34) return
  context.fillStyle = state === 'down' ? '#fff' : '#111'
  context.font = '11px system-ui, sans-serif'
  context.fillText(partOf(context, state, width - 8), from + 4, top + layout.bar / 2)
}

/** A row for each other member: full where it is not heard, half where it does not hear. */
function drawCuts(context, member, top) {
  const row = other => top + (other > member ? other - 1 : other) * layout.cutRow
  context.fillStyle = color('line')
  for (let at = 0; at < others; at++) {
    context.fillRect(layout.left, top + at * layout.cutRow + 1, layout.width, 1)
  }
  context.fillStyle = color('cut')
  for (const { from, to, sinceMs, untilMs } of cutsOf[member]) {
    if (untilMs < view.fromMs || sinceMs > view.toMs) continue
    const isDeaf = to === member
    const left = Math.max(x(sinceMs), layout.left)
    const width = Math.max(1, Math.min(x(untilMs), layout.width) - left)
    context.globalAlpha = isDeaf ? 1 : 0.45
    const y = row(isDeaf ? from : to)
    context.fillRect(left, isDeaf ? y : y + 2, width, isDeaf ? 2 : 1)
  }
  context.globalAlpha = 1
}

function drawAsked(context) {
  const first = firstAt(run.asked, 'atMs', view.fromMs - TRAVEL_MS)
  for (let at = first; at < run.asked.length; at++) {
    const { atMs, tookMs, member, isWrite, outcome } = run.asked[at]
    if (atMs > view.toMs) return
    if (!(isWrite ? shown.writes : shown.reads) || atMs + tookMs < view.fromMs) continue
    const y = pointY(member, at)
    const left = Math.max(layout.left, x(atMs))
    context.strokeStyle = color(outcome)
    context.fillStyle = color(outcome)
    context.globalAlpha = 0.5
    line(context, left, y, Math.min(x(atMs + tookMs), layout.width), y)
    context.globalAlpha = 1
    if (x(atMs) < layout.left) continue
    if (isWrite) context.fillRect(left - 1.5, y - 1.5, 3, 3)
    else {
      context.beginPath()
      context.arc(left, y, 1.5, 0, 7)
      context.fill()
    }
  }
}

/** Questions stand in a few rows, so that those at once are told apart. */
export function pointY(member, at) {
  return laneY(member) + layout.bar + 3 + (at % 5) * ((layout.points - 5) / 4)
}

/** Violations are lines through everything, marks are flags above it. */
function drawMoments(context) {
  context.fillStyle = color('accent')
  for (const { atMs, kind, member } of run.notes) {
    if (kind !== 'mark' || atMs < view.fromMs || atMs > view.toMs) continue
    const y = member === null ? layout.top - 12 : laneY(member) - 6
    context.fillRect(x(atMs) - 2, y, 4, 5)
  }
  context.strokeStyle = color('fault')
  context.lineWidth = 2
  for (const { atMs } of run.violations) {
    if (atMs < view.fromMs || atMs > view.toMs) continue
    line(context, x(atMs), 16, x(atMs), layout.height)
  }
  context.lineWidth = 1
}

/** What the pointer is at. */
function drawNear(context, near) {
  context.strokeStyle = color('ink')
  context.lineWidth = 2
  if (near.message !== undefined) {
    const { sentMs, cameMs, from, to } = near.message
    const [above, below] = from < to ? [laneHeight(), 0] : [0, laneHeight()]
    line(context, x(sentMs), laneY(from) + above, x(cameMs), laneY(to) + below)
  } else {
    context.setLineDash([2, 2])
    line(context, x(near.atMs), 16, x(near.atMs), layout.height)
    context.setLineDash([])
  }
  context.lineWidth = 1
}

/** The whole run, small, with the part that is seen. */
export function drawOverview(context, width, height) {
  context.clearRect(0, 0, width, height)
  const at = ms => layout.left + (ms / run.endMs) * (width - layout.left - 8)
  const row = (height - 6) / run.members.length
  for (const [member, spans] of lanes.entries()) {
    for (const { sinceMs, untilMs, state } of spans) {
      context.fillStyle = color(state)
      context.fillRect(at(sinceMs), 3 + member * row, at(untilMs) - at(sinceMs) + 0.5, row - 1)
    }
  }
  context.fillStyle = color('fault')
  for (const { atMs } of run.violations) context.fillRect(at(atMs) - 1, 0, 2, height)
  context.strokeStyle = color('ink')
  context.lineWidth = 2
  const from = at(view.fromMs)
  context.strokeRect(from, 1, Math.max(3, at(view.toMs) - from), height - 2)
}

function line(context, fromX, fromY, toX, toY) {
  context.beginPath()
  context.moveTo(fromX, fromY)
  context.lineTo(toX, toY)
  context.stroke()
}

function partOf(context, text, width) {
  for (let length = text.length; length > 1; length--) {
    const part = text.slice(0, length)
    if (context.measureText(part).width <= width) return part
  }
  return text.slice(0, 1)
}
