/**
 * The typed face of the ring in `kernel.wasm` (assembly/kernel/ring/): routing, links, slots and the streams of clients. Addresses
 * are u32 in the module and come out signed: `>>> 0` them where they may lie above 2 GiB.
 */
export interface RingKernelExports {
  /** A region for the ring's tables, which the host fills as assembly/kernel/ring/route.ts draws them; 0: no memory. */
  ringReserve(bytes: number): number;
  /** Turns the ring on with the tables at `address`, or replaces them; frees those before. */
  ringInstall(address: number): void;
  /** Flags of this node: SELF_. */
  ringSetSelf(flags: number): void;
  /**
   * The newest stamp that this node may have acknowledged before it lost its memory: it acknowledges no write at or below. 0: it
   * has lost none; NOT_TOLD: what the others would tell is not known yet.
   */
  ringSetForgotten(stamp: bigint): void;
  /**
   * Bounds: age of a slot in ms, how far a stamp may be ahead in ms, slots at most, unanswered requests of a link at which it
   * takes no more.
   */
  ringSetLimits(
    requestTimeoutMs: number,
    maxStampAheadMs: number,
    maxPending: number,
    maxLinkPending: number,
  ): void;
  /** Sets the clock of the deadlines: milliseconds that never go back, from any start. */
  ringSetClock(milliseconds: number): void;
  /** Position of a key's replica set in the tables, -1 without a ring. */
  ringRoute(key: number, length: number): number;

  /** Makes a link ready, with an empty outbox and nothing expected; its address, 0: no memory. Not up yet. */
  linkOpen(link: number): number;
  /** Sets LINK_FLAG.up and LINK_FLAG.fenced as they are in `flags`. */
  linkSetFlags(link: number, flags: number): void;
  /**
   * Looks whether a link takes requests, after each flush. `found`: LINK_FLAG.full or behind as the host finds it. Returns its
   * LINK_FLAG bits: full also when too many requests are unanswered.
   */
  linkSettle(link: number, found: number): number;
  /** The link is gone: every request that waits for its answer on it fails; its outbox is dropped. */
  linkDown(link: number): void;
  /** Completes the outbox (pending acknowledgements too); its length. The host sends it, then calls linkFlushed(). */
  linkSeal(link: number): number;
  linkFlushed(link: number): void;
  /**
   * Reads the frames in `length` bytes at `input` (in the context's input) that came over a link, as far as they are whole.
   * Returns a PEER_STATUS.
   */
  peerFeed(context: number, link: number, input: number, length: number): number;
  /** Goes on after PEER_STATUS.host or PEER_STATUS.outboxFull. */
  peerResume(context: number): number;
  /**
   * Answers the data request that peerFeed() has handed to the host; one that is not answered before peerResume() fails. `kind`:
   * ANSWER; `frame`: of ANSWER.frame the address of the answer, of ANSWER.fail its code. 0: the outbox lacks room (flush it and
   * call again), or nothing is owed.
   */
  peerAnswer(link: number, kind: number, frame: number, length: number): number;

