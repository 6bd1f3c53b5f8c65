/** RESP passed on as it came: where whole commands and replies end (typed face of assembly/codec/resp-relay.ts). */
import { concat } from "./concat.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";

/** What `RespRelay.commands()` found; the relay's own object, to be read before the next call. */
export interface CommandRun {
  /**
   * "end": the bytes end behind the run. "stop": behind the run is a whole command that was to be stopped at.
   * "incomplete": a command goes on behind the bytes. "error": what is behind the run is no command.
   */
  status: "end" | "stop" | "incomplete" | "error";
  /** Offset behind the run. */
  end: number;
  /** Commands of the run that a server answers. */
  commands: number;
  /** With "stop": the number of the name, INLINE_COMMAND, or 0 for another; and the offset behind that command. */
  name: number;
  stopEnd: number;
  /** With "incomplete": bytes that are missing at least; where the command is to be read on; how many arguments it lacks. */
  wanted: number;
  resumeAt: number;
  left: number;
}

/** Stands for the name of a command that came inline: not as an array. */
export const INLINE_COMMAND = 0xff;

/** What may go on in a command that is long: where it is to be read on, and how many arguments it lacks. */
export interface CommandRest {
  readonly status: "end" | "incomplete" | "error";
  /** Offset behind the command, or where it is to be read on. */
  readonly end: number;
  readonly wanted: number;
  readonly left: number;
}

export interface RespRelayFace {
  /** What passes commands and replies on; one per codec, for one table of names. */
  readonly relay: RespRelay;
}

export interface RespRelayExports extends CodecMemoryExports {
  relayName(name: number, length: number, number: number): void;
  relayNumber(input: number): number;
  relayResult(): number;
  relayState(): number;
  relayStateBytes(): number;
  commandRun(input: number, length: number, each: boolean, unauthenticated: boolean): number;
  commandRest(input: number, length: number, left: number): number;
  replyRun(input: number, length: number, most: number): number;
}

const COMPLETE = 0;
const INCOMPLETE = 1;
const NAMED = 32;
/** Bytes that a name is read with, whatever its length. */
const SLACK_BYTES = 32;
/** Bytes of a command in which its name is, if it is one of the table. */
const HEAD_BYTES = 128;

const TEXT = new TextEncoder();

export function respRelayFace(instance: CodecInstance<RespRelayExports>): RespRelayFace {
  return { relay: new RespRelay(instance) };
}

export class RespRelay {
  readonly #instance: CodecInstance<RespRelayExports>;
  readonly #result: number;
  readonly #run: CommandRun = {
    status: "end",
    end: 0,
    commands: 0,
    name: 0,
    stopEnd: 0,
    wanted: 0,
    resumeAt: 0,
    left: 0,
  };

  constructor(instance: CodecInstance<RespRelayExports>) {
    this.#instance = instance;
    this.#result = instance.exports.relayResult() >>> 0;
  }

  /** Notes a name of at most 16 bytes, lower case, that commands() stops at, under a number from 1 to 254. */
  stopAt(name: string, number: number): void {
    const bytes = TEXT.encode(name);
    if (bytes.length === 0 || bytes.length > 16) throw new RangeError(`${name} is no name`);
    const at = this.#instance.place(bytes, SLACK_BYTES);
    this.#instance.exports.relayName(at, bytes.length, number);
  }

  /**
   * The run of commands from `offset` on, up to `limit`, in front of the first one that has a noted name or came inline; with `each`
   * in front of the first one. By the rules of parseRequests(), those for `unauthenticated` clients included.
   */
  commands(
    bytes: Uint8Array,
    offset: number,
    limit: number,
    each: boolean,
    unauthenticated: boolean,
  ): CommandRun {
    const instance = this.#instance;
    const part = offset === 0 && limit === bytes.length ? bytes : bytes.subarray(offset, limit);
    const input = instance.place(part, SLACK_BYTES);
    const status = instance.exports.commandRun(input, part.length, each, unauthenticated);
    const { data } = instance;
    const at = this.#result;
    const run = this.#run;
    run.end = offset + data.getUint32(at + 4, true);
    run.commands = data.getUint32(at + 8, true);
    switch (status) {
      case COMPLETE:
        run.status = "end";
        break;
      case INCOMPLETE:
        run.status = "incomplete";
        run.wanted = data.getUint32(at + 12, true);
        run.resumeAt = offset + data.getUint32(at + 24, true);
        run.left = data.getUint32(at + 28, true);
        break;
      case NAMED:
        run.status = "stop";
        run.name = data.getUint32(at + 16, true);
        run.stopEnd = offset + data.getUint32(at + 20, true);
        break;
      default:
        run.status = "error";
    }
    return run;
  }

  /** Reads on in a command that lacks `left` arguments, the next of which begins the bytes. */
  rest(bytes: Uint8Array, left: number): CommandRest {
    const instance = this.#instance;
    const input = instance.place(bytes, SLACK_BYTES);
    const status = instance.exports.commandRest(input, bytes.length, left);
    const { data } = instance;
    const at = this.#result;
    return {
      status: status === COMPLETE ? "end" : status === INCOMPLETE ? "incomplete" : "error",
      end: data.getUint32(at + 4, true),
      wanted: data.getUint32(at + 12, true),
      left: data.getUint32(at + 28, true),
    };
  }

  /** The number of the name of the command that begins with `bytes`, an array of which at least the first argument is well formed. */
  nameOf(bytes: Uint8Array): number {
    const input = this.#instance.place(bytes.subarray(0, HEAD_BYTES), HEAD_BYTES);
    return this.#instance.exports.relayNumber(input);
  }

  /** What cuts the replies of one connection. */
  replyCutter(): ReplyCutter {
    return new ReplyCutter(this.#instance, this.#result);
  }
}

