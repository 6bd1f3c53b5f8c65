// Bodies of requests between nodes: fields one after the other, integers little-endian, bytes behind their u32 length.

import { RingletError } from "../base/errors.ts";

const TEXT = new TextEncoder();
const UTF8 = new TextDecoder();

/** Writes fields into one growing buffer. */
export class FieldWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): this {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#take(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.u32(value.length);
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Text as UTF-8. */
  text(value: string): this {
    return this.bytes(TEXT.encode(value));
  }

  /** A count, and each of the byte strings. */
  list(values: readonly Uint8Array[]): this {
    this.u32(values.length);
    for (const value of values) this.bytes(value);
    return this;
  }

  /** What has been written. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room, which may replace the buffer and its view: call it before either is used. */
  #take(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/** Reads what a FieldWriter wrote. Every method throws RingletError MALFORMED_REQUEST where the bytes end too soon. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A view of the bytes that are read. */
  bytes(): Uint8Array {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    return UTF8.decode(this.bytes());
  }

  list(): Uint8Array[] {
    const values: Uint8Array[] = [];
    // Each takes four bytes at least, so a wrong count ends at the end of the bytes.
    for (let left = this.u32(); left > 0; left--) values.push(this.bytes());
    return values;
  }

  /** Throws unless everything has been read. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed();
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw malformed();
    this.#at = at + length;
    return at;
  }
}

const malformed = (): RingletError =>
  new RingletError(
    "MALFORMED_REQUEST",
    "a request between nodes cannot be read; nothing of it was run. Do both run the same version?",
  );
