/** The memcached text protocol passed on as it came (typed face of assembly/codec/memcached-relay.ts). */
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { memcachedLineReply } from "./memcached-build.ts";
import { ReplyCutter } from "./reply-cutter.ts";

/** What `MemcachedRelay.requests()` found; the relay's own object, to be read before the next call. */
export interface MemcachedRun {
  /** "end": the bytes end behind the run. "stop": behind it is what cannot be passed on. "incomplete": a request goes on behind the bytes. */
  status: "end" | "stop" | "incomplete";
  /** Offset behind the run. */
  end: number;
  /** Requests of the run that want an answer, if only of an error. */
  answered: number;
  /** Nobody can say how many replies the run gets: send a "version" behind it, and take what comes up to its answer. */
  isMarked: boolean;
  /** Requests of the run that are "version". */
  versions: number;
  /** With "stop": what it is, and the offset behind it, which may lie behind the bytes. */
  stop: MemcachedStop;
  stopEnd: number;
  /** With "incomplete": bytes that are missing at least; 1 for `left` where they are more than one of a data block; 0. */
  wanted: number;
  left: number;
  resumeAt: number;
  /** With "incomplete": the request, where all but its data block has come. */
  block: { readonly answered: number; readonly isMarked: boolean } | undefined;
}

/** What cannot be passed on. */
export type MemcachedStop =
  /** Answer it with this line, and go on; "fatal": and close. */
  | { readonly kind: "reply" | "fatal"; readonly line: string }
  | { readonly kind: "quit" }
  /** gat or gats of more keys than one line to the server may have. */
  | { readonly kind: "long gat" };

export interface MemcachedRelayFace {
  /** What passes requests and replies of memcached on; one per codec. */
  readonly memcachedRelay: MemcachedRelay;
}

export interface MemcachedRelayExports extends CodecMemoryExports {
  memcachedRelayResult(): number;
  memcachedReplyState(): number;
  memcachedRun(input: number, length: number, maxBytes: number): number;
  memcachedReplyRun(input: number, length: number, most: number): number;
}

const COMPLETE = 0;
const INCOMPLETE = 1;
const LONG_LINE = 10;
const QUIT = 33;
const SERVER_LINE = 34;
const MANY_FLAGS = 35;
const STATE_BYTES = 12;

export function memcachedRelayFace(
  instance: CodecInstance<MemcachedRelayExports>,
): MemcachedRelayFace {
  return { memcachedRelay: new MemcachedRelay(instance) };
}

export class MemcachedRelay {
  readonly #instance: CodecInstance<MemcachedRelayExports>;
  readonly #result: number;
  readonly #run: MemcachedRun = {
    ...{ status: "end", end: 0, answered: 0, isMarked: false, versions: 0 },
    ...{ stop: { kind: "quit" }, stopEnd: 0, wanted: 0, left: 0, resumeAt: 0, block: undefined },
  };

  constructor(instance: CodecInstance<MemcachedRelayExports>) {
    this.#instance = instance;
    this.#result = instance.exports.memcachedRelayResult() >>> 0;
  }

  /**
   * The run of whole requests from `offset` up to `limit`, in front of the first one that cannot be passed on: what is no request by
   * the rules of parseMemcachedRequests(), what the server would read otherwise, and quit.
   */
  requests(bytes: Uint8Array, offset: number, limit: number, maxValueBytes: number): MemcachedRun {
    const instance = this.#instance;
    const part = offset === 0 && limit === bytes.length ? bytes : bytes.subarray(offset, limit);
    const input = instance.place(part);
    const status = instance.exports.memcachedRun(input, part.length, maxValueBytes);
    const { data } = instance;
    const word = (index: number) => data.getUint32(this.#result + index * 4, true);
    const run = this.#run;
    run.end = offset + word(1);
    run.answered = word(2);
    run.versions = word(6);
    run.isMarked = word(7) === 1;
    run.block = undefined;
    if (status === COMPLETE) run.status = "end";
    else if (status === INCOMPLETE) {
      run.status = "incomplete";
      run.wanted = word(3);
      if (word(10) === 1) run.block = { answered: word(8), isMarked: word(9) === 1 };
      run.left = run.block !== undefined && run.wanted > 1 ? 1 : 0;
    } else {
      run.status = "stop";
      run.stop = stopOf(word(4));
      run.stopEnd = offset + word(5);
    }
    return run;
  }

  /** What cuts the replies of one connection; marks are answers to "version", which it keeps where they are the last one. */
  replyCutter(): ReplyCutter {
    const { memcachedReplyState, memcachedReplyRun } = this.#instance.exports;
    return new ReplyCutter(this.#instance, {
      state: memcachedReplyState() >>> 0,
      stateBytes: STATE_BYTES,
      result: this.#result,
      run: memcachedReplyRun,
    });
  }
}

const LONG: MemcachedStop = { kind: "fatal", line: "CLIENT_ERROR line too long" };
const FLAGS: MemcachedStop = { kind: "reply", line: "CLIENT_ERROR options flags too long" };

function stopOf(reason: number): MemcachedStop {
  switch (reason) {
    case QUIT:
      return { kind: "quit" };
    case LONG_LINE:
    case SERVER_LINE:
      return LONG;
    case MANY_FLAGS:
      return FLAGS;
    default: {
      const line = memcachedLineReply(reason);
      return line === undefined ? { kind: "long gat" } : { kind: "reply", line };
    }
  }
}
