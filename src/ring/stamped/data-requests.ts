/**
 * WRITE, BATCH and READ frames for replicas that have a server behind them, which answer when that has: requests between hosts, one
 * for all that goes to a member in a turn.
 *
 *   request    a list of frames
 *   response   a list of as many answers: u8 what it says   of "stale" the u64 stamp (little-endian) of what it holds, or may
 *              have held; of "newer" the WRITE frame of what it holds
 */

import { RingletError } from "../../base/errors.ts";
import type { Runtime } from "../../base/runtime.ts";
import { FRAME, frameHead, view } from "../../link/frame.ts";
import { FieldReader, FieldWriter } from "../fields.ts";
import { REQUEST_KIND, type RingPort } from "../port.ts";
import type { Member } from "../topology.ts";

/** What a replica answers to a frame. "failed": it has not done it, or nobody knows. */
export type DataAnswer =
  | { readonly says: "held" | "older" | "failed" }
  | { readonly says: "stale"; readonly stamp: bigint }
  | { readonly says: "newer"; readonly write: Uint8Array };

/** What they need of the ring's driver. */
export interface DataRing extends RingPort {
  /** A member lacks what could not be sent to it, and is told so. */
  noteMissed(link: number, frame: Uint8Array): void;
}

interface Waiting {
  readonly frame: Uint8Array;
  readonly deadline: number;
  readonly resolve: (answer: DataAnswer) => void;
}

const SAYS = ["held", "stale", "older", "failed", "newer"] as const;
const FAILED: DataAnswer = { says: "failed" };
/** Bytes of frames that go as one request. */
const MAX_BATCH_BYTES = 256 * 1024;

export class DataRequests {
  readonly #ring: DataRing;
  readonly #runtime: Runtime;
  readonly #waiting = new Map<Member, Waiting[]>();
  readonly #bytes = new Map<Member, number>();
  #isScheduled = false;

  constructor(ring: DataRing, runtime: Runtime) {
    this.#ring = ring;
    this.#runtime = runtime;
  }

  /** Sends a frame to a member. `deadline`: when it has failed, in ms of Runtime.monotonic(). */
  ask(member: Member, frame: Uint8Array, deadline: number): Promise<DataAnswer> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(member) ?? [];
      const bytes = (this.#bytes.get(member) ?? 0) + frame.length;
      waiting.push({ frame, deadline, resolve });
      this.#waiting.set(member, waiting);
      this.#bytes.set(member, bytes);
      if (bytes > MAX_BATCH_BYTES) this.#send(member);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#runtime.endOfTurn(() => {
      this.#isScheduled = false;
      for (const member of [...this.#waiting.keys()]) this.#send(member);
    });
  }

  #send(member: Member): void {
    const waiting = this.#waiting.get(member) ?? [];
    this.#waiting.delete(member);
    this.#bytes.delete(member);
    if (waiting.length === 0) return;
    const body = new FieldWriter().list(waiting.map(({ frame }) => frame)).done();
    const deadline = Math.max(...waiting.map(({ deadline }) => deadline));
    const left = Math.max(0, deadline - this.#runtime.monotonic());
    this.#ring.request(member, REQUEST_KIND.data, body, left).then(
      (response) => {
        const answers = decodeAnswers(response);
        for (const [i, { resolve }] of waiting.entries()) resolve(answers[i] ?? FAILED);
      },
      (error: unknown) => {
        if (!(error instanceof RingletError)) throw error;
        for (const { frame, resolve } of waiting) {
          if (error.code === "LINK_BUSY" && frameHead(frame).type === FRAME.write) {
            this.#ring.noteMissed(member.index, frame);
          }
          resolve(FAILED);
        }
      },
    );
  }
}

/** The frames of a request; views of `body`. Throws RingletError MALFORMED_REQUEST. */
export function decodeFrames(body: Uint8Array): readonly Uint8Array[] {
  const reader = new FieldReader(body);
  const frames = reader.list();
  reader.end();
  return frames;
}

export function encodeAnswers(answers: readonly DataAnswer[]): Uint8Array {
  const parts = answers.map((answer) => {
    const rest = restOf(answer);
    const bytes = new Uint8Array(1 + rest.length);
    bytes[0] = SAYS.indexOf(answer.says);
    bytes.set(rest, 1);
    return bytes;
  });
  return new FieldWriter().list(parts).done();
}

/** Answers that are none count as failed. */
function decodeAnswers(body: Uint8Array): readonly DataAnswer[] {
  let parts: readonly Uint8Array[];
  try {
    parts = decodeFrames(body);
  } catch {
    return [];
  }
  return parts.map((part): DataAnswer => {
    const says = SAYS[part[0] ?? -1];
    if (says === undefined) return FAILED;
    if (says === "newer") return { says, write: part.subarray(1) };
    if (says !== "stale") return { says };
    return part.length === 1 + STAMP_BYTES
      ? { says, stamp: view(part).getBigUint64(1, true) }
      : FAILED;
  });
}

function restOf(answer: DataAnswer): Uint8Array {
  if (answer.says === "newer") return answer.write;
  if (answer.says !== "stale") return NOTHING;
  const bytes = new Uint8Array(STAMP_BYTES);
  view(bytes).setBigUint64(0, answer.stamp, true);
  return bytes;
}

const STAMP_BYTES = 8;

const NOTHING = new Uint8Array(0);
