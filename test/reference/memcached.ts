/** The memcached text protocol read slowly, line by line, from memcached's doc/protocol.txt. */
import type { MemcachedReply, MemcachedRequest } from "../../src/codec/memcached-message.ts";
import { Incomplete, latin1, readAll, type SlowStream } from "./cut.ts";

const MAX_LINE = 65536;
const MAX_EXPTIME = 2n ** 53n - 1n;

/** A line in error. `discard` bytes of its data have not come yet. */
export interface SlowInvalid {
  readonly command: "invalid";
  readonly code: string;
  readonly discard: number;
}

/** The requests of `bytes`. */
export function readMemcachedRequests(
  bytes: Uint8Array,
  maxValueBytes: number,
  most?: number,
): SlowStream<MemcachedRequest | SlowInvalid> {
  const text = latin1(bytes);
  const read = (at: number) => {
    const [line, next] = readLine(text, at);
    try {
      return readRequest(bytes, text, line, next, maxValueBytes);
    } catch (reason) {
      if (!(reason instanceof LineError)) throw reason;
      const behind = next + reason.passed;
      const end = Math.min(behind, text.length);
      const invalid = { command: "invalid", code: reason.code, discard: behind - end } as const;
      return [invalid, end] as const;
    }
  };
  return readAll<MemcachedRequest | SlowInvalid>(text.length, read, most);
}

/** Something is wrong with one line; `passed` bytes behind it go with it. */
class LineError {
  readonly code: string;
  readonly passed: number;

  constructor(code: string, passed = 0) {
    this.code = code;
    this.passed = passed;
  }
}

/** A line without its end, and where the next one begins. */
function readLine(text: string, at: number): [line: string, next: number] {
  const lf = text.indexOf("\n", at);
  if (lf < 0 || lf - at > MAX_LINE) {
    if (text.length - at > MAX_LINE) throw "MEMCACHED_LONG_LINE";
    throw new Incomplete(text.length + 1);
  }
  return [text.slice(at, lf).replace(/\r$/, ""), lf + 1];
}

function readRequest(
  bytes: Uint8Array,
  text: string,
  line: string,
  next: number,
  maxValueBytes: number,
): [MemcachedRequest, number] {
  const [command = "", ...words] = line.split(" ").filter((word) => word !== "");
  const missing = () => new LineError("MEMCACHED_BAD_COMMAND");
  const take = () => {
    const word = words.shift();
    if (word === undefined) throw missing();
    return word;
  };
  const key = (word = take()) => {
    if (word.length > 250 || !isPrintable(word)) throw new LineError("MEMCACHED_BAD_KEY");
    return binary(word);
  };
  const exptime = (code: string) => {
    const word = take();
    if (!/^-?[0-9]+$/.test(word)) throw new LineError(code);
    const value = BigInt(word);
    if (value > MAX_EXPTIME || value < -MAX_EXPTIME) throw new LineError(code);
    return Number(value);
  };
  const unsigned = (bits: number, code = "MEMCACHED_BAD_LINE") => {
    const word = take();
    if (!/^[0-9]+$/.test(word) || BigInt(word) >= 1n << BigInt(bits)) throw new LineError(code);
    return BigInt(word);
  };
  const keys = () => {
    const all = [key()];
    while (words.length > 0) all.push(key());
    return all;
  };
  const tokens = () => {
    for (const word of words) if (!isPrintable(word)) throw new LineError("MEMCACHED_BAD_LINE");
    return words;
  };
  const length = () => {
    const value = unsigned(64);
    if (value > 0x7ffffffdn) throw new LineError("MEMCACHED_BAD_LINE");
    return Number(value);
  };
  const noreply = () => {
    const quiet = words[0] === "noreply";
    if (words.length > (quiet ? 1 : 0)) throw missing();
    return quiet;
  };
  const data = (size: number): [Uint8Array, number] => {
    if (size > maxValueBytes) throw new LineError("MEMCACHED_TOO_LARGE", size + 2);
    const end = next + size;
    if (text.length < end + 2) throw new Incomplete(end + 2);
    if (text.slice(end, end + 2) !== "\r\n") throw new LineError("MEMCACHED_BAD_CHUNK", size + 2);
    return [bytes.subarray(next, end), end + 2];
  };
  switch (command) {
    case "get":
    case "gets":
      return [{ command, keys: keys() }, next];
    case "gat":
    case "gats":
      return [{ command, exptime: exptime("MEMCACHED_BAD_EXPTIME"), keys: keys() }, next];
    case "set":
    case "add":
    case "replace":
    case "append":
    case "prepend": {
      const item = {
        key: key(),
        flags: Number(unsigned(32)),
        exptime: exptime("MEMCACHED_BAD_LINE"),
      };
      const size = length();
      const quiet = noreply();
      const [value, end] = data(size);
      return [{ command, ...item, value, noreply: quiet }, end];
    }
    case "cas": {
      const item = {
        key: key(),
        flags: Number(unsigned(32)),
        exptime: exptime("MEMCACHED_BAD_LINE"),
      };
      const size = length();
      const cas = unsigned(64);
      const quiet = noreply();
      const [value, end] = data(size);
      return [{ command, ...item, value, cas, noreply: quiet }, end];
    }
    case "incr":
    case "decr":
      return [
        { command, key: key(), delta: unsigned(64, "MEMCACHED_BAD_DELTA"), noreply: noreply() },
        next,
      ];
    case "touch":
      return [
        { command, key: key(), exptime: exptime("MEMCACHED_BAD_EXPTIME"), noreply: noreply() },
        next,
      ];
    case "delete": {
      const target = key();
      if (words.length > 0 && words[0] !== "noreply" && words.shift() !== "0") {
        throw new LineError("MEMCACHED_BAD_DELETE");
      }
      return [{ command, key: target, noreply: noreply() }, next];
    }
    case "flush_all": {
      const given = words.length > 0 && words[0] !== "noreply";
      const delay = given ? exptime("MEMCACHED_BAD_EXPTIME") : 0;
      return [{ command, delay, noreply: noreply() }, next];
    }
    case "verbosity":
      return [{ command, level: Number(unsigned(32)), noreply: noreply() }, next];
    case "stats":
      return [{ command, tokens: tokens() }, next];
    case "version":
    case "quit":
    case "mn":
      tokens();
      return [{ command }, next];
    case "mg":
    case "md":
    case "ma":
    case "me":
      return [{ command, key: key(), tokens: tokens() }, next];
    case "ms": {
      const target = key();
      const size = length();
      const options = tokens();
      const [value, end] = data(size);
      return [{ command, key: target, value, tokens: options }, end];
    }
    default:
      throw missing();
  }
}