  /**
   * Opens a slot of the host's own: `tag` comes back with its decision; `need` more acknowledgements decide it. `age`: how long its
   * request has been waiting already, in ms; `holds` 1: who refuses for something newer counts. Its number.
   */
  slotOpen(tag: number, need: number, age?: number, holds?: number): number;
  /**
   * Appends a data request of the host to a link's outbox; `slot`: who waits for its answer, NO_SLOT: nobody. With `length` 0 only
   * the waiting is noted: the host sends a frame larger than an outbox itself, right behind the flushed outbox. 0: no room, or
   * the link is not up, or takes no requests.
   */
  linkRequest(link: number, frame: number, length: number, slot: number): number;
  /** All requests of a slot of the host are out: it fails when they cannot decide it. */
  slotSeal(slot: number): void;
  /**
   * Sends the record (or tombstone) of a key to its other replicas, as after a write; `need` that hold it, or something newer, decide.
   * `age` as for slotOpen(). 0: it must go by the host (an object, too long, not there); 2: an outbox lacks room.
   */
  replicate(
    database: number,
    key: number,
    length: number,
    tag: number,
    need: number,
    age: number,
  ): number;
  /** Asks the other replicas for something newer than the record of a key, which is merged as it comes. Answers as replicate(). */
  readAround(
    database: number,
    key: number,
    length: number,
    tag: number,
    need: number,
    age: number,
  ): number;
  /** Applies a record by stamp: an APPLIED code. `expiryAndNode` as in a record. */
  hostApply(
    database: number,
    key: number,
    keyLength: number,
    value: number,
    valueLength: number,
    stamp: bigint,
    expiryAndNode: bigint,
    flags: number,
  ): number;
  /** A stamp larger than every one minted or seen. */
  hostMint(): bigint;
  observeStamp(stamp: bigint): void;
  /** Raises the floor of a database and removes at once what is at or below it. */
  setFloor(database: number, stamp: bigint, node: number): void;
  isTooFarAhead(stamp: bigint): number;
  /** The floor of a database, 0 and 0 for none. */
  floorOf(database: number): bigint;
  floorNodeOf(database: number): number;
  lastStampSeen(): bigint;
  /** Longest frame that a peer may send; a longer one breaks its link. */
  ringSetMaxFrame(bytes: number): void;
  /** Address of a link's words (LINK), the same for good. */
  linkAddress(link: number): number;
  /**
   * Writes records with at least the stamp `minStamp` as WRITE frames to `out`, from `cursor` (0 first) on; `link`: only those that
   * this peer in the own datacenter is a replica of, ANY_LINK: all. Frames with AUX_LEFT_OUT have no value: objects, and what takes
   * more than all of `room`; the host puts its own in the place. Returns the next cursor, 0 at the end.
   */
  copyWalk(
    database: number,
    cursor: number,
    minStamp: bigint,
    link: number,
    out: number,
    room: number,
  ): number;
  /** Bytes that the last copyWalk() wrote. */
  copiedBytes(): number;
  /** Not 0: the last copyWalk() wrote nothing and must be called with so much room. */
  copyNeeds(): number;
  /**
   * Sum of a 64-bit hash of each live entry of a database, of its stamp and node too unless `stamps` is 0. Of an object it has
   * only key and expiry, and the stamp.
   */
  digest(database: number, stamps: number): bigint;

  /** The next event for the host: address of an EVENT, 0 when there is none. Valid until the next call. */
  nextEvent(): number;
  /** Answers a slot that was handed to the host by an event: `bytes` are the reply. */
  slotFulfil(slot: number, bytes: number, length: number): void;
  /** Fails every slot that is too old, and hands reads over whose one replica keeps them waiting; how many of both. */
  expireSlots(): number;

  /** Whether replies of a connection must go through its stream now. */
  connectionGated(connection: number): number;
  /** Appends reply bytes to a connection's stream. False: no memory. */
  streamAppend(connection: number, bytes: number, length: number): number;
  /** The next connection that has replies to send, 0 when there is none. Call after the turn's outboxes were flushed. */
  nextReady(): number;
  /** Moves up to `room` bytes of released replies to `out`; how many. */
  streamTake(connection: number, out: number, room: number): number;
  /** Bytes that wait in a connection's stream. */
  streamBytes(connection: number): number;
  /** The turn's outboxes are flushed: what waited only for that is released. */
  turnFlushed(): void;
  /** Sets the read and write level of a connection, as LEVEL numbers; a connection has those of connectionOpen(): none (255: not a client of the ring). */
  connectionLevels(connection: number, read: number, write: number): void;
  ringFigure(index: number): number;
  /** A cell of the histograms of how long requests waited: at (level · 2 + (1 for writes)) · 20, 19 counts (base/histogram.ts) and the sum in µs. */
  ringLatency(index: number): number;
}

/** In ringSetForgotten(): not known yet. */
export const NOT_TOLD = 0xffff_ffff_ffff_ffffn;

/** Flags of this node. */
export const SELF_FLAG = { coordinating: 1, fenced: 2 } as const;

