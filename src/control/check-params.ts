/**
 * The one door for parameters of the socket: a table says what each method takes, and everything
 * else is refused with BAD_REQUEST that names the parameter (`data.parameter`). Strict on purpose:
 * a misspelt `ifversion` that was quietly ignored would overwrite somebody's work.
 *
 * Checked here is what needs no knowledge of the store: presence, types, ranges, well-formed text.
 * The member checks ids, versions and the limits of properties.
 */
import { isHash } from '../base/hash.ts'
import { limits } from '../base/limits.ts'
import { VecheError } from '../base/veche-error.ts'
import type { MethodName, Methods } from './protocol.ts'

/** Answers what is wanted, when the value is not that. */
type Check = (value: unknown) => string | undefined

interface Parameter {
  readonly check: Check
  readonly required?: true
}

type Table = Readonly<Record<string, Parameter>>

const text: Check = value =>
  typeof value !== 'string'
    ? 'a text'
    : value.isWellFormed()
      ? undefined
      : 'a text of whole Unicode characters (it has half of a surrogate pair)'
const flag: Check = value => (typeof value === 'boolean' ? undefined : 'true or false')
const hash: Check = value =>
  typeof value === 'string' && isHash(value) ? undefined : 'a version of 64 lower-case hex digits'
const hashOrNull: Check = value =>
  value === null || hash(value) === undefined ? undefined : `${hash(value)}, or null`
const texts: Check = value =>
  Array.isArray(value) && value.every(one => text(one) === undefined)
    ? undefined
    : 'a list of texts'
const integer =
  (min: number, max: number): Check =>
  value =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `a whole number from ${min} to ${max}`
const oneOf =
  (...words: readonly string[]): Check =>
  value =>
    words.includes(value as string) ? undefined : words.map(word => `"${word}"`).join(' or ')
const json: Check = () => undefined
const meta: Check = value =>
  isDeeper(value, limits.metaDepthMax)
    ? `JSON nested at most ${limits.metaDepthMax} deep`
    : undefined
const time = integer(0, Number.MAX_SAFE_INTEGER)

const id: Parameter = { check: text, required: true }

const write: Table = {
  ifVersion: { check: hash },
  wait: { check: oneOf('pending', 'agreed', 'majority') },
  timeoutMs: { check: integer(0, limits.timeoutMsMax) },
}
/** Of writes that can make an item. */
const making: Table = { ...write, ifVersion: { check: hashOrNull } }
const properties: Table = {
  type: { check: text },
  tags: { check: texts },
  description: { check: text },
  meta: { check: meta },
  dependsOn: { check: texts },
}
const payload: Table = { text: { check: text }, json: { check: json }, base64: { check: text } }
const reading: Table = { id, version: { check: hash }, at: { check: time } }
const page: Table = { limit: { check: integer(1, Number.MAX_SAFE_INTEGER) } }

const tables: Readonly<Record<MethodName, Table>> = {
  status: { liveHash: { check: flag } },
  put: { id, ...payload, ...properties, ...making, merge: { check: flag } },
  get: { ...reading, as: { check: oneOf('text', 'json', 'base64') } },
  head: reading,
  delete: { id, ...write },
  list: {
    prefix: { check: text },
    after: { check: text },
    ...page,
    at: { check: time },
    deleted: { check: flag },
  },
  history: { id, after: { check: hash }, ...page },
  links: { id },
  collisions: {},
  resolve: { id, keep: { check: text }, ...payload, ...properties, ...write },
  watch: { prefix: { check: text }, since: { check: text } },
  upload: {
    id,
    size: { check: integer(0, limits.payloadBytesMax), required: true },
    ...properties,
    ...making,
    merge: { check: flag },
  },
  download: reading,
  why: { id: { check: text } },
  verify: {},
  invite: {
    expiresInMs: { check: integer(1, Number.MAX_SAFE_INTEGER) },
    uses: { check: integer(1, limits.membersMax) },
  },
  members: {},
  leave: {},
  remove: { member: { check: text, required: true } },
  quorum: { set: { check: oneOf('visible', 'roster') } },
}

/** Commands that stand in the contract and come in a later version. */
const later: readonly string[] = ['backup', 'restore', 'compact']

/** The method of this name; UNKNOWN_METHOD otherwise. */
export function checkMethod(name: string): MethodName {
  if (Object.hasOwn(tables, name)) return name as MethodName
  const sentence = later.includes(name)
    ? `This version of Veche does not have "${name}" yet.`
    : `There is no method "${name.slice(0, 64)}". Methods: ${Object.keys(tables).join(', ')}.`
  throw new VecheError('UNKNOWN_METHOD', sentence, { method: name.slice(0, 64) })
}

/** The parameters, held against the method's table; BAD_REQUEST otherwise. */
export function checkParams<M extends MethodName>(
  method: M,
  params: unknown,
): Methods[M]['params'] {
  const given = params === undefined ? {} : params
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw bad(method, 'params', 'Parameters are named: send an object')
  const table = tables[method]
  for (const [name, value] of Object.entries(given)) {
    const parameter = Object.hasOwn(table, name) ? table[name] : undefined
    if (parameter === undefined) {
      const known = Object.keys(table).join(', ') || 'none'
      throw bad(method, name.slice(0, 64), `There is no such parameter; known are: ${known}`)
    }
    const wanted = parameter.check(value)
    if (wanted !== undefined) throw bad(method, name, `This must be ${wanted}`)
  }
  for (const name of Object.keys(table)) {
    if (table[name]!.required && !Object.hasOwn(given, name))
      throw bad(method, name, 'This parameter is missing')
  }
  checkTogether(method, given)
  return given as Methods[M]['params']
}

/** What no single parameter can tell: which of them go together. */
function checkTogether(method: MethodName, given: object): void {
  const payloads = Object.keys(payload).filter(name => Object.hasOwn(given, name))
  const two = payloads[1]
  if (two !== undefined) throw bad(method, two, 'Send only one of text, json and base64')
  if (method === 'put' && payloads.length === 0)
    throw bad(method, 'text', 'Send one of text, json and base64')
  if (method === 'resolve') {
    const keeps = Object.hasOwn(given, 'keep')
    if (!keeps && payloads.length === 0)
      throw bad(method, 'keep', 'Say which branch to keep, or send one of text, json and base64')
    const content = [...payloads, ...Object.keys(properties).filter(n => Object.hasOwn(given, n))]
    if (keeps && content[0] !== undefined)
      throw bad(method, content[0], 'With keep, the content is that of the branch')
  }
  if (Object.hasOwn(given, 'version') && Object.hasOwn(given, 'at'))
    throw bad(method, 'at', 'Send only one of version and at')
}

function bad(method: MethodName, parameter: string, reason: string): VecheError {
  return new VecheError('BAD_REQUEST', `${method}, parameter "${parameter}": ${reason}.`, {
    method,
    parameter,
  })
}

/** Whether JSON is nested deeper than so many levels; looks no deeper than that itself. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some(inner => isDeeper(inner, levels - 1))
}
