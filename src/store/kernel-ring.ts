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
  /** Bounds: age of a slot in ms, how far a stamp may be ahead in ms, slots at most, unanswered requests of a link at most. */
  ringSetLimits(
    requestTimeoutMs: number,
    maxStampAheadMs: number,
    maxPending: number,
    maxLinkPending: number,
  ): void;
  /** Position of a key's replica set in the tables, -1 without a ring. */
  ringRoute(key: number, length: number): number;

  /** Makes a link ready, with an empty outbox and nothing expected; its address, 0: no memory. Not up yet. */
  linkOpen(link: number): number;
  /** Sets LINK_FLAG bits. */
  linkSetFlags(link: number, flags: number): void;
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
  /** Answers the data request that peerFeed() has handed to the host; `kind`: ANSWER; `frame`: address of the answer's bytes for kinds that have some. */
  peerAnswer(link: number, kind: number, frame: number, length: number): void;

  /** Opens a slot of the host's own: `tag` comes back with its decision; `need` more acknowledgements decide it. Its number. */
  slotOpen(tag: number, need: number): number;
  /** Appends a data request of the host to a link's outbox; `slot`: who waits for its answer, NO_SLOT: nobody. False: no room. */
  linkRequest(link: number, frame: number, length: number, slot: number): number;
  /** All requests of a slot of the host are out: it fails when they cannot decide it. */
  slotSeal(slot: number): void;
  /** Sends the record (or tombstone) of a key to its other replicas, as after a write; `need` acknowledgements decide. False: it must go by the host (an object, too long, not there). */
  replicate(database: number, key: number, length: number, tag: number, need: number): number;
  /** Asks the other replicas for something newer than the record of a key, which is merged as it comes. */
  readAround(database: number, key: number, length: number, tag: number, need: number): number;
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
  setFloor(database: number, stamp: bigint, node: number): void;
  lastStampSeen(): bigint;

  /** The next event for the host: address of an EVENT, 0 when there is none. Valid until the next call. */
  nextEvent(): number;
  /** Answers a slot that was handed to the host by an event: `bytes` are the reply. */
  slotFulfil(slot: number, bytes: number, length: number): void;
  /** Fails and reports every slot that is too old; how many. */
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
}

/** Flags of this node. */
export const SELF_FLAG = { coordinating: 1, fenced: 2 } as const;

/** State of a link. */
export const LINK_FLAG = { up: 1, fenced: 2, overflow: 4 } as const;

/** Words of a link, from its address on. */
export const LINK = { flags: 0, outbox: 1, outLength: 2, pending: 3 } as const;

/** Why peerFeed() or peerResume() returned. */
export const PEER_STATUS = {
  /** All whole frames are done; CONTEXT.consumed and CONTEXT.wanted as with feed(). */
  done: 0,
  /** A frame for the host lies at CONTEXT.large, CONTEXT.largeLength long. */
  host: 1,
  /** The outbox of link CONTEXT.argc must be sealed, sent and flushed before going on. */
  outboxFull: 2,
  /** What came is no frame: the link must close. */
  broken: 3,
} as const;

/** Kinds of peerAnswer(). */
export const ANSWER = { acknowledge: 0, frame: 1, fail: 2 } as const;

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