/**
 * State of a link. overflow: there was no memory for one more request, so that it must close; full: so much waits that it takes
 * only what a quorum cannot do without; behind: what is sent would arrive too late, so that it takes no requests.
 */
export const LINK_FLAG = { up: 1, fenced: 2, overflow: 4, full: 8, behind: 16 } as const;

/** Words of a link, from its address on. */
export const LINK = {
  flags: 0,
  outbox: 1,
  outLength: 2,
  pending: 3,
  /** The newest stamp that the member minted itself and that came over this link (two words). */
  newest: 8,
  /** Bytes of frames that came, and that were flushed (two words each). */
  bytesIn: 12,
  bytesOut: 14,
  /** The oldest stamp of what was not sent because the link took no requests; 0: nothing (two words; the host clears them). */
  missed: 16,
} as const;

/** Why peerFeed() or peerResume() returned. */
export const PEER_STATUS = {
  /** All whole frames are done; CONTEXT.consumed and CONTEXT.wanted as with feed(). */
  done: 0,
  /** A frame for the host lies at CONTEXT.large, CONTEXT.largeLength long. */
  host: 1,
  /** The outbox of link CONTEXT.argc must be sealed, sent and flushed before going on. */
  outboxFull: 2,
  /** What came is no frame, or answers nothing: the link must close. */
  broken: 3,
  /** Only with NO_LINK: no memory for the record at CONTEXT.consumed. */
  noMemory: 4,
} as const;

/** Kinds of peerAnswer(). */
export const ANSWER = {
  acknowledge: 0,
  frame: 1,
  fail: 2,
  /** The host has sent the answer itself, right behind the flushed outbox. */
  sent: 3,
} as const;

/** Codes of hostApply(). */
export const APPLIED = {
  applied: 0,
  equal: 1,
  stale: 2,
  noMemory: 3,
  tooFarAhead: 4,
  object: 5,
} as const;

/** Words of an event. */
export const EVENT = {
  kind: 0,
  slot: 1,
  tag: 2,
  got: 3,
  need: 4,
  connection: 5,
  bytes: 6,
  length: 7,
  stale: 8,
} as const;

/** Kinds of events: a slot of the host is decided or has failed; a client's request must be run again by the host. */
export const EVENT_KIND = { decided: 1, failed: 2, retry: 3 } as const;

/** Stands for no slot in linkRequest(). */
export const NO_SLOT = 0xffffffff;
/** Stands for no link in peerFeed(): WRITE frames of a copy are applied, and nobody is answered. */
export const NO_LINK = 0xffffffff;
/** Stands for any peer in copyWalk(). */
export const ANY_LINK = 0xffff;
/** In the u16 at 6 of a frame that copyWalk() has written: its value is left out. */
export const AUX_LEFT_OUT = 1;

/** Numbers of ringFigure() (assembly/kernel/ring/figures.ts). */
export const RING_FIGURE = {
  /** Frames that came and that were written, by type: at this number, plus the type less 0x10. */
  framesIn: 0,
  framesOut: 16,
  bytesIn: 32,
  bytesOut: 33,
  acksSent: 34,
  acksReceived: 35,
  appliedRecords: 36,
  equalRecords: 37,
  staleRecords: 38,
  refusedAhead: 39,
  refusedMemory: 40,
  refusedForeign: 41,
  refusedFenced: 42,
  repairsSent: 43,
  spreadRecords: 44,
  linkOverflows: 45,
  brokenFrames: 46,
  hostFrames: 47,
  lostRequests: 48,
  slotsOpened: 49,
  slotsFailed: 50,
  slotsExpired: 51,
  quorumsRefused: 52,
  slotsRefused: 53,
  repliesChanged: 54,
  writesRestamped: 55,
  requestsRetried: 56,
  commandsCoordinated: 57,
  commandsLeft: 58,
  unsentRecords: 59,
  refusedBehind: 60,
  /** What is there now: requests that wait, room for them, bytes of their replies, and pages for those. */
  pendingSlots: 64,
  slotRoom: 65,
  replyBytes: 66,
  replyPages: 67,
} as const;

export type RingFigure = keyof typeof RING_FIGURE;
