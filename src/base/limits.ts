/**
 * Every bound of Veche, in one place, each with its reason. Bytes, counts and milliseconds; a name
 * ends with its unit. A limit that a user can meet is met with a clear refusal, never with a crash.
 */
export const limits = {
  /** An id is a path-like name; 1 KiB is above every file system's path component and small in a leaf. */
  idBytesMax: 1024,
  /** Split steps at the end of an id: one per level of nesting; 64 is the length of a version. */
  splitStepsMax: 64,
  /** A media type is a short token (RFC 6838 restricts each half to 127). */
  typeBytesMax: 255,
  /** Tags, as a list and each: enough for people, small enough for a header. */
  tagsMax: 64,
  tagBytesMax: 256,
  /** A description is a paragraph, not a payload. */
  descriptionBytesMax: 8 * 1024,
  /** Free metadata, as deterministic CBOR. */
  metaBytesMax: 16 * 1024,
  /** Depth of metadata: JSON written by people is shallow; deep nesting is an attack on recursion. */
  metaDepthMax: 32,
  /** Depth of any frame or record besides metadata: the deepest of ours nests six lists. */
  frameDepthMax: 16,
  /** Values in one frame: the fullest answer of a walk twice over; more would only burn time. */
  frameValuesMax: 524_288,
  /** Values in one fact: every list of it full, with room. */
  factValuesMax: 20_000,
  /** Links of one item. */
  dependsOnMax: 1000,
  /** Parents of one merge: a split of more heads than this cannot be resolved in one step. */
  parentsMax: 256,
  /** A fact's encoding: all of the above together, with room; refused before it is decoded. */
  factBytesMax: 2 * 1024 * 1024,
  /** A peer id in text form has 46 to 62 characters; room for key kinds to come. */
  memberIdBytesMax: 128,
  /** An item's summary is our own record: bounded by the heads that its item really has. */
  summaryBytesMax: 256 * 1024 * 1024,
  summaryEntriesMax: 1_000_000,
  /** A payload up to here travels with its fact and lives inside LevelDB; larger ones are files. */
  inlinePayloadBytesMax: 16 * 1024,
  /** What of one large payload may be on its way at once, and so the most that a kill loses of it. */
  chunkBytes: 2 * 1024 * 1024,
  /** One piece of a chunk: one message, so that several members can give at once. */
  pieceBytes: 256 * 1024,
  /** Large payloads that are fetched at the same time. */
  payloadFetchesMax: 4,
  /** The largest payload: 2^53 − 1, what a JSON number can say. */
  payloadBytesMax: Number.MAX_SAFE_INTEGER,

  /** A gossip frame; far below the 4 MiB at which gossipsub goes deaf. */
  gossipFrameBytesMax: 64 * 1024,
  /** What the envelope of a frame takes at most, with the longest member id. */
  envelopeBytesMax: 256,
  /** A frame on a direct stream; below the 4 MiB read buffer of a libp2p stream. */
  streamFrameBytesMax: 3 * 1024 * 1024,
  /** What the sender aims at for one batch, so that a small message never waits long. */
  batchBytes: 512 * 1024,
  /** Entries of any list inside a message. */
  listMax: 4096,
  /** Nodes asked about in one message of a walk: a message of the size below with 6-byte prints. */
  walkAsksMax: 4096,
  /** A message of a walk ends at about so many bytes, and the rest is asked for in the next. */
  walkBytes: 512 * 1024,
  /** A subtree of at most so many entries is compared entry by entry: 8 full leaves. */
  walkListMax: 512,
  /** Prints made for one message of a walk: 10 to 20 ms, in a full comparison 80; nothing else waits long. */
  walkPrintsMax: 65_536,
  /** A walk gives its differences in parts of about so many: some 80 MB. */
  walkDifferencesMax: 262_144,
  /** Messages of one part: ten times what its differences take; a peer that errs ends here. */
  walkRoundsMax: 1024,
  /** Nodes that a walk still has before it; far above what an honest peer can cause. */
  walkAheadMax: 1_048_576,
  /** Questions of one member that are answered at a time: all pieces of all large payloads. */
  asksAtOnceMax: 32,
  /** What of that one message of a walk takes: it computes and lets nobody between. */
  askWeightOfWalk: 16,
  /** Questions of one member that wait; an honest one has none waiting. */
  asksWaitingMax: 4096,
  /** What waits to be sent to one member, in each lane; what is above it is not said, and heals. */
  outboxBytesMax: 32 * 1024 * 1024,
  outboxBodiesMax: 65_536,
  /** All that one member which errs can make another keep: both lanes read and unsent, questions at
   * work, offers, gossip and the connection under them, with room; measured in test/security. */
  memberBytesMax: 256 * 1024 * 1024,
  /** The same of one stranger at the door: the first windows of all its streams, with room. */
  strangerBytesMax: 32 * 1024 * 1024,
  /** A problem that a member makes of itself is told to people once in so long. */
  blameMs: 1000,
  /** `holds` asks about so many facts at once (PROTOCOL 6). */
  holdsMax: 1000,
  /** Ranges above the contiguous number in an acknowledgment (PROTOCOL 6). */
  ackRangesMax: 64,
  /** Members in one roster that this version is built for; lists in pings are bounded by it. */
  membersMax: 256,
  /** Ballots about one configuration: no honest network comes near, and one more is still a number. */
  ballotCounterMax: 2 ** 40,
  /** A multiaddr in text form with relays and peer ids, and how many a member may give. */
  addressBytesMax: 512,
  addressesMax: 16,
  /** A member's name, as people see it in lists. */
  nameBytesMax: 128,
  /** A sentence of another member that is shown to a person. */
  sentenceBytesMax: 1024,

  /** One network connection: what a stream may have on its way unread. Must stay below libp2p's
   * read buffer of 4 MiB, or a paused stream is aborted instead of slowed down. */
  streamWindowBytes: 2 * 1024 * 1024,
  /** Bytes that arrived and wait for a busy reader; beyond, the other side is told to wait. */
  laneUnreadBytesMax: 1024 * 1024,
  /** Bytes written and not yet taken by the connection, above which a sender waits. Small: libp2p
   * walks its list of unsent pieces at each write (bench/network.ts: 1 MiB halves the rate). */
  laneUnsentBytes: 64 * 1024,
  /** Small frames written in one tick leave together, up to here: one encryption, one packet. */
  laneBatchBytes: 60 * 1024,
  /**
   * Frames from here on are compressed. Below are writes that somebody waits for: a group of them takes
   * longer to compress than to send, unless the link is slow, and then they gather in larger frames.
   */
  packedFromBytes: 128 * 1024,
  /** A knock at the door: a secret, a name, a few addresses. */
  doorRequestBytesMax: 16 * 1024,
  /** The answer may carry the whole roster of `membersMax` with addresses and proofs. */
  doorAnswerBytesMax: 1024 * 1024,
  /** An invitation token: keys, a secret and a few addresses. */
  tokenBytesMax: 8 * 1024,
  /** A knock is answered within this time, forwarding to another member included. */
  doorMs: 10_000,
  /** Knocks of one peer within `doorMs`, and of all peers at once: a door, not a service. */
  doorKnocksMax: 8,
  doorKnocksAtOnceMax: 32,
  /** A new connection becomes a link (both lanes stand) within this time, or it is cut. */
  linkOpenMs: 3000,
  /** A link over which nothing came for so long works one way at most: it is made anew. */
  linkSilenceMs: 3000,
  /** Frames come, but no gossip of that member by any path: its gossip is dead. Long, because
   * gossip may wait behind a saturated slow line. */
  gossipSilenceMs: 10_000,
  /** The larger peer id dials only after this silence, so that two never dial each other at once. */
  dialPatienceMs: 3000,
  /** One address, and all addresses of a member, may take so long to answer a dial. */
  dialAddressMs: 2000,
  dialMs: 6000,
  /** Up to so many peers, gossip goes to each directly instead of from neighbour to neighbour. */
  floodPeersMax: 20,
  /** Members pass gossip on one after the other within this time: longer than a way there and back, and a
   * fraction of the silence after which a member counts as gone. */
  gossipTurnsMs: 200,
  /** Connections: each member twice for a moment, and as many strangers at the door. */
  connectionsMax: 768,
  /** New connections a second from one address, and unproven ones at a time. */
  connectionsPerSecondMax: 100,
  /** Of these, from one address: whoever has no key keeps a third of the places for 3 s at most. */
  unprovenPerAddressMax: 32,
  /** Peers at the door at a time; the one that stands there longest makes room for the next. */
  strangersMax: 64,
  /** What libp2p keeps of peers that were no members is forgotten so often. */
  forgetStrangersMs: 10_000,
  /** Streams that the other side may have open: a member uses eight. */
  connectionStreamsMax: 64,
  /** What waits for a side that does not read: above the full windows of all streams of a member. */
  connectionUnsentBytesMax: 16 * 1024 * 1024,
  /** What gossip may have on its way to one member: some seconds of the pings of 256 members. */
  gossipUnsentBytesMax: 4 * 1024 * 1024,
  /** Gossip of one member: it says something at each cut and change. What is above is not heard. */
  gossipPerSecondMax: 100,
  gossipBytesPerSecondMax: 1024 * 1024,
  /** It may catch up on so many seconds at once (a pause, a slow line). */
  gossipBurstSeconds: 5,
  /** A link that brings so much too much within a second is cut: no honest member passes it on. */
  gossipFloodMax: 1000,
  /** A copy of a message comes within seconds; a table of those seen is kept for no longer. */
  gossipSeenMs: 30_000,

  /** Entries of the announced history kept for a Source (PROTOCOL 9). */
  historyEntriesMax: 64,
  /** Facts that one healing comparison between Sources may carry (PROTOCOL 9). */
  healFactsMax: 1000,

  /** A line on the control socket: a small payload in base64 with room; larger ones use `upload`. */
  lineBytesMax: 32 * 1024 * 1024,
  /** Batches gather into one group, one fsync, up to here: what a slow disk writes in a moment. */
  groupBytesMax: 8 * 1024 * 1024,
  /** The journal is begun anew beyond this: some ten thousand groups, read in no time at start. */
  journalBytesMax: 2 * 1024 * 1024,
  /** Below this much free space users' writes are refused (or 5 % of the disk, if that is less). */
  diskReserveBytes: 64 * 1024 * 1024,
  /** Summaries of items kept in memory: about 1 KiB each with its strings. */
  summariesCachedMax: 8192,
  /** Facts in the families of split items that are kept worked out: about 1 KiB each. */
  familyFactsKeptMax: 50_000,
  /** Records of the event log kept for watchers that were away; one record is one batch. */
  eventRecordsMax: 100_000,
  /** Items in one answer of `list`, facts in one answer of `history`. */
  pageMax: 1000,
  /** A page also ends at about so many bytes of headers, for items with large properties. */
  pageBytesMax: 4 * 1024 * 1024,
  /** Requests of one connection at work; beyond, it is not read until one is answered. */
  socketRequestsMax: 1024,
  /** Bytes of request lines of one connection at work: two of the longest lines. */
  socketRequestBytesMax: 64 * 1024 * 1024,
  /** Answers waiting for a slow reader; beyond, its further requests are not read. */
  socketAnswerBytesMax: 4 * 1024 * 1024,
  /** Raw bytes of a download waiting for its reader: while it takes them the next are hashed. */
  downloadAheadBytesMax: 512 * 1024,
  /** Raw bytes of an upload waiting for the disk. */
  uploadAheadBytesMax: 1024 * 1024,
  /** Payloads up to here are answered at once; larger ones one after the other a connection. */
  getPayloadAtOnceBytes: 64 * 1024,
  /** The largest payload inside a JSON answer (32 MiB as base64); `download` gives any size. */
  getPayloadBytesMax: 24 * 1024 * 1024,
  /** The longest line that a client takes: the largest payload above, each byte as `\\u0000`. */
  answerBytesMax: 256 * 1024 * 1024,
  /** A client looks for its daemon so long after a connection was lost. */
  reconnectMs: 5000,
  /** The pauses between looks grow up to this. */
  reconnectPauseMsMax: 1000,
  /** A watcher that reads nothing for so long is cut; it can resume after its last cursor. */
  watchStuckMs: 30_000,
  /** Connections to one control socket: programs of one machine. */
  socketConnectionsMax: 1024,
  /** The longest wait that a caller may ask for. */
  timeoutMsMax: 3_600_000,
  /** How long a connection that is being refused may take to read the reason. */
  socketLingerMs: 2000,

  /** Heard: a message came in the last 3 s (PROTOCOL 1). Also the silence period. */
  heardMs: 3000,
  /** Every member probes every roster member so often, and pings when it has been silent so long. */
  pingMs: 1000,
  /** The five-second check (PROTOCOL 9). */
  checkMs: 5000,
  /** The settle cut lies at least so far back (PROTOCOL 5). */
  settleMs: 2000,
  /** A Source that lacks a version for so long has met two checks and a healing: nobody has it. */
  refillMs: 20_000,
  /** After damage all of a store is looked at, in the background, at most so often. */
  scrubAgainMs: 600_000,
  /** Who gave a payload that is not it is asked again after this: time to fetch it anew itself. */
  badCopyMs: 60_000,
  /** A copy of a payload that others doubt is read whole at most so often: anybody may doubt. */
  doubtAgainMs: 60_000,
  /** Payloads of which it is known that they were doubted lately. */
  doubtsMax: 1000,
  /** A life that speaks so long after a later one began has not ended: clocks differ by less. */
  twinMarginMs: 1000,
  /** That two daemons run with one identity is over when there was no sign of it for so long. */
  twinMs: 30_000,
  /** A stamp or a clock further ahead than this is not followed (PROTOCOL 4). */
  clockAheadMs: 60_000,
  /** The network clock is persisted with this reserve, so a restart never goes back. Less than a process
   * takes to start: restarts in a loop must not drive the clock ahead. */
  clockReserveMs: 250,
  /** Facts that were offered are dropped when the offerer is silent so long (PROTOCOL 8). */
  offerMs: 10_000,
  /** What one member may have offered and not yet added; a slice is far below it. */
  offeredBytesMax: 64 * 1024 * 1024,
  /** Who does not answer an offer within this time is not waited for (PROTOCOL 8). */
  offerAnswerMs: 2000,
  /** A slice of the pending queue is what was confirmed within this time last time. */
  sliceMs: 1000,
  /** A gap that nobody reached can fill for so long is reported and left to tree comparison. */
  gapMs: 10_000,
  /** quorum `roster`: an unreached member must have been unheard for so long (PROTOCOL 9). */
  rosterSilenceMs: 5000,
  /** A ballot about the roster that was not decided by then is tried again, or finished by others. */
  ballotMs: 1000,
  /** Who asked for a change of the roster is told after so long that it is not decided yet. */
  rosterChangeMs: 10_000,
  /** Who is told of a change of the roster and does not answer in this time is not awaited. */
  tellMs: 1000,
  /** `put` waits so long for `majority` before it answers with the level reached. */
  putWaitMs: 5000,
} as const
