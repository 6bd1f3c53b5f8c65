/** RESP replies of both versions (typed face of assembly/codec/resp-reply.ts, and the writer). */
import { CodecError } from "./codec-error.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { RespBuilder } from "./resp-build.ts";
import type { RespEntry, RespValue } from "./resp-value.ts";
import { RespWriter } from "./resp-writer.ts";
import { FIRST_WINDOW_BYTES, inWindows, WINDOW_BYTES, WINDOW_INCOMPLETE } from "./windows.ts";

/** What `parseReply()` found. */
export type RespReply =
  /** `end` is the offset behind the reply. */
  | { readonly status: "complete"; readonly value: RespValue; readonly end: number }
  /** At least `wanted` more bytes are needed. */
  | { readonly status: "incomplete"; readonly wanted: number }
  /** The bytes are no reply, and nothing behind them can be read. */
  | { readonly status: "error"; readonly error: CodecError };

/** What `parseReplies()` found. */
export interface RespReplies {
  readonly values: RespValue[];
  /** Offset behind the last whole reply: what is there must be given again, with what follows it. */
  readonly end: number;
  readonly status: "complete" | "incomplete" | "error";
  /** With "incomplete": how many more bytes the next reply needs at least. Else 0. */
  readonly wanted: number;
  readonly error: CodecError | null;
}

export interface RespReplyFace {
  /**
   * Reads the reply that begins at `offset` (0 if left out), of RESP 2 or 3, every type of the specification and the streamed ones
   * included. Limits, checked before anything is made: bulks of 512 MiB, counts of 16,777,216, 32 aggregates inside one another,
   * lines of 64 KiB. Strings are views of `bytes`.
   *
   * Codes: RESP_BAD_TYPE, RESP_BAD_LINE, RESP_LONG_LINE, RESP_BAD_INTEGER, RESP_BAD_DOUBLE, RESP_BAD_BIG_NUMBER, RESP_BAD_BOOLEAN,
   * RESP_BAD_NULL, RESP_BAD_LENGTH, RESP_LONG_BULK, RESP_BAD_COUNT, RESP_TOO_MANY, RESP_TOO_DEEP, RESP_NO_CRLF, RESP_BAD_VERBATIM,
   * RESP_BAD_CHUNK, RESP_BAD_END, RESP_NESTED_PUSH.
   *
   * For many replies in one buffer use `parseReplies`: each call copies what it reads into the codec's memory.
   */
  parseReply(bytes: Uint8Array, offset?: number): RespReply;
  /** Every whole reply from `offset` on, in one go; see `parseReply`. */
  parseReplies(bytes: Uint8Array, offset?: number): RespReplies;
  /**
   * A reply as protocol 2 or 3 has it. For RESP 2 as Redis does it: a map becomes an array of its keys and values, a set and a push an
   * array, a boolean 1 or 0, a double, big number and verbatim string a bulk string, a bulk error an error; attributes are left
   * out. A CR or LF in a line becomes a space.
   */
  writeReply(value: RespValue, protocol: 2 | 3): Uint8Array;
}

export interface RespReplyExports extends CodecMemoryExports {
  replyIndex(input: number, length: number, out: number, capacity: number, most: number): number;
}

const COMPLETE = 0;
const TOKENS_FULL = 20;

/** Code and text of each status of the parser from 2 on. */
const ERRORS: readonly (readonly [code: string, text: string])[] = [
  ["RESP_BAD_TYPE", "no type of reply begins with this byte"],
  ["RESP_BAD_LINE", "a line has a CR or an LF without the other"],
  ["RESP_LONG_LINE", "a line is longer than 64 KiB"],
  ["RESP_BAD_INTEGER", "an integer is no number of 64 bits"],
  ["RESP_BAD_DOUBLE", "a double is no number"],
  ["RESP_BAD_BIG_NUMBER", "a big number is no number"],
  ["RESP_BAD_BOOLEAN", "a boolean is neither t nor f"],
  ["RESP_BAD_NULL", "a null has something in it"],
  ["RESP_BAD_LENGTH", "the length of a bulk is no number"],
  ["RESP_LONG_BULK", "a bulk is longer than 512 MiB"],
  ["RESP_BAD_COUNT", "the count of an aggregate is no number"],
  ["RESP_TOO_MANY", "an aggregate has more than 16777216 elements"],
  ["RESP_TOO_DEEP", "more than 32 aggregates are inside one another"],
  ["RESP_NO_CRLF", "a bulk is not followed by CR LF"],
  ["RESP_BAD_VERBATIM", "a verbatim string has no format"],
  [
    "RESP_BAD_CHUNK",
    "a chunk stands outside of a streamed string, or something else inside of one",
  ],
  ["RESP_BAD_END", "an end has no beginning, or something is missing before it"],
  ["RESP_NESTED_PUSH", "a push is inside of another value"],
];

const HEADER_WORDS = 5;
/** Words of tokens to begin with. */
const TOKEN_WORDS = 12 * 1024;
const MOST = 0xffffffff;

