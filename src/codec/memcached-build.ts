/** Makes requests and replies of the records that the codec writes (assembly/codec/memcached-request.ts and memcached-reply.ts). */
import { CodecError } from "./codec-error.ts";
import {
  MEMCACHED_STATUSES,
  type MemcachedInvalid,
  type MemcachedReply,
  type MemcachedRequest,
  type MemcachedValue,
} from "./memcached-message.ts";

/** In the order of COMMANDS in assembly/codec/memcached-request.ts. */
export const MEMCACHED_COMMANDS = [
  "get",
  "gets",
  "gat",
  "gats",
  "set",
  "add",
  "replace",
  "append",
  "prepend",
  "cas",
  "incr",
  "decr",
  "touch",
  "delete",
  "flush_all",
  "version",
  "verbosity",
  "stats",
  "quit",
  "mg",
  "ms",
  "md",
  "ma",
  "me",
  "mn",
] as const;

/** Set in the command word of a line in error. */
const IN_ERROR = 0x80;

const BAD_LINE = "CLIENT_ERROR bad command line format";

/** Code, what memcached answers, and what is wrong, for each status from 2 on that is confined to its line. */
const LINE_ERRORS: readonly (readonly [code: string, reply: string, text: string])[] = [
  ["MEMCACHED_BAD_COMMAND", "ERROR", "no such command, or too few or too many words for it"],
  ["MEMCACHED_BAD_LINE", BAD_LINE, "a word of the line does not read as it must"],
  ["MEMCACHED_BAD_KEY", BAD_LINE, "a key is longer than 250 bytes, or has control characters"],
  [
    "MEMCACHED_BAD_DELETE",
    `${BAD_LINE}.  Usage: delete <key> [noreply]`,
    "delete takes a key, 0 and noreply at most",
  ],
  [
    "MEMCACHED_BAD_DELTA",
    "CLIENT_ERROR invalid numeric delta argument",
    "the delta is no number of 64 bits",
  ],
  [
    "MEMCACHED_BAD_EXPTIME",
    "CLIENT_ERROR invalid exptime argument",
    "the time is no number of seconds",
  ],
  ["MEMCACHED_BAD_CHUNK", "CLIENT_ERROR bad data chunk", "the data are not followed by CR LF"],
  [
    "MEMCACHED_TOO_LARGE",
    "SERVER_ERROR object too large for cache",
    "the value is longer than the limit",
  ],
];

/** What memcached answers to a line of this status; undefined where that is no status of a line. */
export function memcachedLineReply(status: number): string | undefined {
  return LINE_ERRORS[status - 2]?.[1];
}

const RECORD_WORDS_AT = 44;

/** The request of the record at `at`. */
export function buildMemcachedRequest(
  data: DataView,
  at: number,
  bytes: Uint8Array,
): MemcachedRequest | MemcachedInvalid {
  const number = data.getUint32(at + 4, true);
  if ((number & IN_ERROR) !== 0) {
    const [code, reply, text] = LINE_ERRORS[(number & ~IN_ERROR) - 2]!;
    return { command: "invalid", error: new CodecError(code, `${text}: nothing was done`), reply };
  }
  const command = MEMCACHED_COMMANDS[number]!;
  const words = data.getUint32(at + 40, true);
  const word = (i: number) => viewAt(data, at + RECORD_WORDS_AT + i * 8, bytes);
  const noreply = () => data.getUint32(at + 8, true) === 1;
  const exptime = () => data.getInt32(at + 20, true) * 2 ** 32 + data.getUint32(at + 16, true);
  const value = () => viewAt(data, at + 32, bytes);
  const flags = () => data.getUint32(at + 12, true);
  const tokens = (from: number) => {
    const all: string[] = [];
    for (let i = from; i < words; i++) all.push(latin1(word(i)));
    return all;
  };
  const keys = () => {
    const all: Uint8Array[] = [];
    for (let i = 0; i < words; i++) all.push(word(i));
    return all;
  };
  switch (command) {
    case "get":
    case "gets":
      return { command, keys: keys() };
    case "gat":
    case "gats":
      return { command, exptime: exptime(), keys: keys() };
    case "set":
    case "add":
    case "replace":
    case "append":
    case "prepend":
      return {
        command,
        key: word(0),
        flags: flags(),
        exptime: exptime(),
        value: value(),
        noreply: noreply(),
      };
    case "cas":
      return {
        command,
        key: word(0),
        flags: flags(),
        exptime: exptime(),
        value: value(),
        cas: data.getBigUint64(at + 24, true),
        noreply: noreply(),
      };
    case "incr":
    case "decr":
      return {
        command,
        key: word(0),
        delta: data.getBigUint64(at + 24, true),
        noreply: noreply(),
      };
    case "touch":
      return { command, key: word(0), exptime: exptime(), noreply: noreply() };
    case "delete":
      return { command, key: word(0), noreply: noreply() };
    case "flush_all":
      return { command, delay: exptime(), noreply: noreply() };
    case "verbosity":
      return { command, level: flags(), noreply: noreply() };
    case "stats":
      return { command, tokens: tokens(0) };
    case "version":
    case "quit":
    case "mn":
      return { command };
    case "ms":
      return { command, key: word(0), value: value(), tokens: tokens(1) };
    case "mg":
    case "md":
    case "ma":
    case "me":
      return { command, key: word(0), tokens: tokens(1) };
  }
}

