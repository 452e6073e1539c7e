/**
 * Facts in the words of the socket: the header of a version, as `get`, `head`, `list` and `history`
 * show it. A shown version may be a derived one; its content is that of the fact it stands for.
 */
import { isDelete } from '../../base/fact.ts'
import { stampMs } from '../../base/stamp.ts'
import type { ItemHeader } from '../../control/protocol.ts'
import type { Shown } from './reading.ts'

/** The header of a version as the socket shows it. */
export function headerOf({ id, version, position, fact, held }: Shown): ItemHeader {
  return {
    id,
    version,
    position,
    dataHash: fact.dataHash,
    blob: fact.blob,
    size: fact.size,
    type: fact.type,
    tags: fact.tags,
    description: fact.description,
    meta: fact.meta,
    dependsOn: fact.dependsOn,
    at: stampMs(fact.at),
    stamp: fact.at,
    by: fact.by,
    state: held.state.kind,
    ...(isDelete(fact) ? { deleted: true as const } : {}),
  }
}