/** Who the replies of a connection are for. */
export interface ReplyTaker {
  /** How many replies the next one waits for; 0: nobody waits for any. */
  expected(): number;
  /**
   * Bytes for who is next, with the last bytes of `replies` replies among them. They are there until this returns, and the codec
   * must not be used in it.
   */
  take(bytes: Uint8Array, replies: number): void;
}

/** Cuts the stream of replies of one connection, in whatever chunks it comes, into the parts of those that wait for them. */
export class ReplyCutter {
  readonly #instance: CodecInstance<RespRelayExports>;
  readonly #result: number;
  readonly #state: number;
  /** The state of the reply in progress; all zero between two. */
  readonly #kept: Uint8Array;
  readonly #need: DataView;
  /** A line that is cut, to be read again with what follows it. */
  #line: Uint8Array | undefined;
  /** A reply has been given in part. */
  isMidReply = false;

  constructor(instance: CodecInstance<RespRelayExports>, result: number) {
    this.#instance = instance;
    this.#result = result;
    this.#state = instance.exports.relayState() >>> 0;
    this.#kept = new Uint8Array(instance.exports.relayStateBytes());
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
    if (this.isMidReply) instance.bytes.set(this.#kept, this.#state);
    else instance.bytes.fill(0, this.#state, this.#state + this.#kept.length);
    const { length } = bytes;
    const { replyRun } = instance.exports;
    let at = 0;
    while (at < length) {
      const most = taker.expected();
      if (most === 0) return "unexpected";
      const status = replyRun(input + at, length - at, most);
      const { data } = instance;
      const replies = data.getUint32(this.#result + 8, true);
      const read = data.getUint32(this.#result + 12, true);
      if (status > INCOMPLETE) {
        const whole = data.getUint32(this.#result + 4, true);
        if (replies > 0) taker.take(bytes.subarray(at, at + whole), replies);
        return "error";
      }
      if (read > 0) {
        taker.take(read === length ? bytes : bytes.subarray(at, at + read), replies);
      }
      at += read;
      if (status === INCOMPLETE) {
        this.#kept.set(instance.bytes.subarray(this.#state, this.#state + this.#kept.length));
        const whole = data.getUint32(this.#result + 4, true);
        this.isMidReply = read > whole || (replies === 0 && this.isMidReply);
        if (at < length) this.#line = bytes.slice(at);
        return "ok";
      }
      this.isMidReply = false;
    }
    return "ok";
  }
}
