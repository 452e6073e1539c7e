/**
 * Where members can be dialled, as they said themselves or the local network showed. What the
 * roster tells of a member is from the day it joined, and for the first member of a network not
 * even that (it listens on all interfaces and knows no address of its own then); so what was heard
 * is kept, and a restart finds them again.
 */
import { type Bytes, utf8, utf8Text } from '../../base/bytes.ts'
import type { MemberId } from '../../base/fact.ts'
import { limits } from '../../base/limits.ts'
import type { Store, Write } from '../../storage/store.ts'

const PREFIX = 'addresses/'

export class AddressBook {
  readonly #heard = new Map<MemberId, readonly string[]>()
  readonly #found = new Map<MemberId, readonly string[]>()

  /** Reads what earlier runs heard of these members. */
  async load(store: Pick<Store, 'meta'>, members: readonly MemberId[]): Promise<void> {
    for (const member of members) {
      if (this.#heard.has(member)) continue
      const bytes = await store.meta(PREFIX + member)
      if (bytes !== undefined && !this.#heard.has(member)) this.#heard.set(member, read(bytes))
    }
  }

  /** What it said last, then what the local network showed. */
  of(member: MemberId): readonly string[] {
    return [...(this.#heard.get(member) ?? []), ...(this.#found.get(member) ?? [])]
  }

  /** It said where it is; answers what to write, nothing if that was known. */
  hear(member: MemberId, addresses: readonly string[]): Write[] {
    const bounded = addresses.slice(0, limits.addressesMax)
    if (bounded.length === 0 || bounded.join() === this.#heard.get(member)?.join()) return []
    this.#heard.set(member, bounded)
    const value = utf8(JSON.stringify(bounded))
    return [{ kind: 'meta', key: PREFIX + member, value }]
  }

  /** The local network showed it; answers whether that is news. Not kept: it is shown again. */
  find(member: MemberId, addresses: readonly string[]): boolean {
    const known = this.of(member)
    const fresh = addresses.filter(address => !known.includes(address))
    if (fresh.length === 0) return false
    this.#found.set(member, fresh.slice(0, limits.addressesMax))
    return true
  }
}

function read(bytes: Bytes): readonly string[] {
  return JSON.parse(utf8Text(bytes) ?? '[]') as string[]
}
