/** The memcached text protocol (typed face of assembly/codec/memcached-request.ts and memcached-reply.ts). */
import { CodecError } from "./codec-error.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { buildMemcachedReply, buildMemcachedRequest } from "./memcached-build.ts";
import type { MemcachedInvalid, MemcachedReply, MemcachedRequest } from "./memcached-message.ts";
import { writeMemcachedReply, writeMemcachedRequest } from "./memcached-write.ts";
import { FIRST_WINDOW_BYTES, inWindows, WINDOW_BYTES, WINDOW_INCOMPLETE } from "./windows.ts";

/** Longest value that is accepted where nothing else is said, in bytes. */
export const MAX_MEMCACHED_VALUE_BYTES = 64 * 1024 * 1024;

/** Highest limit that can be asked for, in bytes. */
const HIGHEST_LIMIT_BYTES = 0x7ffffffd;

export interface MemcachedLimits {
  /** Longest value in bytes; 64 MiB if left out. */
  readonly maxValueBytes?: number;
}

/** What `parseMemcachedRequests()` found. */
export interface MemcachedRequests {
  /** In the order of the bytes. Each "invalid" one is answered with its `reply`, and does not end the connection. */
  readonly requests: (MemcachedRequest | MemcachedInvalid)[];
  /** Offset behind the last whole request: what is there must be given again, with what follows it. */
  readonly end: number;
  /** "error": a line is too long, and the connection is lost. */
  readonly status: "complete" | "incomplete" | "error";
  /** With "incomplete": how many more bytes the next request needs at least. Else 0. */
  readonly wanted: number;
  /** So many bytes behind the given ones belong to a value that was refused: pass over them. */
  readonly discard: number;
  readonly error: CodecError | null;
}

/** What `parseMemcachedReply()` found. */
export type MemcachedReplyResult =
  | { readonly status: "complete"; readonly reply: MemcachedReply; readonly end: number }
  | { readonly status: "incomplete"; readonly wanted: number }
  | { readonly status: "error"; readonly error: CodecError };

/** What `parseMemcachedReplies()` found. */
export interface MemcachedReplies {
  readonly replies: MemcachedReply[];
  /** Offset behind the last whole reply. */
  readonly end: number;
  readonly status: "complete" | "incomplete" | "error";
  readonly wanted: number;
  readonly error: CodecError | null;
}

export interface MemcachedFace {
  /**
   * Reads every whole request from `offset` on (memcached, doc/protocol.txt). Keys are at most 250 bytes without control
   * characters, lines at most 64 KiB. Keys and values are views of `bytes`.
   *
   * Codes of invalid lines: MEMCACHED_BAD_COMMAND, MEMCACHED_BAD_LINE, MEMCACHED_BAD_KEY, MEMCACHED_BAD_DELETE, MEMCACHED_BAD_DELTA,
   * MEMCACHED_BAD_EXPTIME, MEMCACHED_BAD_CHUNK, MEMCACHED_TOO_LARGE. Code of the error: MEMCACHED_LONG_LINE.
   */
  parseMemcachedRequests(
    bytes: Uint8Array,
    offset?: number,
    limits?: MemcachedLimits,
  ): MemcachedRequests;
  /**
   * A request as its line and data. Throws CodecError MEMCACHED_BAD_KEY or MEMCACHED_BAD_TOKEN for what would be read otherwise, and
   * MEMCACHED_LONG_LINE for what would not be read at all.
   */
  writeMemcachedRequest(request: MemcachedRequest): Uint8Array;
  /**
   * Reads the reply that begins at `offset`. VALUE and STAT lines up to END are one reply; an error of the server among them takes
   * the place of what came before it. Values are views of `bytes`.
   *
   * Codes: MEMCACHED_BAD_WORD, MEMCACHED_BAD_REPLY_LINE, MEMCACHED_NO_CRLF, MEMCACHED_LONG_VALUE, MEMCACHED_LONG_LINE.
   */
  parseMemcachedReply(
    bytes: Uint8Array,
    offset?: number,
    limits?: MemcachedLimits,
  ): MemcachedReplyResult;
  /** Every whole reply from `offset` on, in one go; see `parseMemcachedReply`. */
  parseMemcachedReplies(
    bytes: Uint8Array,
    offset?: number,
    limits?: MemcachedLimits,
  ): MemcachedReplies;
  /** A reply as its lines and data. Throws as `writeMemcachedRequest` does. */
  writeMemcachedReply(reply: MemcachedReply): Uint8Array;
}

export interface MemcachedExports extends CodecMemoryExports {
  memcachedIndex(
    input: number,
    length: number,
    maxBytes: number,
    most: number,
    out: number,
    capacity: number,
  ): number;
  memcachedReplyIndex(
    input: number,
    length: number,
    maxBytes: number,
    most: number,
    out: number,
    capacity: number,
  ): number;
}

const COMPLETE = 0;
const RECORD_FULL = 11;
const REPLY_FULL = 7;

/** Code and text of each status of the parser of replies from 2 on. */
const REPLY_ERRORS: readonly (readonly [code: string, text: string])[] = [
  ["MEMCACHED_BAD_WORD", "no reply begins like this, or not here"],
  ["MEMCACHED_BAD_REPLY_LINE", "a line does not read as its first word says"],
  ["MEMCACHED_NO_CRLF", "a data block is not followed by CR LF"],
  ["MEMCACHED_LONG_VALUE", "a data block is longer than the limit"],
  ["MEMCACHED_LONG_LINE", "a line is longer than 64 KiB"],
];

