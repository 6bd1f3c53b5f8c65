// The data frames that the kernel leaves to the host: values that are host objects, several records under one stamp, floors, and
// frames longer than an outbox.

import { RingletError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import {
  decodeBatch,
  decodeFloor,
  decodeRead,
  decodeWrite,
  encodeOlder,
  encodeRead,
  encodeStale,
  FRAME,
  FRAME_FLAG,
  frameHead,
  type ReadFrame,
} from "../link/frame.ts";
import { type Applied, applyFrame, recordFrames, recordStamp } from "../store/apply.ts";
import type { Key } from "../store/database.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { ANSWER, NOT_TOLD } from "../store/kernel-ring.ts";
import type { Outboxes } from "./outboxes.ts";
import type { QuorumOutcome, QuorumWishes, RingPort } from "./port.ts";
import type { QuorumRequests } from "./quorum-requests.ts";
import type { Member } from "./topology.ts";

export interface HostFramesParts {
  readonly ring: RingPort;
  readonly store: EmbeddedStore;
  readonly log: Logger;
  readonly outboxes: Outboxes;
  readonly quorums: QuorumRequests;
  /** This node may lack what it refused for its stamp. */
  refused(stamp: bigint): void;
}

/** What became of a frame that a peer sent. */
type Outcome = Applied | "malformed";

/** Codes of FAIL (assembly/kernel/ring/frames.ts). */
const FAIL_FENCED = 1;
const FAIL_NO_MEMORY = 2;
const FAIL_TOO_FAR_AHEAD = 3;
const FAIL_INTERNAL = 5;
/** The node of the newest write that may have a stamp. */
const ANY_NODE = 0xffff;
/** Longest answer that goes through an outbox. */
const MAX_OUTBOX_FRAME_BYTES = 128 * 1024;

export class HostFrames {
  readonly #parts: HostFramesParts;
  readonly #ring: RingPort;
  readonly #store: EmbeddedStore;
  readonly #outboxes: Outboxes;

  constructor(parts: HostFramesParts) {
    this.#parts = parts;
    this.#ring = parts.ring;
    this.#store = parts.store;
    this.#outboxes = parts.outboxes;
  }

  /** Handles a frame; a request is answered before it returns. */
  handle(link: number, frame: Uint8Array): void {
    switch (frame[4]) {
      case FRAME.write:
      case FRAME.floor:
        this.#write(link, frame);
        return;
      case FRAME.batch:
        this.#batch(link, frame);
        return;
      case FRAME.read:
        this.#read(link, frame);
        return;
      case FRAME.newer:
        this.#newer(link, frame);
        return;
      case FRAME.older:
        this.#repair(link, decodeRead(frame));
        return;
      default:
        this.#fail(link, FAIL_INTERNAL);
    }
  }

  /** Sends the record of a key to its other replicas, as RingPort.replicate(). */
  replicate(
    database: number,
    key: Key,
    need: number,
    { among, deadline }: QuorumWishes = {},
  ): Promise<QuorumOutcome> {
    const bytes = this.#bytesOf(key);
    const set = this.#ring.replicasOf(bytes);
    const receivers = (among ?? this.#others(set.local)).filter((member) =>
      this.#ring.isUp(member),
    );
    const parts = recordFrames(this.#store, database, bytes).map((frame) => {
      if (among === undefined) for (const datacenter of set.remote) this.#spread(datacenter, frame);
      return this.#parts.quorums.send(receivers, frame, need, { deadline, holds: true });
    });
    return Promise.all(parts).then((outcomes) => ofAll(outcomes, need));
  }

  /** Asks the other replicas of a key for what is newer, as RingPort.readAround(). */
  readAround(
    database: number,
    key: Key,
    need: number,
    { among, deadline }: QuorumWishes = {},
  ): Promise<QuorumOutcome> {
    const bytes = this.#bytesOf(key);
    const held = recordStamp(this.#store, database, bytes);
    const { stamp, node, digest } = held ?? { stamp: 0n, node: 0, digest: 0n };
    const frame = encodeRead({ database, flags: 0, key: bytes, stamp, node, digest });
    const asked = among ?? this.#others(this.#ring.replicasOf(bytes).local);
    return this.#parts.quorums.send(
      asked.filter((member) => this.#ring.isUp(member)),
      frame,
      need,
      { deadline },
    );
  }

  #write(link: number, frame: Uint8Array): void {
    const outcome = this.#apply(frame);
    this.#store.releaseObjects();
    if ((frameHead(frame).flags & FRAME_FLAG.spread) !== 0) this.#passOn(frame);
    this.#answerWrite(link, frame, outcome);
  }

  #answerWrite(link: number, frame: Uint8Array, outcome: Outcome): void {
    switch (outcome) {
      case "applied":
      case "merged":
      case "equal":
        this.#held(link, frame);
        return;
      case "stale":
        this.#answer(link, this.#stale(frame));
        return;
      case "refused":
        this.#parts.refused(stampOf(frame));
        this.#fail(link, FAIL_TOO_FAR_AHEAD);
        return;
      case "noMemory":
        this.#fail(link, FAIL_NO_MEMORY);
        return;
      case "malformed":
        this.#fail(link, FAIL_INTERNAL);
    }
  }

  /**
   * Answers a frame that is applied: it is acknowledged, unless it may be older than a write that this node has acknowledged and
   * forgotten. A floor is not compared with what is newer.
   */
  #held(link: number, frame: Uint8Array): void {
    const { forgotten } = this.#ring;
    const isNewer = forgotten === 0n || frame[4] !== FRAME.write || stampOf(frame) > forgotten;
    if (isNewer) this.#acknowledge(link);
    else if (forgotten === NOT_TOLD) this.#fail(link, FAIL_FENCED);
    else this.#answer(link, encodeStale({ stamp: forgotten, node: ANY_NODE }, frame));
  }

  /** Applies the records of a BATCH: none where one cannot be, all but those that are held in a newer version otherwise. */
  #batch(link: number, frame: Uint8Array): void {
    const writes = writesOf(frame);
    if (writes === undefined) {
      this.#fail(link, FAIL_INTERNAL);
      return;
    }
    let refusal: { write: Uint8Array; outcome: Outcome } | undefined;
    for (const write of writes) {
      const outcome = this.#apply(write);
      const isHeld = outcome === "applied" || outcome === "merged" || outcome === "equal";
      if (!isHeld) refusal ??= { write, outcome };
    }
    this.#store.releaseObjects();
    if ((frameHead(frame).flags & FRAME_FLAG.spread) !== 0) this.#passOn(frame);
    if (refusal === undefined) this.#held(link, writes[0] ?? frame);
    else this.#answerWrite(link, refusal.write, refusal.outcome);
  }

  #apply(frame: Uint8Array): Outcome {
    try {
      return applyFrame(this.#store, frame);
    } catch (error) {
      if (!(error instanceof RingletError)) throw error;
      this.#parts.log.error("A record from another node was not applied.", {
        code: error.code,
        reason: error.message,
      });
      return "malformed";
    }
  }

  /** Sends a frame from another datacenter on to the other replicas of this one. */
  #passOn(frame: Uint8Array): void {
    const copy = frame.slice();
    copy[5]! &= ~FRAME_FLAG.spread;
    for (const { index } of this.#others(this.#concerned(copy))) this.#outboxes.post(index, copy);
  }

  /** The members of this datacenter that a frame is for: of a floor all of them. */
  #concerned(frame: Uint8Array): readonly Member[] {
    const { topology } = this.#ring;
    if (frame[4] === FRAME.floor) {
      return topology.members.filter(({ datacenter }) => datacenter === topology.self.datacenter);
    }
    const first = frame[4] === FRAME.batch ? writesOf(frame)?.[0] : frame;
    return first === undefined ? [] : this.#ring.replicasOf(decodeWrite(first).key).local;
  }

  #spread(datacenter: readonly Member[], frame: Uint8Array): void {
    const receiver = datacenter.find((member) => this.#ring.isUp(member));
    if (receiver === undefined) return;
    const copy = frame.slice();
    copy[5]! |= FRAME_FLAG.spread;
    this.#outboxes.post(receiver.index, copy);
  }

  #read(link: number, frame: Uint8Array): void {
    const asked = decodeRead(frame);
    const { database, key } = asked;
    const held = recordStamp(this.#store, database, key);
    if (held === undefined) {
      if (asked.stamp === 0n) this.#acknowledge(link);
      else this.#answer(link, encodeOlder({ ...asked, stamp: 0n, node: 0 }));
      return;
    }
    const isSame = held.stamp === asked.stamp && held.node === asked.node;
    if (isSame && (asked.digest === undefined || held.digest === asked.digest)) {
      this.#acknowledge(link);
      return;
    }
    const isOlder =
      held.stamp < asked.stamp || (held.stamp === asked.stamp && held.node < asked.node);
    // An older object may still have elements that the asker lacks.
    const [first, ...others] =
      isOlder && held.digest === 0n ? [] : recordFrames(this.#store, database, key);
    if (first === undefined) {
      this.#answer(link, encodeOlder({ ...asked, stamp: held.stamp, node: held.node }));
      return;
    }
    for (const part of others) this.#outboxes.repair(link, part);
    first[4] = FRAME.newer;
    this.#answer(link, first);
  }

  /** Merges what a replica holds, and sends it what it lacks of the same. */
  #newer(link: number, frame: Uint8Array): void {
    const write = frame.slice();
    write[4] = FRAME.write;
    const outcome = this.#apply(write);
    this.#store.releaseObjects();
    const { database, key, stamp } = decodeWrite(write);
    if (outcome === "refused") this.#parts.refused(stamp);
    const whole = recordFrames(this.#store, database, key);
    if (whole.length === 1 && isEqual(whole[0]!, write)) return;
    for (const part of whole) this.#outboxes.repair(link, part);
  }

  #repair(link: number, { database, key }: ReadFrame): void {
    for (const part of recordFrames(this.#store, database, key)) this.#outboxes.repair(link, part);
  }

  #stale(frame: Uint8Array): Uint8Array {
    const { database, key } = decodeWrite(frame);
    const held = recordStamp(this.#store, database, key);
    return encodeStale(held ?? { stamp: 0n, node: 0 }, frame);
  }

  #acknowledge(link: number): void {
    this.#store.kernel.peerAnswer(link, ANSWER.acknowledge, 0, 0);
  }

  #fail(link: number, code: number): void {
    this.#store.kernel.peerAnswer(link, ANSWER.fail, code, 0);
  }

  #answer(link: number, frame: Uint8Array): void {
    const { kernel } = this.#store;
    if (frame.length > MAX_OUTBOX_FRAME_BYTES) {
      this.#outboxes.sendAnswer(link, frame);
      kernel.peerAnswer(link, ANSWER.sent, 0, 0);
      return;
    }
    this.#outboxes.flushLink(link);
    const { pointer, length } = this.#store.place(frame);
    kernel.peerAnswer(link, ANSWER.frame, pointer, length);
  }

  #bytesOf({ pointer, length }: Key): Uint8Array {
    return this.#store.memory.bytes.slice(pointer, pointer + length);
  }

  #others(members: readonly Member[]): Member[] {
    return members.filter((member) => member !== this.#ring.topology.self);
  }
}

/** The outcome of operations that only count together. */
function ofAll(outcomes: readonly QuorumOutcome[], need: number): QuorumOutcome {
  return {
    ok: outcomes.every(({ ok }) => ok),
    got: Math.min(need, ...outcomes.map(({ got }) => got)),
    need,
    stale: outcomes.some(({ stale }) => stale),
  };
}

/** The WRITE frames of a BATCH; undefined when it is malformed. */
function writesOf(frame: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    return decodeBatch(frame).writes;
  } catch {
    return undefined;
  }
}

function stampOf(frame: Uint8Array): bigint {
  const isFloor = frameHead(frame).type === FRAME.floor;
  return isFloor ? decodeFloor(frame).stamp : decodeWrite(frame).stamp;
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
