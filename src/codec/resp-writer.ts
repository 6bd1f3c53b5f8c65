// Writes replies as RESP 2 or RESP 3 into one growing buffer.
//
//   RESP 2   + simple   - error   : integer   $ bulk ($-1 null)   * array (*-1 null)
//   RESP 3   the same, and  _ null   # boolean   , double   ( big number   = verbatim   % map   ~ set   > push

import { RingletError } from "../base/errors.ts";

const TEXT = new TextEncoder();
const CR = 13;
const LF = 10;

/** Capacity that an empty writer goes back to, in bytes. */
const KEPT_BYTES = 64 * 1024;

/** A reply is longer than its writer's limit (REPLY_TOO_LONG); what has been written of it must be taken back. */
export class ReplyTooLong extends RingletError {}

/**
 * An encoder of replies for one protocol at a time. What it has written is taken with view() and forgotten with clear(); its
 * buffer is used again.
 */
export class RespWriter {
  /** 2 or 3: how the next reply is written. */
  protocol: 2 | 3 = 2;
  /** Bytes that it may come to hold: a write that would make it grow beyond them throws ReplyTooLong. */
  limitBytes = Number.POSITIVE_INFINITY;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #length = 0;

  /** Bytes written since clear(). */
  get length(): number {
    return this.#length;
  }

  /** What has been written; valid until the next write or clear(). */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what has been written. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(KEPT_BYTES);
  }

  /** Forgets what has been written behind `length`: a reply that became an error half-way. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Puts an error in the place of what has been written behind `length`, whatever the limit. */
  errorInstead(length: number, text: string): void {
    const limit = this.limitBytes;
    this.limitBytes = Number.POSITIVE_INFINITY;
    this.#length = length;
    this.error(text);
    this.limitBytes = limit;
  }

  /** Bytes that are RESP already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  simple(text: string): void {
    this.#line(43, text);
  }

  ok(): void {
    this.#line(43, "OK");
  }

  error(text: string): void {
    this.#line(45, text.replace(/[\r\n]/g, " "));
  }

  integer(value: number | bigint): void {
    this.#line(58, String(value));
  }

  bulk(value: Uint8Array | string): void {
    const bytes = typeof value === "string" ? TEXT.encode(value) : value;
    this.#line(36, String(bytes.length));
    this.#reserve(bytes.length + 2);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#endLine();
  }

  /** The header of a bulk string whose `length` bytes are sent on their own; bulkEnd() closes it. */
  bulkHeader(length: number): void {
    this.#line(36, String(length));
  }

  /** The end of a bulk string that bulkHeader() began. */
  bulkEnd(): void {
    this.#reserve(2);
    this.#endLine();
  }

  latin1(text: string): void {
    this.#line(36, String(text.length));
    this.#ascii(text);
    this.#endLine();
  }

  null(): void {
    if (this.protocol === 3) this.#line(95, "");
    else this.#line(36, "-1");
  }

  nullArray(): void {
    if (this.protocol === 3) this.#line(95, "");
    else this.#line(42, "-1");
  }

  array(length: number): void {
    this.#line(42, String(length));
  }

  map(pairs: number): void {
    if (this.protocol === 3) this.#line(37, String(pairs));
    else this.#line(42, String(pairs * 2));
  }

  pairs(count: number): void {
    this.array(this.protocol === 3 ? count : count * 2);
  }

  pair(): void {
    if (this.protocol === 3) this.array(2);
  }

  set(length: number): void {
    this.#line(this.protocol === 3 ? 126 : 42, String(length));
  }

  push(length: number): void {
    this.#line(this.protocol === 3 ? 62 : 42, String(length));
  }

  double(value: number): void {
    const text = doubleText(value);
    if (this.protocol === 3) this.#line(44, text);
    else this.latin1(text);
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.#line(35, value ? "t" : "f");
    else this.integer(value ? 1 : 0);
  }

  verbatim(format: string, text: string): void {
    if (this.protocol === 2) {
      this.bulk(text);
      return;
    }
    const bytes = TEXT.encode(`${format}:${text}`);
    this.#line(61, String(bytes.length));
    this.raw(bytes);
    this.#reserve(2);
    this.#endLine();
  }

  bigNumber(value: bigint): void {
    if (this.protocol === 3) this.#line(40, String(value));
    else this.latin1(String(value));
  }

  #line(type: number, text: string): void {
    this.#reserve(text.length + 3);
    this.#bytes[this.#length++] = type;
    this.#ascii(text);
    this.#endLine();
  }

  #ascii(text: string): void {
    this.#reserve(text.length + 2);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  #endLine(): void {
    this.#bytes[this.#length++] = CR;
    this.#bytes[this.#length++] = LF;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    if (needed > this.limitBytes) {
      throw new ReplyTooLong(
        "REPLY_TOO_LONG",
        `the reply is longer than its limit of ${this.limitBytes} bytes`,
      );
    }
    const doubled = Math.min(this.#bytes.length * 2, this.limitBytes);
    const grown = new Uint8Array(Math.max(needed, doubled));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** A double as RESP 3 writes it. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  return Object.is(value, -0) ? "-0" : String(value);
}