const STATUSES = /^(STORED|NOT_STORED|EXISTS|NOT_FOUND|DELETED|TOUCHED|OK|RESET|MN)$/;

/** The replies of `bytes`. */
export function readMemcachedReplies(
  bytes: Uint8Array,
  maxValueBytes: number,
  most?: number,
): SlowStream<MemcachedReply> {
  const text = latin1(bytes);
  return readAll(text.length, (at) => readReply(bytes, text, at, maxValueBytes), most);
}

function readReply(
  bytes: Uint8Array,
  text: string,
  at: number,
  maxValueBytes: number,
): [MemcachedReply, number] {
  const values = [];
  const stats: [string, string][] = [];
  let next = at;
  const data = (digits: string): Uint8Array => {
    const size = Number(digits);
    if (size > maxValueBytes) throw "MEMCACHED_LONG_VALUE";
    return bytes.subarray(next, next + size);
  };
  const passData = (value: number) => {
    if (text.length < next + value + 2) throw new Incomplete(next + value + 2);
    next += value + 2;
    if (text.slice(next - 2, next) !== "\r\n") throw "MEMCACHED_NO_CRLF";
  };
  while (true) {
    const [line, behind] = readLine(text, next);
    next = behind;
    const [, word = "", rest = ""] = /^([^ ]*) ?([\s\S]*)$/.exec(line)!;
    const inValues = values.length > 0;
    const inStats = stats.length > 0;
    if (word === "VALUE" && !inStats) {
      const head = /^([^ ]+) ([0-9]+) ([0-9]+)( [\s\S]*)?$/.exec(rest);
      if (head === null || !fits(head[2]!, 32) || !fits(head[3]!, 32))
        throw "MEMCACHED_BAD_REPLY_LINE";
      const value = data(head[3]!);
      const cas = head[4]?.slice(1);
      if (cas !== undefined && !fits(cas, 64)) throw "MEMCACHED_BAD_REPLY_LINE";
      passData(Number(head[3]));
      values.push({
        key: binary(head[1]!),
        flags: Number(head[2]),
        value,
        cas: cas === undefined || BigInt(cas) === 0n ? null : BigInt(cas),
      });
      continue;
    }
    if (word === "STAT" && !inValues) {
      const space = rest.indexOf(" ");
      stats.push(space < 0 ? [rest, ""] : [rest.slice(0, space), rest.slice(space + 1)]);
      continue;
    }
    if (word === "END")
      return [inStats ? { type: "stats", stats } : { type: "values", values }, next];
    if (word === "SERVER_ERROR") return [{ type: "error", kind: word, text: rest }, next];
    if (inValues || inStats) throw "MEMCACHED_BAD_WORD";
    if (STATUSES.test(word)) {
      if (line !== word) throw "MEMCACHED_BAD_REPLY_LINE";
      return [{ type: "status", status: word as "OK" }, next];
    }
    const tokens = rest.split(" ").filter((token) => token !== "");
    switch (word) {
      case "ERROR":
      case "ERROR:":
        return [{ type: "error", kind: "ERROR", text: rest }, next];
      case "CLIENT_ERROR":
        return [{ type: "error", kind: word, text: rest }, next];
      case "VERSION":
        return [{ type: "version", version: rest }, next];
      case "HD":
      case "EN":
      case "NF":
      case "NS":
      case "EX":
        return [{ type: "meta", code: word, tokens }, next];
      case "ME":
        return [{ type: "meta-debug", tokens }, next];
      case "VA": {
        const head = /^([0-9]+)( [\s\S]*)?$/.exec(rest);
        if (head === null || !fits(head[1]!, 32)) throw "MEMCACHED_BAD_REPLY_LINE";
        const value = data(head[1]!);
        passData(Number(head[1]));
        return [{ type: "meta-value", value, tokens: tokens.slice(1) }, next];
      }
    }
    if (!/^[0-9]/.test(word)) throw "MEMCACHED_BAD_WORD";
    if (!fits(word, 64) || !/^ *$/.test(rest)) throw "MEMCACHED_BAD_REPLY_LINE";
    return [{ type: "number", value: BigInt(word) }, next];
  }
}

function fits(digits: string, bits: number): boolean {
  return /^[0-9]+$/.test(digits) && BigInt(digits) < 1n << BigInt(bits);
}

function isPrintable(word: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[\x00-\x1f\x7f]/.test(word);
}

function binary(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
