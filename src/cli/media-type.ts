/**
 * The media type of a file by its name, for the types that people keep most, or else whether it is
 * text. `--type` says it better.
 */
import { extname } from 'node:path'
import { type Bytes, utf8Text } from '../base/bytes.ts'

const types: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  bmp: 'image/bmp',
  css: 'text/css',
  csv: 'text/csv',
  epub: 'application/epub+zip',
  flac: 'audio/flac',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: 'text/html',
  html: 'text/html',
  ics: 'text/calendar',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript',
  json: 'application/json',
  log: 'text/plain',
  m4a: 'audio/mp4',
  md: 'text/markdown',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  odt: 'application/vnd.oasis.opendocument.text',
  ogg: 'audio/ogg',
  ogv: 'video/ogg',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  tiff: 'image/tiff',
  ts: 'text/plain',
  txt: 'text/plain',
  wav: 'audio/wav',
  webm: 'video/webm',
  webp: 'image/webp',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  zip: 'application/zip',
}

/** The media type that a name stands for; if it says nothing, what the first bytes look like. */
export function mediaTypeOf(name: string, head: Bytes): string {
  const ending = extname(name).slice(1).toLowerCase()
  if (Object.hasOwn(types, ending)) return types[ending]!
  return isText(head) ? 'text/plain' : 'application/octet-stream'
}

/** Whether bytes, perhaps cut off in the middle of a character, are UTF-8 that one can print. */
export function isText(head: Bytes): boolean {
  // Up to three bytes at the end may belong to a character that was cut.
  const isUtf8 = [0, 1, 2, 3].some(
    cut => utf8Text(head.subarray(0, head.length - cut)) !== undefined,
  )
  return isUtf8 && !head.some(byte => byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)
}
