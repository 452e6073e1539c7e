/** SHA-256 as the machine does it: hashes of 1 KiB a second, and MB/s of large buffers. */
import { createHash, hash } from 'node:crypto'

const SMALL = 100_000
const LARGE = 32
const LARGE_BYTES = 8 << 20

export function hashFloor(): { readonly smallPerSecond: number; readonly largeMBs: number } {
  const small = Buffer.alloc(1024, 'z')
  let begin = performance.now()
  for (let i = 0; i < SMALL; i++) hash('sha256', small, 'hex')
  const smallPerSecond = SMALL / ((performance.now() - begin) / 1000)
  const large = Buffer.alloc(LARGE_BYTES, 'z')
  begin = performance.now()
  for (let i = 0; i < LARGE; i++) createHash('sha256').update(large).digest()
  const largeMBs = (LARGE * LARGE_BYTES) / 1e3 / (performance.now() - begin)
  return { smallPerSecond, largeMBs }
}
