/**
 * Payloads between bytes and the three forms that JSON can carry. Bytes are never changed on the
 * way: what cannot be told exactly in a form is answered in base64 or, where the caller forced the
 * form, refused.
 */
import { type Bytes, utf8, utf8Text } from '../base/bytes.ts'
import type { Json } from '../base/fact.ts'
import { VecheError } from '../base/veche-error.ts'
import type { PayloadFields, PayloadForm } from './protocol.ts'

/** The bytes of a payload in JSON, and the media type that its form stands for. */
export function payloadOf(fields: PayloadFields): { readonly bytes: Bytes; readonly type: string } {
  if (fields.text !== undefined) return { bytes: utf8(fields.text), type: 'text/plain' }
  if (fields.json !== undefined) return { bytes: jsonBytes(fields.json), type: 'application/json' }
  return { bytes: base64Bytes(fields.base64 ?? ''), type: 'application/octet-stream' }
}

function jsonBytes(value: Json): Bytes {
  let text: string
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw new VecheError(
      'BAD_REQUEST',
      'The parameter "json" is nested too deep: put it as text.',
      { parameter: 'json' },
      error,
    )
  }
  if (!text.isWellFormed())
    throw new VecheError('BAD_REQUEST', 'The parameter "json" holds half of a surrogate pair.', {
      parameter: 'json',
    })
  return utf8(text)
}

function base64Bytes(text: string): Bytes {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new VecheError(
      'BAD_REQUEST',
      'The parameter "base64" must be base64 (RFC 4648: A–Z a–z 0–9 + /, padded with =).',
      { parameter: 'base64' },
    )
  return Buffer.from(text, 'base64')
}

/** A payload in the form that its media type asks for, or in the one that is forced. */
export function fieldsOf(bytes: Bytes, type: string, forced?: PayloadForm): PayloadFields {
  const form = forced ?? formOf(type)
  if (form === 'base64') return { base64: base64Text(bytes) }
  const text = utf8Text(bytes)
  if (form === 'text' && text !== undefined) return { text }
  const json = form === 'json' && text !== undefined ? parse(text) : undefined
  if (json !== undefined) return { json: json.value }
  if (forced !== undefined)
    throw new VecheError(
      'BAD_REQUEST',
      `These bytes are not ${forced === 'text' ? 'UTF-8 text' : 'JSON'}: ask for base64.`,
      { parameter: 'as' },
    )
  return { base64: base64Text(bytes) }
}

/** `text/*` is text, JSON and its relatives are JSON, everything else base64. */
function formOf(type: string): PayloadForm {
  const essence = type.split(';', 1)[0]!.trim().toLowerCase()
  if (essence.startsWith('text/')) return 'text'
  return essence === 'application/json' || essence.endsWith('+json') ? 'json' : 'base64'
}

function base64Text(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function parse(text: string): { readonly value: Json } | undefined {
  try {
    return { value: JSON.parse(text) as Json }
  } catch {
    return undefined // not JSON after all: the caller falls back to base64 or refuses
  }
}
