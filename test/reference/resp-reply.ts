/** RESP replies read slowly, by recursive descent, from redis-specifications' RESP2.md and RESP3.md. */
import type { RespEntry, RespValue } from "../../src/codec/resp-value.ts";
import { Incomplete, latin1, readAll, type SlowStream } from "./cut.ts";

const MAX_LINE = 65536;
const MAX_BULK = 512 * 1024 * 1024;
const MAX_COUNT = 16 * 1024 * 1024;
const MAX_DEPTH = 32;

/** The replies of `bytes`. */
export function readReplies(bytes: Uint8Array, most?: number): SlowStream<RespValue> {
  const text = latin1(bytes);
  return readAll(
    text.length,
    (at) => {
      const cursor = new Cursor(bytes, text, at);
      return [cursor.value(0), cursor.at];
    },
    most,
  );
}

class Cursor {
  readonly bytes: Uint8Array;
  readonly text: string;
  at: number;

  constructor(bytes: Uint8Array, text: string, at: number) {
    this.bytes = bytes;
    this.text = text;
    this.at = at;
  }

  /** The next value, inside of `depth` aggregates. */
  value(depth: number): RespValue {
    const type = this.peek();
    if (type === ";") throw "RESP_BAD_CHUNK";
    if (!"+-:,(#_$!=*~%>|.".includes(type)) throw "RESP_BAD_TYPE";
    const line = this.line();
    switch (type) {
      case "+":
        return { type: "simple", text: utf8(line) };
      case "-":
        return { type: "error", text: utf8(line) };
      case ":":
        return { type: "integer", value: integer(line) };
      case ",":
        return { type: "double", value: double(line) };
      case "(":
        if (!/^[+-]?[0-9]+$/.test(line)) throw "RESP_BAD_BIG_NUMBER";
        return { type: "big-number", value: BigInt(line.replace("+", "")) };
      case "#":
        if (line !== "t" && line !== "f") throw "RESP_BAD_BOOLEAN";
        return { type: "boolean", value: line === "t" };
      case "_":
        if (line !== "") throw "RESP_BAD_NULL";
        return { type: "null" };
      case "$":
        if (line === "-1") return { type: "null" };
        if (line === "?") return { type: "bulk", bytes: this.chunks() };
        return { type: "bulk", bytes: this.bulk(line) };
      case "!":
        return { type: "bulk-error", bytes: this.bulk(line) };
      case "=":
        return this.verbatim(line);
      case ".":
        throw "RESP_BAD_END";
      default:
        return this.aggregate(type, line, depth);
    }
  }

  aggregate(type: string, line: string, depth: number): RespValue {
    if (type === "*" && line === "-1") return { type: "null-array" };
    const open = line === "?" && "*~%".includes(type);
    const count = open ? -1 : size(line, "RESP_BAD_COUNT");
    if (count > MAX_COUNT) throw "RESP_TOO_MANY";
    if (type === ">" && depth > 0) throw "RESP_NESTED_PUSH";
    if (depth === MAX_DEPTH) throw "RESP_TOO_DEEP";
    switch (type) {
      case "*":
        return { type: "array", items: open ? this.toEnd(depth) : this.items(count, depth) };
      case "~":
        return { type: "set", items: open ? this.toEnd(depth) : this.items(count, depth) };
      case ">":
        return { type: "push", items: this.items(count, depth) };
      case "%":
        return {
          type: "map",
          entries: pairs(open ? this.toEnd(depth, true) : this.items(count * 2, depth)),
        };
      default: {
        const entries = pairs(this.items(count * 2, depth));
        if (this.peek() === ".") {
          this.emptyLine();
          throw "RESP_BAD_END";
        }
        return { type: "attribute", entries, value: this.value(depth) };
      }
    }
  }

  items(count: number, depth: number): RespValue[] {
    const items: RespValue[] = [];
    while (items.length < count) items.push(this.value(depth + 1));
    return items;
  }

  toEnd(depth: number, even = false): RespValue[] {
    const items: RespValue[] = [];
    while (this.peek() !== ".") items.push(this.value(depth + 1));
    this.emptyLine();
    if (even && items.length % 2 === 1) throw "RESP_BAD_END";
    return items;
  }

