/**
 * A version 1 connection that a peer has dialled, as a machine without a socket: it only brings requests and gossip, and gets
 * answers. Each request is answered once, in the order in which the requests came, or the connection ends: a C node takes an answer
 * out of order for a failure of all before it.
 */
import { joined } from "../../codec/concat.ts";
import {
  DNODE_ENCRYPTED,
  DNODE_TYPE,
  type DnodeFrameRead,
  type DnodeOptions,
} from "../../codec/dnode.ts";
import type { DnodeCounters } from "./counters.ts";
import { DECRYPT_FAILED, type DnodeCodec, FrameReader, NO_DATA } from "./frame-reader.ts";
import type { DnodeLimits } from "./limits.ts";
import type { PayloadCipher, UnwrapKey } from "./payload-cipher.ts";

/** A request of the peer. */
export interface DnodeRequest {
  /** What its answer is given with: the number of requests before it on this connection. */
  readonly ticket: number;
  /** REQ_FORWARD: the other racks of this datacenter are to get it from this node. */
  readonly isForwarded: boolean;
  /** The client's command, decrypted. */
  readonly payload: Uint8Array;
}

export type InboundEvent =
  | { readonly kind: "request"; readonly request: DnodeRequest }
  | { readonly kind: "gossip"; readonly type: number; readonly payload: Uint8Array }
  /** Nothing more may be read: the connection is to be closed. Requests before it may still be answered. */
  | { readonly kind: "end"; readonly code: string };

/** What answering has brought. */
export interface AnswerStep {
  /** Frames that may leave now; may be empty. */
  readonly send: Uint8Array;
  /** No further answer can leave: the connection is to be closed behind these. */
  readonly isOver: boolean;
}

export interface DnodeInboundOptions {
  readonly codec: DnodeCodec;
  readonly payload: DnodeOptions["payload"];
  readonly limits: DnodeLimits;
  readonly counters: DnodeCounters;
  /** Left out: this node has no key, and closes connections that are encrypted. */
  readonly unwrapKey?: UnwrapKey | undefined;
  /** Closes connections whose payloads are in the clear, as those that cannot be decrypted. */
  readonly mustEncrypt?: boolean | undefined;
}

/** A request that has no answer yet, or one that may not leave before it. */
interface Waiting {
  readonly id: bigint;
  readonly sameDc: boolean;
  answer: Uint8Array | "none" | undefined;
}

const NOTHING = new Uint8Array(0);

export class DnodeInbound {
  readonly #options: DnodeInboundOptions;
  readonly #reader: FrameReader;
  #cipher: PayloadCipher | undefined;
  readonly #waiting: Waiting[] = [];
  /** Ticket of the first of them. */
  #firstTicket = 0;
  #isOver = false;

  constructor(options: DnodeInboundOptions) {
    const { codec, payload, limits, counters } = options;
    this.#options = options;
    this.#reader = new FrameReader(codec, { payload, ...limits }, counters);
  }

  /** How many requests have no answer that has left. */
  get outstanding(): number {
    return this.#waiting.length;
  }

  /** Takes what the peer sent. Nothing may come after "end". */
  received(bytes: Uint8Array): InboundEvent[] {
    const events: InboundEvent[] = [];
    const code = this.#reader.push(bytes, (frame) => this.#take(frame, events));
    if (code !== undefined) events.push({ kind: "end", code });
    return events;
  }

  /** Answers a request; "none": it has no answer, so the connection ends where it would be. */
  answer(ticket: number, answer: Uint8Array | "none"): AnswerStep {
    const waiting = this.#waiting[ticket - this.#firstTicket];
    if (waiting !== undefined) waiting.answer ??= answer;
    const frames: Uint8Array[] = [];
    for (let head = this.#waiting[0]; head?.answer !== undefined; head = this.#waiting[0]) {
      if (head.answer === "none") this.#isOver = true;
      if (this.#isOver) break;
      frames.push(this.#frame(head, head.answer as Uint8Array));
      this.#waiting.shift();
      this.#firstTicket++;
    }
    this.#options.counters.answersOut += frames.length;
    const send = frames.length === 0 ? NOTHING : joined(frames);
    return { send, isOver: this.#isOver };
  }

  /** Returns why nothing more can be read. */
  #take(frame: DnodeFrameRead, events: InboundEvent[]): string | undefined {
    const { counters } = this.#options;
    const { type } = frame;
    const isRequest = type === DNODE_TYPE.request || type === DNODE_TYPE.requestForward;
    const isGossip = type >= DNODE_TYPE.gossipSyn && type <= DNODE_TYPE.gossipShutdown;
    if (!isRequest && !isGossip) {
      counters.ignoredFrames++;
      return undefined;
    }
    if (frame.flags === DNODE_ENCRYPTED && frame.data.length > 1) {
      this.#cipher = this.#options.unwrapKey?.(frame.data.slice());
    }
    const isRefused = this.#options.mustEncrypt === true && frame.flags !== DNODE_ENCRYPTED;
    const payload = isRefused ? undefined : this.#reader.open(frame, this.#cipher);
    if (payload === undefined) return DECRYPT_FAILED;
    if (isGossip) {
      counters.gossipIn++;
      events.push({ kind: "gossip", type, payload });
      return undefined;
    }
    if (this.#waiting.length >= this.#options.limits.maxOutstanding) return "TOO_MANY_REQUESTS";
    counters.requestsIn++;
    const ticket = this.#firstTicket + this.#waiting.length;
    this.#waiting.push({ id: frame.id, sameDc: frame.sameDc, answer: undefined });
    const isForwarded = type === DNODE_TYPE.requestForward;
    events.push({ kind: "request", request: { ticket, isForwarded, payload } });
    return undefined;
  }

  #frame({ id, sameDc }: Waiting, answer: Uint8Array): Uint8Array {
    const cipher = this.#cipher;
    return this.#options.codec.writeDnode({
      id,
      type: DNODE_TYPE.response,
      flags: cipher === undefined ? 0 : DNODE_ENCRYPTED,
      sameDc,
      data: NO_DATA,
      payload: cipher === undefined ? answer : cipher.seal(answer),
    });
  }
}
