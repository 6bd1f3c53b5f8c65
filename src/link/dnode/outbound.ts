/**
 * A version 1 connection that this node has dialled, as a machine without a socket: it sends requests and gossip, and only gets
 * answers, in the order of the requests. A C node may leave a request without an answer and answer the next; so an answer fails
 * those that it overtakes.
 */
import {
  DNODE_ENCRYPTED,
  DNODE_TYPE,
  type DnodeFrameRead,
  type DnodeOptions,
} from "../../codec/dnode.ts";
import type { DnodeCounters } from "./counters.ts";
import {
  DECRYPT_FAILED,
  type DnodeCodec,
  FrameReader,
  GOSSIP_DATA,
  NO_DATA,
} from "./frame-reader.ts";
import type { DnodeLimits } from "./limits.ts";
import type { DialledKey } from "./payload-cipher.ts";

export type OutboundEvent =
  | { readonly kind: "answer"; readonly id: bigint; readonly payload: Uint8Array }
  /** A later request was answered: none will come for this one. */
  | { readonly kind: "unanswered"; readonly id: bigint }
  /** A frame such as links of version 2 open with. */
  | { readonly kind: "opening" }
  /** Nothing more may be read: the connection is to be closed, and what is outstanding has failed. */
  | { readonly kind: "end"; readonly code: string };

export interface DnodeOutboundOptions {
  readonly codec: DnodeCodec;
  readonly payload: DnodeOptions["payload"];
  readonly limits: DnodeLimits;
  readonly counters: DnodeCounters;
  /** Whether the peer is in this node's datacenter. */
  readonly sameDc: boolean;
  /** Ids of requests, each higher than the one before: one source for the node, as in the C engine. */
  nextId(): bigint;
  /** Left out: the connection is in the clear. */
  readonly key?: DialledKey | undefined;
}

interface Outstanding {
  readonly id: bigint;
  /** Runtime.monotonic() by which its answer must have come, in ms. */
  readonly deadlineMs: number;
}

/** First bytes of the replies that there are between nodes: RESP 2. */
const RESP2_TYPES = new TextEncoder().encode("+-:$*");

export class DnodeOutbound {
  readonly #options: DnodeOutboundOptions;
  readonly #reader: FrameReader;
  readonly #outstanding: Outstanding[] = [];
  #keySent = false;

  constructor(options: DnodeOutboundOptions) {
    const { codec, payload, limits, counters } = options;
    this.#options = options;
    this.#reader = new FrameReader(codec, { payload, ...limits }, counters);
  }

  /** Ids of the requests without an answer, the oldest first. */
  get outstanding(): readonly bigint[] {
    return this.#outstanding.map(({ id }) => id);
  }

  /** Whether no further request may be sent before an answer has come. */
  get isFull(): boolean {
    return this.#outstanding.length >= this.#options.limits.maxOutstanding;
  }

  /** A request as its frame, from now on outstanding; not to be called while `isFull`. */
  request(
    payload: Uint8Array,
    deadlineMs: number,
    isForwarded: boolean,
  ): { readonly id: bigint; readonly send: Uint8Array } {
    const { nextId, counters } = this.#options;
    const id = nextId();
    const type = isForwarded ? DNODE_TYPE.requestForward : DNODE_TYPE.request;
    this.#outstanding.push({ id, deadlineMs });
    counters.requestsOut++;
    return { id, send: this.#frame(id, type, payload) };
  }

  /**
   * Gossip text as its frame, in the clear also on an encrypted connection: a C node cannot read it otherwise, and what it cannot
   * read of gossip may kill it. `id` comes from a counter of its own.
   */
  gossip(text: Uint8Array, id: bigint): Uint8Array {
    const { codec, sameDc } = this.#options;
    return codec.writeDnode({
      id,
      type: DNODE_TYPE.gossipSyn,
      flags: 0,
      sameDc,
      data: GOSSIP_DATA,
      payload: text,
    });
  }

  /** Takes what the peer sent. Nothing may come after "end". */
  received(bytes: Uint8Array): OutboundEvent[] {
    const events: OutboundEvent[] = [];
    const code = this.#reader.push(bytes, (frame) => this.#take(frame, events));
    if (code !== undefined) events.push({ kind: "end", code });
    return events;
  }

  /** Whether an answer has not come in time: the connection is to be closed, since a later answer could not be told from it. */
  isLate(nowMs: number): boolean {
    return this.#outstanding.some(({ deadlineMs }) => deadlineMs <= nowMs);
  }

  /** Returns why nothing more can be read. */
  #take(frame: DnodeFrameRead, events: OutboundEvent[]): string | undefined {
    const { counters, key } = this.#options;
    const { id, type } = frame;
    if (type !== DNODE_TYPE.response) {
      counters.ignoredFrames++;
      if (type === DNODE_TYPE.cryptoHandshake) events.push({ kind: "opening" });
      return undefined;
    }
    const at = this.#outstanding.findIndex((one) => one.id === id);
    if (at === -1) {
      const head = this.#outstanding[0];
      // To a C node, too, a second answer is no news. One from the future would kill it; here it ends the connection.
      if (head !== undefined && id > head.id) return "UNKNOWN_ID";
      counters.ignoredFrames++;
      return undefined;
    }
    const payload = this.#reader.open(frame, key?.cipher);
    if (payload === undefined) return DECRYPT_FAILED;
    if (this.#options.payload === "redis" && !RESP2_TYPES.includes(payload[0] ?? 0)) {
      return "DNODE_BAD_PAYLOAD";
    }
    for (let i = 0; i < at; i++) {
      counters.unanswered++;
      events.push({ kind: "unanswered", id: this.#outstanding.shift()!.id });
    }
    this.#outstanding.shift();
    counters.answersIn++;
    events.push({ kind: "answer", id, payload });
    return undefined;
  }

  #frame(id: bigint, type: number, payload: Uint8Array): Uint8Array {
    const { codec, sameDc, key } = this.#options;
    if (key === undefined) {
      return codec.writeDnode({ id, type, flags: 0, sameDc, data: NO_DATA, payload });
    }
    const data = this.#keySent ? NO_DATA : key.wrapped;
    this.#keySent = true;
    const sealed = key.cipher.seal(payload);
    return codec.writeDnode({ id, type, flags: DNODE_ENCRYPTED, sameDc, data, payload: sealed });
  }
}
