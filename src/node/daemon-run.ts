/**
 * A member that runs: its store, its network and, where asked for, its control socket. The daemon
 * and the embedded member both come from here, so that they are the same member.
 *
 * Invariant: when this throws, everything but the store is closed again; the store is its caller's.
 */
import type { ItemId, MemberId } from '../base/fact.ts'
import { VecheError } from '../base/veche-error.ts'
import type { PlantedBug } from '../consensus/agreement/state.ts'
import type { Policy } from '../consensus/items/policy.ts'
import type { MemberService } from '../control/member-service.ts'
import { type ControlServer, startControlServer } from '../control/server.ts'
import type { Store } from '../storage/store.ts'
import { systemClock, systemEntropy, systemTurn } from './clock.ts'
import { Member } from './driver/member.ts'
import { membershipsOf, systemFacts } from './driver/system.ts'
import type { Identity } from './identity.ts'
import type { StartLook } from './ledger/start-look.ts'
import { createLibp2pNetwork } from './libp2p/network.ts'
import type { Clock, Log } from './ports.ts'
import { createService } from './service/service.ts'
import { packageVersion } from './version.ts'

export interface RunOptions {
  readonly store: Store
  /** What was seen of its items while it was opened. */
  readonly look?: StartLook | undefined
  readonly identity: Identity
  readonly mdns: boolean
  readonly log: Log
  /** Path of the control socket; absent: none. */
  readonly socket?: string
  readonly policyOf?: (id: ItemId) => Policy
  readonly planted?: ReadonlySet<PlantedBug>
  /** Called when something happened that no run can go on from; maybe more than once. */
  readonly onFatal: (error: Error) => void
}

/** A member at work. */
export interface RunningMember {
  readonly uuid: string
  /** What others are told to dial. */
  readonly addresses: readonly string[]
  readonly service: MemberService
  /** Ends in order: what was taken is durable, and then the store is closed. */
  stop(): Promise<void>
  /** Lets go of everything after `onFatal`; what does not close is told to the log. */
  abandon(): Promise<void>
}

/** Starts a member. Throws IN_USE, NO_PERMISSION, BAD_REQUEST, DAMAGED. */
export async function runMember(options: RunOptions): Promise<RunningMember> {
  const { store, identity, log, policyOf, planted, onFatal } = options
  const { networkKey } = identity
  const { clock, stop: stopClock } = clockOf(log, onFatal)
  const network = await createLibp2pNetwork({ ...identity, ...options, clock })
  const member = await Member.open({
    ports: { clock, entropy: systemEntropy, log, network, turn: systemTurn },
    store,
    look: options.look,
    ...(policyOf === undefined ? {} : { policyOf }),
    ...(planted === undefined ? {} : { planted }),
    onFatal,
  })
  if (member.gap) await mustKnowMembers(store, member.self)
  const service = createService(member, { networkKey, version: packageVersion })
  await member.start()
  const control = await openControl(options, service).catch(async error => {
    await member.stop()
    throw error
  })
  return {
    uuid: member.self,
    addresses: network.addresses(),
    service,
    stop: async () => {
      const closing = control?.close()
      await member.stop()
      await closing
      await store.close()
    },
    abandon: async () => {
      stopClock()
      const closed = await Promise.allSettled([control?.close(0), network.stop(), store.close()])
      for (const { reason } of closed.filter(one => one.status === 'rejected'))
        log('warn', 'A part of the member did not close.', { error: String(reason) })
    },
  }
}

/**
 * A store that lost its members with the rest would be a network of its own: it would take nobody
 * in, find nobody, and soon answer that there is nothing where there was all.
 */
async function mustKnowMembers(store: Store, self: MemberId): Promise<void> {
  if (membershipsOf(await systemFacts(store)).some(({ peer }) => peer === self)) return
  const sentence =
    'Who the members of this network are was lost with damaged parts of this store. Put a copy ' +
    'of the store back, or join anew with an empty folder; the other members will fill it.'
  throw new VecheError('DAMAGED', sentence)
}

/**
 * The system's clock for one member. What throws in a timer of it is told as fatal, or it would end
 * a process that may not be ours; after `stop` no timer of it does anything.
 */
function clockOf(log: Log, onFatal: (error: Error) => void): { clock: Clock; stop: () => void } {
  let isStopped = false
  const clock: Clock = {
    monotonicMs: () => systemClock.monotonicMs(),
    wallMs: () => systemClock.wallMs(),
    after: (ms, callback) =>
      systemClock.after(ms, () => {
        if (isStopped) return
        try {
          callback()
        } catch (error) {
          const fatal = error instanceof Error ? error : new Error(String(error))
          log('error', 'An error in a timer ends this member.', { error: fatal.stack })
          onFatal(fatal)
        }
      }),
  }
  return {
    clock,
    stop: () => {
      isStopped = true
    },
  }
}

async function openControl(
  { socket, log }: RunOptions,
  service: MemberService,
): Promise<ControlServer | undefined> {
  if (socket === undefined) return undefined
  return await startControlServer({
    path: socket,
    service,
    report: (sentence, error) => log('error', sentence, { error: String(error) }),
  })
}
