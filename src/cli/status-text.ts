/**
 * `status`, `members` and problems as people read them.
 */

import type {
  MemberStatus,
  MemberStatusName,
  Problem,
  StatusResult,
} from '../control/protocol-network.ts'
import type { Colors } from './io.ts'
import { type Cell, count, counted, duration, namesOf, plain, short, table, time } from './text.ts'

/** The whole answer of `status`. */
export function statusText(status: StatusResult, colors: Colors): string {
  const { bold, dim, green, yellow } = colors
  const sync = status.synchronized ? green('synchronized') : yellow('not synchronized')
  const lag = Math.max(0, newestCut(status) - status.cut)
  const facts: [string, string][] = [
    ['status', dressOf(status.status, colors)(status.status)],
    [
      'hash',
      `${short(status.hash)}  ${dim(`cut ${time(status.cut)}${lag > 0 ? `, ${duration(lag)} behind` : ''}`)}`,
    ],
    ...(status.liveHash === undefined
      ? []
      : [['live hash', short(status.liveHash)] as [string, string]]),
    ['holds', `${counted(status.items, 'item')}, ${counted(status.facts, 'version')}`],
    ['pending', pendingText(status, colors)],
    ['last check', checkText(status)],
  ]
  const head = `${bold(plain(status.name))} ${dim('in')} ${bold(plain(status.network))}  ${sync}\n`
  const lines = facts.map(([name, value]) => `  ${dim(name.padEnd(11))}${value}\n`).join('')
  const problems =
    status.problems.length === 0
      ? ''
      : `\n${problemsText(status.problems, colors, namesOf(status.members))}`
  return `${head}${lines}\n${membersText(status, colors)}${problems}`
}

function newestCut(status: StatusResult): number {
  return Math.max(status.cut, ...status.members.map(({ cut }) => cut ?? 0))
}

function pendingText(status: StatusResult, { dim, yellow }: Colors): string {
  const pending = status.pending === 0 ? 'none' : yellow(count(status.pending))
  return status.unsettled === 0
    ? pending
    : `${pending}  ${dim(`${count(status.unsettled)} still settling`)}`
}

function checkText({ lastCheck: { marked, of, at } }: StatusResult): string {
  return at === null ? '–' : `${marked} of ${of} other Sources matched, ${time(at)}`
}

function dressOf(status: MemberStatusName | null, colors: Colors): (text: string) => string {
  switch (status) {
    case 'source':
      return colors.green
    case 'source-sync':
    case 'counter-sync':
      return colors.yellow
    case 'removed':
      return colors.red
    default:
      return colors.dim
  }
}

/** One row a member; the own one has a star. */
export function membersText(status: StatusResult, colors: Colors): string {
  const { dim } = colors
  const title = ['', 'member', 'status', 'hash', 'in sync', 'heard', 'round trip', 'address']
  const rows = status.members.map(member => memberRow(member, status, colors))
  return table([title.map(text => ({ text, dress: dim })), ...rows])
}

function memberRow(member: MemberStatus, status: StatusResult, colors: Colors): Cell[] {
  const { bold, dim, green, red, yellow } = colors
  const isSelf = member.uuid === status.uuid
  const heard = isSelf ? '–' : member.lastHeardMs === null ? 'never' : duration(member.lastHeardMs)
  const isSilent = !isSelf && (member.lastHeardMs === null || member.lastHeardMs > 3000)
  return [
    { text: isSelf ? '*' : ' ', dress: bold },
    { text: plain(member.name || `…${member.uuid.slice(-8)}`), dress: bold },
    { text: member.status ?? 'unknown', dress: dressOf(member.status, colors) },
    { text: short(member.hash), dress: dim },
    { text: member.inSync ? 'yes' : 'no', dress: member.inSync ? green : yellow },
    { text: heard, dress: isSilent ? red : dim },
    { text: isSelf || member.rttMs === null ? '–' : `${member.rttMs.toFixed(1)} ms`, dress: dim },
    { text: plain(member.address ?? ''), dress: dim },
  ]
}

/** What is wrong, with what to do about each. */
export function problemsText(
  problems: readonly Problem[],
  colors: Colors,
  nameOf: (uuid: string) => string,
): string {
  const { bold, cyan, dim, yellow } = colors
  return problems
    .map(({ sentence, id, member, nextStep, nextTryMs }) => {
      const about = [
        ...(id === undefined ? [] : [bold(plain(id))]),
        ...(member === undefined ? [] : [cyan(nameOf(member))]),
      ]
      const subject = about.length === 0 ? '' : `${about.join(' ')}: `
      const next = nextStep === undefined ? '' : `    ${dim('do')}     ${plain(nextStep)}\n`
      const again =
        nextTryMs === undefined
          ? ''
          : `    ${dim('again')}  ${dim(`by itself in ${duration(nextTryMs)}`)}\n`
      return `${yellow('!')} ${subject}${plain(sentence)}\n${next}${again}`
    })
    .join('')
}