export function respReplyFace(instance: CodecInstance<RespReplyExports>): RespReplyFace {
  const { replyIndex } = instance.exports;

  function parse(bytes: Uint8Array, offset: number, most: number): RespReplies {
    const values: RespValue[] = [];

    function parseWindow(window: Uint8Array) {
      const { length } = window;
      // The shortest value that has a token takes three bytes.
      let capacity = Math.min(TOKEN_WORDS, HEADER_WORDS + 3 + length);
      const input = instance.place(window, capacity * 4 + 4);
      const out = (input + length + 3) & ~3;
      let consumed = 0;
      while (true) {
        const status = replyIndex(
          input + consumed,
          length - consumed,
          out,
          capacity,
          most - values.length,
        );
        const data = instance.data;
        const read = data.getUint32(out + 4, true);
        const replies = data.getUint32(out + 8, true);
        const builder = new RespBuilder(
          data,
          out + HEADER_WORDS * 4,
          consumed === 0 ? window : window.subarray(consumed),
        );
        for (let i = 0; i < replies; i++) values.push(builder.value());
        consumed += read;
        const done = values.length >= most;
        if (status !== TOKENS_FULL) {
          return { consumed, status, wanted: data.getUint32(out + 12, true), done };
        }
        if (read === 0) {
          capacity = Math.min(capacity * 4, HEADER_WORDS + 3 + length);
          instance.reserve(out + capacity * 4 - input);
        }
      }
    }

    const first = most === 1 ? FIRST_WINDOW_BYTES : WINDOW_BYTES;
    const { consumed, status, wanted } = inWindows(bytes, offset, first, parseWindow);
    if (status === COMPLETE) {
      return { values, end: consumed, status: "complete", wanted: 0, error: null };
    }
    if (status === WINDOW_INCOMPLETE) {
      return { values, end: consumed, status: "incomplete", wanted, error: null };
    }
    const [code, text] = ERRORS[status - 2]!;
    const error = new CodecError(
      code,
      `bad reply: ${text}; the connection cannot be read any further`,
    );
    return { values, end: consumed, status: "error", wanted: 0, error };
  }

  return {
    parseReply(bytes, offset = 0) {
      const { values, end, wanted, error } = parse(bytes, offset, 1);
      if (values.length === 1) return { status: "complete", value: values[0]!, end };
      if (error !== null) return { status: "error", error };
      return { status: "incomplete", wanted: Math.max(wanted, 1) };
    },
    parseReplies: (bytes, offset = 0) => parse(bytes, offset, MOST),
    writeReply(value, protocol) {
      const writer = new RespWriter();
      writer.protocol = protocol;
      writeValue(writer, value);
      return writer.view();
    },
  };
}

const TEXT = new TextEncoder();
const CRLF = TEXT.encode("\r\n");

function writeValue(writer: RespWriter, value: RespValue): void {
  const resp3 = writer.protocol === 3;
  switch (value.type) {
    case "simple":
      writer.simple(line(value.text));
      break;
    case "error":
      writer.error(line(value.text));
      break;
    case "integer":
      writer.integer(value.value);
      break;
    case "bulk":
      writer.bulk(value.bytes);
      break;
    case "null":
      writer.null();
      break;
    case "null-array":
      writer.nullArray();
      break;
    case "boolean":
      writer.boolean(value.value);
      break;
    case "double":
      writer.double(value.value);
      break;
    case "big-number":
      writer.bigNumber(value.value);
      break;
    case "bulk-error":
      if (resp3) writeBulk(writer, "!", value.bytes);
      else writer.error(latin1(value.bytes));
      break;
    case "verbatim":
      if (resp3) writeVerbatim(writer, value.format, value.bytes);
      else writer.bulk(value.bytes);
      break;
    case "array":
      writer.array(value.items.length);
      writeAll(writer, value.items);
      break;
    case "set":
      writer.set(value.items.length);
      writeAll(writer, value.items);
      break;
    case "push":
      writer.push(value.items.length);
      writeAll(writer, value.items);
      break;
    case "map":
      writer.map(value.entries.length);
      writeEntries(writer, value.entries);
      break;
    case "attribute":
      if (resp3) {
        writer.raw(TEXT.encode(`|${value.entries.length}\r\n`));
        writeEntries(writer, value.entries);
      }
      writeValue(writer, value.value);
      break;
  }
}

function writeAll(writer: RespWriter, items: readonly RespValue[]): void {
  for (const item of items) writeValue(writer, item);
}

function writeEntries(writer: RespWriter, entries: readonly RespEntry[]): void {
  for (const [key, value] of entries) {
    writeValue(writer, key);
    writeValue(writer, value);
  }
}

function writeBulk(writer: RespWriter, type: string, bytes: Uint8Array): void {
  writer.raw(TEXT.encode(`${type}${bytes.length}\r\n`));
  writer.raw(bytes);
  writer.raw(CRLF);
}

function writeVerbatim(writer: RespWriter, format: string, bytes: Uint8Array): void {
  writer.raw(TEXT.encode(`=${bytes.length + 4}\r\n`));
  writer.raw(Uint8Array.from(`${format}:`, (character) => character.charCodeAt(0)));
  writer.raw(bytes);
  writer.raw(CRLF);
}

/** The text of a line as the writer takes it: one character per byte, and no line end in it. */
function line(text: string): string {
  const safe = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, " ") : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is that of ASCII
  return /^[\x00-\x7f]*$/.test(safe) ? safe : latin1(TEXT.encode(safe));
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
