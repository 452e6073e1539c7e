/**
 * The hands of whoever looks: pointer, wheel, keys, checkboxes. Each changes what is seen (scale.js)
 * and asks for one new drawing; nothing is drawn more than once a frame.
 */
import { fitting, listEvents, listLegend, listViolations, swatch, whatIsAt } from './details.js'
import { draw, drawOverview, readColors } from './draw.js'
import { firstAt, run, seconds } from './model.js'
import { layout, look, msAt, resize, shown, view, zoom } from './scale.js'

const byId = id => document.getElementById(id)
const canvas = byId('lanes')
const overview = byId('overview')
const tip = byId('tip')
const GROUPS = ['pings', 'probes', 'adds', 'comparing', 'fetching', 'payloads', 'roster']
let found = fitting()
let near = null
let chosen = null
let isAsked = false

function ask() {
  if (isAsked) return
  isAsked = true
  requestAnimationFrame(() => {
    isAsked = false
    show()
  })
}

function show() {
  const { every, seen } = draw(contextOf(canvas, layout.width, layout.height), near ?? chosen)
  drawOverview(contextOf(overview, layout.width, 44), layout.width, 44)
  const count = listEvents(byId('events'), found, chosen, go)
  const part = every > 1 ? `, 1 of ${every} of ${seen} messages` : `, ${seen} messages`
  const kept = run.keptOneOf > 1 ? ` (1 of ${run.keptOneOf} kept)` : ''
  byId('window').textContent = `${seconds(view.fromMs)} to ${seconds(view.toMs)}${part}${kept}`
  byId('found').textContent = shown.search === '' ? '' : `${found.length}, ${count} in sight`
}

function contextOf(one, width, height) {
  const ratio = devicePixelRatio || 1
  if (one.width !== Math.round(width * ratio) || one.height !== Math.round(height * ratio)) {
    one.width = Math.round(width * ratio)
    one.height = Math.round(height * ratio)
    one.style.height = `${height}px`
  }
  const context = one.getContext('2d')
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  return context
}

function fill() {
  const stage = byId('stage')
  resize(stage.clientWidth, stage.clientHeight - 46)
  ask()
}

/** Shows an event with some time around it. */
function go(event) {
  chosen = event
  const span = Math.min(view.toMs - view.fromMs, 4000)
  look(event.atMs - span / 2, event.atMs + span / 2)
  ask()
}

/** The next event (or the last, for −1) from the one that was chosen, or from the middle. */
function step(list, by) {
  const atMs = chosen?.atMs ?? (view.fromMs + view.toMs) / 2
  const place = chosen === null ? -1 : list.indexOf(chosen)
  const next = place >= 0 ? place + by : firstAt(list, 'atMs', atMs) + (by < 0 ? -1 : 0)
  if (list[next] === undefined) return
  go(list[next])
  tell(`${seconds(list[next].atMs)}  ${list[next].sentence}`, layout.left + 20, 30)
}

function tell(text, left, top) {
  tip.textContent = text
  tip.hidden = text === ''
  const stage = byId('stage')
  tip.style.left = `${Math.max(4, Math.min(left + 14, stage.clientWidth - tip.offsetWidth - 8))}px`
  const below = top + 60
  const most = stage.scrollTop + stage.clientHeight - tip.offsetHeight - 8
  tip.style.top = `${Math.max(0, Math.min(below, most))}px`
}

const middle = () => (view.fromMs + view.toMs) / 2
const move = share => {
  const by = (view.toMs - view.fromMs) * share
  look(view.fromMs + by, view.toMs + by)
}

const keys = {
  ArrowLeft: () => move(-0.15),
  ArrowRight: () => move(0.15),
  PageUp: () => move(-0.9),
  PageDown: () => move(0.9),
  Home: () => look(0, view.toMs - view.fromMs),
  End: () => look(run.endMs - (view.toMs - view.fromMs), run.endMs),
  '+': () => zoom(0.6, middle()),
  '=': () => zoom(0.6, middle()),
  '-': () => zoom(1 / 0.6, middle()),
  0: () => look(0, run.endMs),
  n: () => step(found, 1),
  p: () => step(found, -1),
  v: () => step(run.violations.length > 0 ? found.filter(e => e.kind === 'violation') : [], 1),
  '/': () => byId('search').focus(),
}

addEventListener('keydown', event => {
  const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'search'
  if (isTyping && event.key === 'Escape') canvas.focus()
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return
  const act = keys[event.key]
  if (act === undefined) return
  event.preventDefault()
  act()
  ask()
})

let drag = null
canvas.addEventListener('pointerdown', event => {
  drag = { px: event.offsetX, fromMs: view.fromMs, toMs: view.toMs }
  canvas.setPointerCapture(event.pointerId)
})
canvas.addEventListener('pointerup', () => {
  drag = null
})
canvas.addEventListener('pointermove', event => {
  const { offsetX: px, offsetY: py } = event
  if (drag !== null) {
    const perPx = (drag.toMs - drag.fromMs) / (layout.width - layout.left - 8)
    look(drag.fromMs - (px - drag.px) * perPx, drag.toMs - (px - drag.px) * perPx)
  } else {
    near = px < layout.left ? null : whatIsAt(px, py)
    tell(near?.text ?? '', px, py)
  }
  ask()
})
canvas.addEventListener('pointerleave', () => {
  near = null
  tell('', 0, 0)
  ask()
})
canvas.addEventListener(
  'wheel',
  event => {
    event.preventDefault()
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX / 600)
    else zoom(1.0016 ** event.deltaY, msAt(event.offsetX))
    ask()
  },
  { passive: false },
)
overview.addEventListener('pointerdown', event => {
  const share = (event.offsetX - layout.left) / (layout.width - layout.left - 8)
  const span = view.toMs - view.fromMs
  look(share * run.endMs - span / 2, share * run.endMs + span / 2)
  ask()
})

for (const group of GROUPS) {
  const label = document.createElement('label')
  const box = label.appendChild(document.createElement('input'))
  box.type = 'checkbox'
  box.checked = shown.groups.has(group)
  box.addEventListener('change', () => {
    if (box.checked) shown.groups.add(group)
    else shown.groups.delete(group)
    ask()
  })
  label.append(' ', swatch(group), group)
  byId('groups').append(label)
}
for (const what of ['writes', 'reads']) {
  byId(`show-${what}`).addEventListener('change', event => {
    shown[what] = event.target.checked
    found = fitting()
    ask()
  })
}
byId('search').addEventListener('input', event => {
  shown.search = event.target.value
  found = fitting()
  chosen = null
  ask()
})
byId('zoom-in').addEventListener('click', () => keys['+']() ?? ask())
byId('zoom-out').addEventListener('click', () => keys['-']() ?? ask())
byId('zoom-all').addEventListener('click', () => keys[0]() ?? ask())
byId('theme').addEventListener('click', () => {
  const root = document.documentElement
  const isDark = getComputedStyle(root).colorScheme.includes('light')
    ? root.dataset.theme !== 'dark' && !matchMedia('(prefers-color-scheme: dark)').matches
    : false
  root.dataset.theme = isDark ? 'dark' : 'light'
  readColors()
  ask()
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  readColors()
  ask()
})

for (const [name, text] of run.facts) {
  const row = byId('facts').appendChild(document.createElement('div'))
  row.appendChild(document.createElement('dt')).textContent = name
  row.appendChild(document.createElement('dd')).textContent = text
}
readColors()
listLegend(byId('legend'))
listViolations(byId('violations'), go)
new ResizeObserver(fill).observe(byId('stage'))
fill()
