/**
 * The member as the control socket and the embedding API see it: every method of the contract,
 * each carried out by one part (reading, writing, listing, standing, verify).
 */

import type { Bytes } from '../../base/bytes.ts'
import { limits } from '../../base/limits.ts'
import { VecheError } from '../../base/veche-error.ts'
import { isReached } from '../../consensus/agreement/reach.ts'
import type {
  EventStream,
  ItemPayload,
  ItemStream,
  MemberService,
  PutRequest,
  ResolveRequest,
  UploadRequest,
  VerifyOptions,
} from '../../control/member-service.ts'
import type {
  CollisionsResult,
  DeleteParams,
  HeadParams,
  HeadResult,
  HistoryParams,
  HistoryResult,
  LinksParams,
  LinksResult,
  ListParams,
  ListResult,
  PutResult,
  ResolveResult,
} from '../../control/protocol.ts'
import type {
  InviteParams,
  InviteResult,
  LeaveResult,
  MembersResult,
  QuorumParams,
  QuorumResult,
  RemoveParams,
  RemoveResult,
  StatusParams,
  StatusResult,
  VerifyResult,
  WatchParams,
  WhyParams,
  WhyResult,
} from '../../control/protocol-network.ts'
import type { Member } from '../driver/member.ts'
import { changeQuorum } from '../driver/roster-changes.ts'
import { encodeToken } from '../token.ts'
import { headerOf } from './header.ts'
import { Listing } from './listing.ts'
import { Reading } from './reading.ts'
import { Standing } from './status.ts'
import { countUnsharedPayloads } from './unshared.ts'
import { verifyMember } from './verify.ts'
import { Writing } from './writing.ts'

/** An invitation is good for a day unless it says otherwise. */
const INVITATION_MS = 24 * 3600 * 1000

export interface ServiceOptions {
  /** 32 bytes; what invitations carry. */
  readonly networkKey: Bytes
  /** Of the program. */
  readonly version: string
}

/** The service of a member. */
export function createService(member: Member, options: ServiceOptions): MemberService {
  return new Service(member, options)
}

class Service implements MemberService {
  readonly #member: Member
  readonly #options: ServiceOptions
  readonly #reading: Reading
  readonly #writing: Writing
  readonly #listing: Listing
  readonly #standing: Standing

  constructor(member: Member, options: ServiceOptions) {
    this.#member = member
    this.#options = options
    this.#reading = new Reading(member)
    this.#writing = new Writing(member)
    this.#listing = new Listing(member, this.#reading)
    this.#standing = new Standing(member, this.#reading, options.version)
  }

  status(params: StatusParams): Promise<StatusResult> {
    return this.#standing.status(params)
  }

  put(request: PutRequest): Promise<PutResult> {
    return this.#writing.put(request)
  }

  delete(params: DeleteParams): Promise<PutResult> {
    return this.#writing.delete(params)
  }

  upload(request: UploadRequest, source: AsyncIterable<Bytes>): Promise<PutResult> {
    return this.#writing.upload(request, source)
  }

  async get(params: HeadParams, payloadBytesMax: number): Promise<ItemPayload> {
    const shown = await this.#reading.shown(params)
    const payload = await this.#reading.payload(shown, payloadBytesMax)
    return { header: headerOf(shown), payload }
  }

  async download(params: HeadParams): Promise<ItemStream> {
    return await this.#reading.stream(await this.#reading.shown(params))
  }

  async head(params: HeadParams): Promise<HeadResult> {
    const shown = await this.#reading.shown(params)
    const dependedOnBy = await this.#listing.dependedOnBy(params.id)
    return { ...headerOf(shown), dependedOnBy }
  }

  list(params: ListParams): Promise<ListResult> {
    return this.#listing.list(params)
  }

  history(params: HistoryParams): Promise<HistoryResult> {
    return this.#listing.history(params)
  }

  links(params: LinksParams): Promise<LinksResult> {
    return this.#listing.links(params)
  }

  collisions(): Promise<CollisionsResult> {
    return this.#listing.collisions()
  }

  resolve(request: ResolveRequest): Promise<ResolveResult> {
    return this.#writing.resolve(request)
  }

  watch(params: WatchParams): Promise<EventStream> {
    return this.#member.feed.watch(params)
  }

  why(params: WhyParams): Promise<WhyResult> {
    return this.#standing.why(params)
  }

  verify(options: VerifyOptions): Promise<VerifyResult> {
    return verifyMember(this.#member, this.#listing, options)
  }

  async members(): Promise<MembersResult> {
    return { members: this.#standing.members() }
  }

  async invite(params: InviteParams): Promise<InviteResult> {
    const { ports, roster, self } = this.#member
    this.#assertMember()
    roster.assertChangeable()
    const expires = Math.round(ports.clock.wallMs() + (params.expiresInMs ?? INVITATION_MS))
    const uses = params.uses ?? 1
    const secret = await roster.door.invite({ expires, uses })
    const addresses = ports.network.addresses().slice(0, limits.addressesMax)
    const { networkKey } = this.#options
    const token = encodeToken({ networkKey, secret, issuer: self, addresses, expires })
    return { token, expires, addresses, uses }
  }

  async leave(): Promise<LeaveResult> {
    const { roster, self, store } = this.#member
    this.#assertMember()
    roster.assertChangeable()
    const unsharedPayloads = await countUnsharedPayloads(this.#member)
    const unshared = store.counts().pending
    await roster.remove(self)
    return { uuid: self, unshared, unsharedPayloads }
  }

  async remove({ member: nameOrUuid }: RemoveParams): Promise<RemoveResult> {
    const { agreement, roster, self } = this.#member
    this.#assertMember()
    roster.assertChangeable()
    const { peer, name } = roster.find(nameOrUuid)
    if (peer === self) {
      const sentence = 'A member leaves by `veche leave`; `remove` is for another one.'
      throw new VecheError('BAD_REQUEST', sentence, { parameter: 'member' })
    }
    const known = agreement.peers.get(peer)
    const isHere = known !== undefined && isReached(agreement, known)
    await roster.remove(peer)
    if (isHere) return { uuid: peer, name }
    const called = name === '' ? peer : name
    const warning = `${called} was not reached: what it alone holds stays with it until it joins again.`
    return { uuid: peer, name, warning }
  }

  async quorum({ set }: QuorumParams): Promise<QuorumResult> {
    this.#assertMember()
    if (set !== undefined) await changeQuorum(this.#member, set)
    return { quorum: this.#member.roster.quorum }
  }

  #assertMember(): void {
    if (!this.#member.roster.isRemoved) return
    throw new VecheError('REMOVED', 'This member left its network or was removed.')
  }
}
