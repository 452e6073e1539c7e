/**
 * Which part of the run is seen, and where things stand on the canvas. Everything else asks here;
 * only the hands of the user (main.js) move it.
 */
import { run } from './model.js'

const LEFT = 46
const TOP = 24
const BAR = 22
const POINTS = 20
const CUT_ROW = 4
/** What began so long before the left edge, and lasted, is still found. */
export const TRAVEL_MS = 20_000
/** Nothing is drawn nearer than this: virtual time has no more to show. */
const SPAN_MIN_MS = 5

export const others = run.members.length - 1

export const layout = {
  left: LEFT,
  top: TOP,
  bar: BAR,
  points: POINTS,
  cutRow: CUT_ROW,
  /** Between the beginnings of two lanes; set with the height that is there. */
  pitch: 110,
  width: 800,
  height: 600,
}

export const view = { fromMs: 0, toMs: run.endMs }

/** Groups of messages, kinds of clients, and a search, as the user wants them. */
export const shown = {
  groups: new Set(['adds', 'comparing']),
  writes: true,
  reads: false,
  search: '',
}

/** What a lane needs at least. */
export function laneHeight() {
  return BAR + POINTS + others * CUT_ROW + 8
}

export function resize(width, height) {
  const needed = laneHeight() + 26
  const room = Math.max(height, TOP + run.members.length * needed + 8)
  layout.width = width
  layout.height = room
  layout.pitch = (room - TOP - laneHeight()) / Math.max(1, run.members.length - 1)
  if (run.members.length === 1) layout.pitch = needed
}

export function x(ms) {
  const { left, width } = layout
  return left + ((ms - view.fromMs) / (view.toMs - view.fromMs)) * (width - left - 8)
}

export function msAt(px) {
  const { left, width } = layout
  return view.fromMs + ((px - left) / (width - left - 8)) * (view.toMs - view.fromMs)
}

export function laneY(member) {
  return layout.top + member * layout.pitch
}

/** Shows a part of the run, no less than can be told apart and no more than there is. */
export function look(fromMs, toMs) {
  const span = Math.min(run.endMs, Math.max(SPAN_MIN_MS, toMs - fromMs))
  const from = Math.max(0, Math.min(fromMs, run.endMs - span))
  view.fromMs = from
  view.toMs = from + span
}

/** Nearer (below 1) or farther, around a moment that stays where it is. */
export function zoom(factor, aroundMs) {
  const span = (view.toMs - view.fromMs) * factor
  const share = (aroundMs - view.fromMs) / (view.toMs - view.fromMs)
  look(aroundMs - span * share, aroundMs + span * (1 - share))
}

/** A step of the axis that leaves room for its numbers. */
export function tickMs() {
  const wanted = ((view.toMs - view.fromMs) * 90) / layout.width
  for (let step = 1; ; step *= 10) {
    for (const part of [1, 2, 5]) if (step * part >= wanted) return step * part
  }
}