/** In the order of WORDS in assembly/codec/memcached-reply.ts; the first one is number 1. */
const VALUE = 1;
const STAT = 2;
const END = 3;
const VA = 4;
const FIRST_STATUS = 5;
const ERROR = 14;
const VERSION = 17;
const FIRST_META = 18;
const ME = 23;
const ERROR_COLON = 24;
const NUMBER = 25;
const ERROR_KINDS = ["ERROR", "CLIENT_ERROR", "SERVER_ERROR"] as const;
const META_CODES = ["HD", "EN", "NF", "NS", "EX"] as const;

const REPLY_RECORD_BYTES = 32;

/** The reply whose records begin at `at`, and the address behind them. */
export function buildMemcachedReply(
  data: DataView,
  at: number,
  bytes: Uint8Array,
): [reply: MemcachedReply, next: number] {
  const values: MemcachedValue[] = [];
  const stats: [string, string][] = [];
  while (true) {
    const word = data.getUint32(at, true);
    const text = viewAt(data, at + 4, bytes);
    const next = at + REPLY_RECORD_BYTES;
    switch (word) {
      case VALUE: {
        const cas = data.getBigUint64(at + 24, true);
        values.push({
          key: text,
          flags: data.getUint32(at + 20, true),
          value: viewAt(data, at + 12, bytes),
          cas: cas === 0n ? null : cas,
        });
        break;
      }
      case STAT:
        stats.push(nameAndValue(latin1(text)));
        break;
      case END:
        if (stats.length > 0) return [{ type: "stats", stats }, next];
        return [{ type: "values", values }, next];
      case VA:
        return [
          { type: "meta-value", value: viewAt(data, at + 12, bytes), tokens: split(latin1(text)) },
          next,
        ];
      case NUMBER:
        return [{ type: "number", value: data.getBigUint64(at + 24, true) }, next];
      case VERSION:
        return [{ type: "version", version: latin1(text) }, next];
      case ME:
        return [{ type: "meta-debug", tokens: split(latin1(text)) }, next];
      case ERROR_COLON:
        return [{ type: "error", kind: "ERROR", text: latin1(text) }, next];
      default: {
        const status = MEMCACHED_STATUSES[word - FIRST_STATUS];
        if (status !== undefined) return [{ type: "status", status }, next];
        const kind = ERROR_KINDS[word - ERROR];
        if (kind !== undefined) return [{ type: "error", kind, text: latin1(text) }, next];
        const code = META_CODES[word - FIRST_META]!;
        return [{ type: "meta", code, tokens: split(latin1(text)) }, next];
      }
    }
    at = next;
  }
}

function nameAndValue(text: string): [string, string] {
  const space = text.indexOf(" ");
  return space < 0 ? [text, ""] : [text.slice(0, space), text.slice(space + 1)];
}

function split(text: string): string[] {
  return text.split(" ").filter((token) => token !== "");
}

/** The bytes whose offset and length stand at `at`. */
function viewAt(data: DataView, at: number, bytes: Uint8Array): Uint8Array {
  const offset = bytes.byteOffset + data.getUint32(at, true);
  return new Uint8Array(bytes.buffer, offset, data.getUint32(at + 4, true));
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