  /** The line of an end. */
  emptyLine(): void {
    if (this.line() !== "") throw "RESP_BAD_END";
  }

  bulk(line: string): Uint8Array {
    const length = size(line, "RESP_BAD_LENGTH");
    if (length > MAX_BULK) throw "RESP_LONG_BULK";
    return this.take(length);
  }

  verbatim(line: string): RespValue {
    const length = size(line, "RESP_BAD_LENGTH");
    if (length > MAX_BULK) throw "RESP_LONG_BULK";
    if (length < 4) throw "RESP_BAD_VERBATIM";
    if (this.text.length < this.at + 4) throw new Incomplete(this.at + length + 2);
    if (this.text[this.at + 3] !== ":") throw "RESP_BAD_VERBATIM";
    const bytes = this.take(length);
    return { type: "verbatim", format: latin1(bytes.subarray(0, 3)), bytes: bytes.subarray(4) };
  }

  chunks(): Uint8Array {
    const chunks: number[] = [];
    while (true) {
      const type = this.peek();
      // A byte that begins nothing at all is named as such everywhere.
      if (!"+-:,(#_$!=*~%>|.;".includes(type)) throw "RESP_BAD_TYPE";
      if (type !== ";") throw "RESP_BAD_CHUNK";
      const line = this.line();
      if (line === "0") return Uint8Array.from(chunks);
      chunks.push(...this.bulk(line));
    }
  }

  /** So many bytes, and the CR LF behind them. */
  take(length: number): Uint8Array {
    const end = this.at + length;
    if (this.text.length > end && this.text[end] !== "\r") throw "RESP_NO_CRLF";
    if (this.text.length < end + 2) throw new Incomplete(end + 2);
    if (this.text[end + 1] !== "\n") throw "RESP_NO_CRLF";
    const bytes = this.bytes.subarray(this.at, end);
    this.at = end + 2;
    return bytes;
  }

  /** The rest of the line behind its first byte. */
  line(): string {
    const start = this.at + 1;
    const found = this.text.slice(start, start + MAX_LINE + 1).search(/[\r\n]/);
    if (found < 0) {
      if (this.text.length - start > MAX_LINE) throw "RESP_LONG_LINE";
      throw new Incomplete(this.text.length + 1);
    }
    const cr = start + found;
    if (this.text[cr] !== "\r") throw "RESP_BAD_LINE";
    if (cr + 1 === this.text.length) throw new Incomplete(this.text.length + 1);
    if (this.text[cr + 1] !== "\n") throw "RESP_BAD_LINE";
    this.at = cr + 2;
    return this.text.slice(start, cr);
  }

  peek(): string {
    const type = this.text[this.at];
    if (type === undefined) throw new Incomplete(this.text.length + 1);
    return type;
  }
}

function pairs(flat: readonly RespValue[]): RespEntry[] {
  const entries: RespEntry[] = [];
  for (let i = 0; i < flat.length; i += 2) entries.push([flat[i]!, flat[i + 1]!]);
  return entries;
}

/** A length or count without sign and leading zeros. */
function size(line: string, bad: string): number {
  if (!/^(0|[1-9][0-9]*)$/.test(line) || BigInt(line) >= 1n << 63n) throw bad;
  return Number(line);
}

function integer(line: string): number | bigint {
  if (!/^[+-]?[0-9]+$/.test(line)) throw "RESP_BAD_INTEGER";
  const value = BigInt(line.replace("+", ""));
  if (BigInt.asIntN(64, value) !== value) throw "RESP_BAD_INTEGER";
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function double(line: string): number {
  if (/^[+-]?nan(\(.*\))?$/is.test(line)) return Number.NaN;
  if (/^[+-]?inf$/i.test(line)) return line[0] === "-" ? -Infinity : Infinity;
  if (!/^[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/i.test(line)) throw "RESP_BAD_DOUBLE";
  return Number(line);
}

function utf8(line: string): string {
  return Buffer.from(line, "latin1").toString("utf8");
}
