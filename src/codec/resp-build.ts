/** Makes RespValues of the tokens that the codec writes for a reply (assembly/codec/resp-reply.ts says what a token is). */
import { CodecError } from "./codec-error.ts";
import { concat } from "./concat.ts";
import type { RespEntry, RespValue } from "./resp-value.ts";

const TOKEN_BYTES = 12;
/** Set in the first word of a token of unknown length. */
const STREAMED = 0x100;
const END = 46;
const CHUNK = 59;

const NULL: RespValue = Object.freeze({ type: "null" });
const NULL_ARRAY: RespValue = Object.freeze({ type: "null-array" });
const OK: RespValue = Object.freeze({ type: "simple", text: "OK" });

/** Reads one token after the other. `bytes` is the input that their offsets count in. */
export class RespBuilder {
  readonly #data: DataView;
  readonly #bytes: Uint8Array;
  #at: number;

  /** Tokens are read from `at` on in `data`. */
  constructor(data: DataView, at: number, bytes: Uint8Array) {
    this.#data = data;
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The next value. The parser has seen to it that there is a whole one, and that it is at most 32 aggregates deep. */
  value(): RespValue {
    const data = this.#data;
    const at = this.#at;
    const kind = data.getUint32(at, true);
    const a = data.getUint32(at + 4, true);
    const b = data.getUint32(at + 8, true);
    this.#at = at + TOKEN_BYTES;
    switch (kind) {
      case 36 /* $ */:
        return { type: "bulk", bytes: this.#view(a, b) };
      case 43 /* + */:
        if (b === 2 && this.#bytes[a] === 79 && this.#bytes[a + 1] === 75) return OK;
        return { type: "simple", text: this.#text(a, b) };
      case 45 /* - */:
        return { type: "error", text: this.#text(a, b) };
      case 58 /* : */:
        return { type: "integer", value: integer(a, b | 0) };
      case 95 /* _ */:
        return a === 1 ? NULL_ARRAY : NULL;
      case 42 /* * */:
        return { type: "array", items: this.#items(a) };
      case 126 /* ~ */:
        return { type: "set", items: this.#items(a) };
      case 62 /* > */:
        return { type: "push", items: this.#items(a) };
      case 37 /* % */:
        return { type: "map", entries: this.#entries(a) };
      case 124 /* | */:
        return { type: "attribute", entries: this.#entries(a), value: this.value() };
      case 35 /* # */:
        return { type: "boolean", value: a === 1 };
      case 44 /* , */:
        return { type: "double", value: double(this.#text(a, b)) };
      case 40 /* ( */:
        return { type: "big-number", value: bigNumber(this.#text(a, b)) };
      case 33 /* ! */:
        return { type: "bulk-error", bytes: this.#view(a, b) };
      case 61 /* = */:
        return { type: "verbatim", format: this.#latin1(a, 3), bytes: this.#view(a + 4, b - 4) };
      case 36 | STREAMED:
        return { type: "bulk", bytes: this.#chunks() };
      case 42 | STREAMED:
        return { type: "array", items: this.#itemsToEnd() };
      case 126 | STREAMED:
        return { type: "set", items: this.#itemsToEnd() };
      case 37 | STREAMED: {
        const flat = this.#itemsToEnd();
        const entries: RespEntry[] = [];
        for (let i = 0; i < flat.length; i += 2) entries.push([flat[i]!, flat[i + 1]!]);
        return { type: "map", entries };
      }
      default:
        throw new CodecError("RESP_TOKEN", `the codec wrote a token of no type (${kind})`);
    }
  }

  #items(count: number): RespValue[] {
    const items: RespValue[] = [];
    for (let i = 0; i < count; i++) items.push(this.value());
    return items;
  }

  #entries(count: number): RespEntry[] {
    const entries: RespEntry[] = [];
    for (let i = 0; i < count; i++) entries.push([this.value(), this.value()]);
    return entries;
  }

  #itemsToEnd(): RespValue[] {
    const items: RespValue[] = [];
    while (this.#data.getUint32(this.#at, true) !== END) items.push(this.value());
    this.#at += TOKEN_BYTES;
    return items;
  }

  #chunks(): Uint8Array {
    const chunks: Uint8Array[] = [];
    while (this.#data.getUint32(this.#at, true) === CHUNK) {
      const size = this.#data.getUint32(this.#at + 8, true);
      const offset = this.#data.getUint32(this.#at + 4, true);
      this.#at += TOKEN_BYTES;
      if (size === 0) break;
      chunks.push(this.#view(offset, size));
    }
    return concat(chunks);
  }

  #view(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + offset, length);
  }

  #text(offset: number, length: number): string {
    if (length > SHORT_TEXT_BYTES) return decodeUtf8(this.#view(offset, length));
    let text = "";
    for (let i = offset; i < offset + length; i++) {
      const byte = this.#bytes[i]!;
      if (byte > 127) return decodeUtf8(this.#view(offset, length));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #latin1(offset: number, length: number): string {
    return String.fromCharCode(...this.#view(offset, length));
  }
}

/** Up to here, ASCII is read faster character by character. */
const SHORT_TEXT_BYTES = 48;

function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function integer(low: number, high: number): number | bigint {
  const value = high * 2 ** 32 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
}

function double(text: string): number {
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  if (!/^[+-]?inf$/i.test(text)) return Number.NaN;
  return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function bigNumber(text: string): bigint {
  return BigInt(text.startsWith("+") ? text.slice(1) : text);
}
