/**
 * Ids of items in socket form, the one form that is used everywhere. An id is a root name and a
 * run of split steps at its very end (`report~3~a`); a literal tilde of a name is doubled. Parsing
 * goes from left to right, `~~` first, so every id has one reading.
 *
 * A name is a path: segments between single slashes, none of them empty, `.` or `..`, so that a
 * folder can hold every item under its own name. Control characters and broken UTF-16 are refused,
 * because an id is printed, listed and hashed. System ids (base/fact.ts) are no user's: `parseId`
 * refuses them, and they have no split steps.
 */
import { UTF8_BYTES_MAX, utf8 } from '../../base/bytes.ts'
import { type ItemId, isSystemId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import { Memo } from '../../base/memo.ts'

/** An id taken apart, or why it is none. */
export type ParsedId =
  | {
      readonly ok: true
      readonly id: ItemId
      /** The id without its split steps. */
      readonly root: ItemId
      /** One hex digit a step, outermost first. */
      readonly steps: readonly string[]
    }
  | { readonly ok: false; readonly sentence: string }

/** A segment of a path that is empty, `.` or `..`. */
const wrongSegment = /(?:^|\/)(\.{0,2})(?=\/|$)/
const stepRun = /^(?:~[0-9a-f])+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to refuse
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/

/** A write asks several times in a row, and many writes are under way. */
const parsedIds = new Memo<string, ParsedId>(256, parse)

/** Takes an id in socket form apart; answers a sentence for the user when it is not allowed. */
export function parseId(text: string): ParsedId {
  return parsedIds.of(text)
}

function parse(text: string): ParsedId {
  const refuse = (why: string) =>
    ({ ok: false, sentence: `The id ${quote(text)} ${why}.` }) as const
  if (text === '') return { ok: false, sentence: 'The id is empty.' }
  if (!text.isWellFormed()) return refuse('is not valid Unicode')
  if (controlCharacter.test(text)) return refuse('holds a control character')
  if (text.length * UTF8_BYTES_MAX > limits.idBytesMax && utf8(text).length > limits.idBytesMax) {
    return refuse(`is longer than ${limits.idBytesMax} bytes`)
  }
  const length = rootLength(text)
  if (length === undefined) {
    return refuse('holds a single tilde; write a literal tilde as ~~')
  }
  const root = text.slice(0, length)
  if (root === '') return refuse('has split steps but no name')
  const wrong = wrongSegment.exec(root)?.[1]
  if (wrong === '') return refuse('has an empty path segment')
  if (wrong !== undefined) return refuse(`has the path segment ${wrong}`)
  return { ok: true, id: text, root, steps: stepsOf(text, length) }
}

/** The id of a name that people or file systems give: its tildes doubled. */
export function escapeName(name: string): ItemId {
  return name.replaceAll('~', '~~')
}

/** The id without its split steps; for ids that `parseId` or `checkFact` let in. */
export function rootOf(id: ItemId): ItemId {
  if (isSystemId(id)) return id
  return id.slice(0, rootLength(id) ?? id.length)
}

/** How many split steps an id has; 0 for a root id. */
export function stepCount(id: ItemId): number {
  if (id[id.length - 2] !== '~') return 0 // the last step is a tilde and a digit
  return (id.length - rootOf(id).length) / 2
}

/** The id one step above, or `undefined` for a root id. */
export function parentId(id: ItemId): ItemId | undefined {
  return stepCount(id) === 0 ? undefined : id.slice(0, -2)
}

/** The ids above a split id, outermost (the root id) first; none for a root id. */
export function splitIdsOnPath(id: ItemId): ItemId[] {
  const steps = stepCount(id)
  return Array.from({ length: steps }, (_, above) => id.slice(0, id.length - 2 * (steps - above)))
}

/** Whether `id` lies below `above`: it is that id with more split steps. */
export function isBelow(id: ItemId, above: ItemId): boolean {
  return id.length > above.length && id.startsWith(above) && stepRun.test(id.slice(above.length))
}

/** The half-open range of ids, in byte order, with all split ids of a root id and no other. */
export function familyRange(root: ItemId): { readonly from: ItemId; readonly until: ItemId } {
  return { from: `${root}~0`, until: `${root}~g` }
}

/** Units of the root part; `undefined` when a tilde stands where none may. */
function rootLength(text: string): number | undefined {
  let at = text.indexOf('~')
  while (at !== -1) {
    if (text[at + 1] !== '~') return stepRun.test(text.slice(at)) ? at : undefined
    at = text.indexOf('~', at + 2)
  }
  return text.length
}

function stepsOf(text: string, from: number): string[] {
  const steps: string[] = []
  for (let at = from + 1; at < text.length; at += 2) steps.push(text[at]!)
  return steps
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)
}
