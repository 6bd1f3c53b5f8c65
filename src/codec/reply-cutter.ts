/** The stream of replies of a server, cut where those of one client end, as it came. */
import { concat } from "./concat.ts";
import type { CodecInstance } from "./instance.ts";

/** Who the replies of a connection are for. */
export interface ReplyTaker {
  /**
   * How many replies the next one waits for; 0: nobody waits for any; below 0: that many marks, where the protocol has such.
   */
  expected(): number;
  /**
   * Bytes for who is next, with the last bytes of `replies` replies among them, or behind them so many marks. They are there until
   * this returns, and the codec must not be used in it.
   */
  take(bytes: Uint8Array, replies: number): void;
}

/** The function of the module that reads replies of one protocol. */
export interface ReplyRun {
  /** Where it keeps the state of the reply in progress, which begins with the bytes that a block lacks, and its length. */
  readonly state: number;
  readonly stateBytes: number;
  /** Where it leaves its result: status, bytes of whole replies, replies, bytes read, bytes to hand out. */
  readonly result: number;
  readonly run: (input: number, length: number, most: number) => number;
}

const INCOMPLETE = 1;
/** Bytes behind the input that may be read too. */
const SLACK_BYTES = 32;

/** Cuts the stream of replies of one connection, in whatever chunks it comes, into the parts of those that wait for them. */
export class ReplyCutter {
  readonly #instance: CodecInstance;
  readonly #face: ReplyRun;
  /** The state of the reply in progress; all zero between two. */
  readonly #kept: Uint8Array;
  readonly #need: DataView;
  /** A line that is cut, to be read again with what follows it. */
  #line: Uint8Array | undefined;
  /** A reply has been given in part. */
  isMidReply = false;

  constructor(instance: CodecInstance, face: ReplyRun) {
    this.#instance = instance;
    this.#face = face;
    this.#kept = new Uint8Array(face.stateBytes);
    this.#need = new DataView(this.#kept.buffer);
  }

  /** Hands out a chunk. Returns "error" for bytes that are no reply, "unexpected" for a reply that nobody waits for. */
  feed(chunk: Uint8Array, taker: ReplyTaker): "ok" | "error" | "unexpected" {
    if (this.isMidReply && this.#line === undefined) {
      // All of it belongs to a long string: no need to look at it.
      const need = this.#need.getUint32(0, true);
      if (need >= chunk.length + 2) {
        this.#need.setUint32(0, need - chunk.length, true);
        taker.take(chunk, 0);
        return "ok";
      }
    }
    const bytes = this.#line === undefined ? chunk : concat([this.#line, chunk]);
    this.#line = undefined;
    const instance = this.#instance;
    const input = instance.place(bytes, SLACK_BYTES);
    const { state, stateBytes, result, run } = this.#face;
    if (this.isMidReply) instance.bytes.set(this.#kept, state);
    else instance.bytes.fill(0, state, state + stateBytes);
    const { length } = bytes;
    let at = 0;
    while (at < length) {
      const most = taker.expected();
      if (most === 0) return "unexpected";
      const status = run(input + at, length - at, most);
      const { data } = instance;
      const replies = data.getUint32(result + 8, true);
      const read = data.getUint32(result + 12, true);
      const given = data.getUint32(result + 16, true);
      if (status > INCOMPLETE) {
        const whole = data.getUint32(result + 4, true);
        if (replies > 0) taker.take(bytes.subarray(at, at + whole), replies);
        return "error";
      }
      if (read > 0) {
        taker.take(given === length ? bytes : bytes.subarray(at, at + given), replies);
      }
      at += read;
      if (status === INCOMPLETE) {
        this.#kept.set(instance.bytes.subarray(state, state + stateBytes));
        const whole = data.getUint32(result + 4, true);
        this.isMidReply = read > whole || (replies === 0 && this.isMidReply);
        if (at < length) this.#line = bytes.slice(at);
        return "ok";
      }
      this.isMidReply = false;
    }
    return "ok";
  }
}
