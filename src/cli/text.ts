/**
 * Values as people read them: sizes, times, hashes, tables. What other members sent (names,
 * descriptions) is stripped of control characters, or it could drive the reader's terminal.
 */
import type { MemberStatus } from '../control/protocol-network.ts'

/** Text without control characters. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** The first digits of a hash, enough to compare by eye. */
export function short(hash: string | null): string {
  return hash === null ? '–' : hash.slice(0, 10)
}

/** Digits in groups of three. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A count with its noun, `1 item`, `2 items`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`
}

/** Bytes, `512 B`, `1.5 KiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let unit = 0
  let amount = value
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024
    unit++
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`
}

/** A duration, `0.3 s`, `5 min`, `2 h`, `3 d`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} d`
}

/** Local date and time to the second, sortable. */
export function time(ms: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return String(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** Names of members by their uuid; an unknown one is a shortened uuid. */
export function namesOf(members: readonly MemberStatus[]): (uuid: string) => string {
  const names = new Map(members.map(({ uuid, name }) => [uuid, name]))
  return uuid => plain(names.get(uuid) || `…${uuid.slice(-8)}`)
}

/** A cell: its text, and how it is dressed after its width is known. */
export interface Cell {
  readonly text: string
  readonly dress?: (text: string) => string
  readonly align?: 'right'
}

/** Rows with aligned columns, each line indented; the last column is not padded. */
export function table(rows: readonly (readonly (Cell | string)[])[], indent = ''): string {
  const cells = rows.map(row => row.map(cell => (typeof cell === 'string' ? { text: cell } : cell)))
  const widths: number[] = []
  for (const row of cells)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell.text))
    })
  const lines = cells.map(row =>
    row
      .map((cell: Cell, column) => {
        const padding = ' '.repeat(widths[column]! - width(cell.text))
        const dressed = cell.dress?.(cell.text) ?? cell.text
        if (cell.align === 'right') return padding + dressed
        return column === row.length - 1 ? dressed : dressed + padding
      })
      .join('  ')
      .trimEnd(),
  )
  return lines.map(line => `${indent}${line}\n`).join('')
}

/** Columns on a terminal, near enough: code points, wide ones of East Asia and emoji counted two. */
function width(text: string): number {
  let columns = 0
  for (const char of text) {
    if (/\p{Mark}/u.test(char)) continue
    const isWide =
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/
    columns += isWide.test(char) || /\p{Emoji_Presentation}/u.test(char) ? 2 : 1
  }
  return columns
}
