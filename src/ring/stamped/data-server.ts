// Answers the data requests of other nodes from the server behind this one.

import { RingletError } from "../../base/errors.ts";
import {
  decodeBatch,
  decodeRead,
  decodeWrite,
  FRAME,
  FRAME_FLAG,
  frameHead,
} from "../../link/frame.ts";
import { effectFrame } from "../../store/effect.ts";
import { NOT_TOLD } from "../../store/kernel-ring.ts";
import { compareStamps, stampFrom, timeOf } from "../../store/stamp.ts";
import { isServerFailure, type StampedStore } from "../../store/stamped/stamped-store.ts";
import { REQUEST_KIND } from "../port.ts";
import {
  type DataAnswer,
  type DataRequests,
  type DataRing,
  decodeFrames,
  encodeAnswers,
} from "./data-requests.ts";

export interface DataServerParts {
  readonly ring: DataRing & { noteRefusedStamp(stamp: bigint): void };
  readonly store: StampedStore;
  readonly requests: DataRequests;
}

const FAILED: DataAnswer = { says: "failed" };

export class DataServer {
  readonly #parts: DataServerParts;

  constructor(parts: DataServerParts) {
    this.#parts = parts;
    parts.ring.onRequest(REQUEST_KIND.data, ({ body, deadline }) => this.#serve(body, deadline));
  }

  async #serve(body: Uint8Array, deadline: number): Promise<Uint8Array> {
    const frames = decodeFrames(body);
    return encodeAnswers(await Promise.all(frames.map((frame) => this.#handle(frame, deadline))));
  }

  async #handle(frame: Uint8Array, deadline: number): Promise<DataAnswer> {
    const { type, database } = frameHead(frame);
    if (database !== 0) return FAILED;
    try {
      switch (type) {
        case FRAME.write:
          this.#passOn(frame, decodeWrite(frame).key, deadline);
          return await this.#apply(frame);
        case FRAME.batch: {
          const { writes } = decodeBatch(frame);
          const [first] = writes;
          if (first !== undefined) this.#passOn(frame, decodeWrite(first).key, deadline);
          return worst(await Promise.all(writes.map((write) => this.#apply(write))));
        }
        case FRAME.read:
          return await this.#read(frame);
        default:
          return FAILED;
      }
    } catch (error) {
      if (!(error instanceof RingletError)) throw error;
      if (isServerFailure(error)) this.#parts.store.counters.failures++;
      return FAILED;
    }
  }

  /** What the server has not taken, this node lacks, and copies from the others when it can. */
  async #apply(frame: Uint8Array): Promise<DataAnswer> {
    const { ring, store } = this.#parts;
    const write = decodeWrite(frame);
    try {
      const { outcome, held } = await store.apply(write);
      if (outcome === "stale") return { says: "stale", stamp: timeOf(held) };
      if (outcome !== "refused") return this.#held(write.stamp);
      ring.noteRefusedStamp(write.stamp);
      return FAILED;
    } catch (error) {
      ring.noteRefusedStamp(write.stamp);
      throw error;
    }
  }

  /** What may be older than a write that this node has acknowledged and lost with its server is not acknowledged. */
  #held(stamp: bigint): DataAnswer {
    const { forgotten } = this.#parts.ring;
    if (forgotten === 0n || stamp > forgotten) return { says: "held" };
    return forgotten === NOT_TOLD ? FAILED : { says: "stale", stamp: forgotten };
  }

  async #read(frame: Uint8Array): Promise<DataAnswer> {
    const { ring, store } = this.#parts;
    if (ring.isFenced) return FAILED;
    const asked = decodeRead(frame);
    const than = stampFrom(asked.stamp, asked.node);
    const { stamp, effect } = await store.read(asked.key, than);
    if (effect !== undefined) return { says: "newer", write: effectFrame(effect) };
    return { says: compareStamps(stamp, than) === 0 ? "held" : "older" };
  }

  /** Sends a frame from another datacenter on to the other replicas of this one. */
  #passOn(frame: Uint8Array, key: Uint8Array, deadline: number): void {
    if ((frameHead(frame).flags & FRAME_FLAG.spread) === 0) return;
    frame[FLAGS_AT]! &= ~FRAME_FLAG.spread;
    const { ring, requests } = this.#parts;
    for (const member of ring.replicasOf(key).local) {
      if (member !== ring.topology.self) void requests.ask(member, frame, deadline);
    }
  }
}

const FLAGS_AT = 5;

/** What a row of writes that count together has come to. */
function worst(answers: readonly DataAnswer[]): DataAnswer {
  const by = (says: DataAnswer["says"]) => answers.find((answer) => answer.says === says);
  return by("failed") ?? by("stale") ?? { says: "held" };
}