const REQUEST_HEADER_WORDS = 6;
const REPLY_HEADER_WORDS = 5;
/** Words of records to begin with. */
const RECORD_WORDS = 16 * 1024;
const MOST = 0xffffffff;

type Index = MemcachedExports["memcachedIndex"];

export function memcachedFace(instance: CodecInstance<MemcachedExports>): MemcachedFace {
  const { memcachedIndex, memcachedReplyIndex } = instance.exports;

  /**
   * Runs `index` over the bytes and calls `take` for what each call wrote to `out` in the codec's memory; offsets there count in
   * `window`. `take` returns how many bytes behind the window are to be passed over.
   */
  function run(
    index: Index,
    full: number,
    bytes: Uint8Array,
    offset: number,
    limits: MemcachedLimits,
    most: number,
    take: (data: DataView, out: number, window: Uint8Array) => number,
  ) {
    const maxBytes = limitOf(limits);
    let left = most;
    let discard = 0;

    function parseWindow(window: Uint8Array, windowOffset: number) {
      const { length } = window;
      let capacity = Math.min(RECORD_WORDS, 32 + length * 11);
      const input = instance.place(window, capacity * 4 + 4);
      const out = (input + length + 3) & ~3;
      let consumed = 0;
      while (true) {
        const status = index(input + consumed, length - consumed, maxBytes, left, out, capacity);
        const data = instance.data;
        const read = data.getUint32(out + 4, true);
        left -= data.getUint32(out + 8, true);
        const beyond = take(data, out, consumed === 0 ? window : window.subarray(consumed));
        consumed += read;
        if (beyond > 0) {
          const passed = Math.min(beyond, bytes.length - windowOffset - length);
          discard = beyond - passed;
          return { consumed: consumed + passed, status, wanted: 0, done: false };
        }
        if (status !== full) {
          return { consumed, status, wanted: data.getUint32(out + 12, true), done: left === 0 };
        }
        if (read === 0) {
          capacity *= 4;
          instance.reserve(out + capacity * 4 - input);
        }
      }
    }

    const first = most === 1 ? FIRST_WINDOW_BYTES : WINDOW_BYTES;
    return { ...inWindows(bytes, offset, first, parseWindow), discard };
  }

  function parseReplies(
    bytes: Uint8Array,
    offset: number,
    limits: MemcachedLimits,
    most: number,
  ): MemcachedReplies {
    const replies: MemcachedReply[] = [];
    const { consumed, status, wanted } = run(
      memcachedReplyIndex,
      REPLY_FULL,
      bytes,
      offset,
      limits,
      most,
      (data, out, window) => {
        let at = out + REPLY_HEADER_WORDS * 4;
        for (let left = data.getUint32(out + 8, true); left > 0; left--) {
          const [reply, next] = buildMemcachedReply(data, at, window);
          replies.push(reply);
          at = next;
        }
        return 0;
      },
    );
    if (status === COMPLETE) {
      return { replies, end: consumed, status: "complete", wanted: 0, error: null };
    }
    if (status === WINDOW_INCOMPLETE) {
      return { replies, end: consumed, status: "incomplete", wanted, error: null };
    }
    const [code, text] = REPLY_ERRORS[status - 2]!;
    const error = new CodecError(
      code,
      `bad memcached reply: ${text}; the connection cannot be read any further`,
    );
    return { replies, end: consumed, status: "error", wanted: 0, error };
  }

  return {
    parseMemcachedRequests(bytes, offset = 0, limits = {}) {
      const requests: (MemcachedRequest | MemcachedInvalid)[] = [];
      const { consumed, status, wanted, discard } = run(
        memcachedIndex,
        RECORD_FULL,
        bytes,
        offset,
        limits,
        MOST,
        (data, out, window) => {
          let at = out + REQUEST_HEADER_WORDS * 4;
          for (let left = data.getUint32(out + 8, true); left > 0; left--) {
            requests.push(buildMemcachedRequest(data, at, window));
            at += data.getUint32(at, true) * 4;
          }
          return data.getUint32(out + 20, true);
        },
      );
      if (status === COMPLETE) {
        return { requests, end: consumed, status: "complete", wanted: 0, discard, error: null };
      }
      if (status === WINDOW_INCOMPLETE) {
        return { requests, end: consumed, status: "incomplete", wanted, discard: 0, error: null };
      }
      const error = new CodecError(
        "MEMCACHED_LONG_LINE",
        "CLIENT_ERROR line too long: a command line is longer than 64 KiB, and the connection cannot be read any further",
      );
      return { requests, end: consumed, status: "error", wanted: 0, discard: 0, error };
    },
    parseMemcachedReply(bytes, offset = 0, limits = {}) {
      const { replies, end, wanted, error } = parseReplies(bytes, offset, limits, 1);
      if (replies.length === 1) return { status: "complete", reply: replies[0]!, end };
      if (error !== null) return { status: "error", error };
      return { status: "incomplete", wanted: Math.max(wanted, 1) };
    },
    parseMemcachedReplies: (bytes, offset = 0, limits = {}) =>
      parseReplies(bytes, offset, limits, MOST),
    writeMemcachedRequest,
    writeMemcachedReply,
  };
}

function limitOf(limits: MemcachedLimits): number {
  return Math.min(limits.maxValueBytes ?? MAX_MEMCACHED_VALUE_BYTES, HIGHEST_LIMIT_BYTES);
}
