/**
 * Veche in the shape of the drivers that the peers' bench runs: three compiled daemons on loopback
 * (VECHE_MAIN names the command line of the build; else `dist/`). Items are put and read over the
 * control socket alone; the command line makes the stores. Nothing of the product is imported. An
 * answer below the level that a put waits for is an error.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Members } from '../members.ts'
import { type Put, Refused } from '../socket.ts'

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string }

/** Where a build is when nobody says where. */
const distMain = fileURLToPath(new URL('../../dist/bin/main.js', import.meta.url))

export const info = {
  name: 'veche',
  ack: 'majority: 2 of 3 members have said themselves that fact and payload are fsynced at them',
  multiWriter: true,
  strong: 'majority, fsynced',
  weak: 'pending: fsynced at the answering member only',
  reads: 'local member (may be stale), verified against its hash by the client',
  versions: () => ({ veche: version }),
}

/** The runner's view of a cluster. */
export async function start({ dir, nodes = 3 }: { dir: string; nodes?: number }) {
  const members = await Members.form({
    count: nodes,
    folder: dir,
    main: process.env.VECHE_MAIN ?? distMain,
  })
  const client = (at: number) => members.client(at)
  /** Every put that was acknowledged is one fact. */
  let facts = (await client(0).status()).facts
  return {
    N: members.all,
    writer: 0,
    pids: (at: number) => (members.all[at]!.isRunning ? [members.all[at]!.pid] : []),
    dataDir: (at: number) => members.all[at]!.store,

    async put(at: number, id: string, text: string, options?: { readonly weak?: boolean }) {
      const wait: Put['level'] = options?.weak === true ? 'pending' : 'majority'
      const { level } = await client(at).call<Put>('put', { id, text, wait })
      facts += 1
      if (wait === 'majority' && level !== 'majority')
        throw new Error(`accepted, but so far only ${level}: no majority is reached`)
    },

    async get(at: number, id: string): Promise<string | null> {
      try {
        return await client(at).get(id)
      } catch (error) {
        if (error instanceof Refused && error.code === 'NOT_FOUND') return null
        throw error
      }
    },

    /** Facts that a member lacks; 0 only when it holds all that is acknowledged, payloads too. */
    async lag(at: number): Promise<number> {
      const all = await members.statuses()
      const most = Math.max(facts, ...all.map(one => one.facts))
      const own = await client(at).status()
      if (own.facts < most) return most - own.facts
      const { reasons } = await client(at).call<{ reasons: { reason: string }[] }>('why')
      return reasons.filter(({ reason }) => reason === 'payload-missing').length
    },

    /** What stands under an id that split: the items in its place. */
    async siblings(at: number, id: string): Promise<readonly string[]> {
      try {
        return [await client(at).get(id)]
      } catch (error) {
        if (!(error instanceof Refused) || error.code !== 'SPLIT') throw error
        return await Promise.all(
          error.ids.map(async one => `${one} = ${await client(at).get(one)}`),
        )
      }
    },

    startNode: (at: number) => members.all[at]!.start(),
    stopNode: (at: number) => members.all[at]!.stop(),

    /**
     * The member is lost with its store: it is removed, and an empty one is let in, which is not
     * timed, as with other products that know their members. Its start, which fills it, is.
     */
    async wipeNode(at: number): Promise<void> {
      const by = at === 0 ? 1 : 0
      const lost = (await client(at).status()).uuid
      await members.all[at]!.stop()
      await client(by).call('remove', { member: lost })
      await members.fresh(at).make(await members.invite(by))
    },

    stop: () => members.end(),
  }
}
