/** RESP passed on as it came: where whole commands and replies end (typed face of assembly/codec/resp-relay.ts). */
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { ReplyCutter } from "./reply-cutter.ts";

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
    const { relayState, relayStateBytes, replyRun } = this.#instance.exports;
    return new ReplyCutter(this.#instance, {
      state: relayState() >>> 0,
      stateBytes: relayStateBytes(),
      result: this.#result,
      run: replyRun,
    });
  }
}
