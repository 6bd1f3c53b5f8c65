// Replies of the memcached protocol on their way to a client: they are gathered, and leave together.

import type { Item } from "../../store/items.ts";

/** Bytes to begin with, from which on they leave, and above which a value is not copied before it is sent. */
const FIRST_BYTES = 16 * 1024;
const MANY_BYTES = 256 * 1024;
const LARGE_VALUE_BYTES = 64 * 1024;

const CR = 13;
const LF = 10;
const SPACE = 32;

export class ReplyBuffer {
  readonly #send: (bytes: Uint8Array) => void;
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** `send` takes bytes that are there until it returns. */
  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** Bytes that have not left. */
  get length(): number {
    return this.#length;
  }

  /** Takes back what was written since there were `length` bytes. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Sends what is there. */
  flush(): void {
    if (this.#length === 0) return;
    this.#send(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    if (this.#bytes.length > MANY_BYTES * 2) this.#bytes = new Uint8Array(FIRST_BYTES);
  }

  /** A line of text, one character per byte. */
  line(text: string): void {
    this.#reserve(text.length + 2);
    this.#text(text);
    this.#end();
  }

  /** VALUE of get and its kind; `cas`: with the version of the item. */
  value(key: Uint8Array, item: Item, cas: boolean): void {
    this.#reserve(key.length + 64);
    this.#text("VALUE ");
    this.#copy(key);
    this.#byte(SPACE);
    this.#text(String(item.flags));
    this.#byte(SPACE);
    this.#text(String(item.value.length));
    if (cas) this.#text(` ${item.cas}`);
    this.#end();
    this.block(item.value);
  }

  /** A block of data and the end of its line. */
  block(bytes: Uint8Array): void {
    if (bytes.length > LARGE_VALUE_BYTES) {
      this.flush();
      this.#send(bytes);
      this.#reserve(2);
    } else {
      this.#reserve(bytes.length + 2);
      this.#copy(bytes);
    }
    this.#end();
    if (this.#length >= MANY_BYTES) this.flush();
  }

  #text(text: string): void {
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  #copy(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #byte(byte: number): void {
    this.#bytes[this.#length++] = byte;
  }

  #end(): void {
    this.#bytes[this.#length++] = CR;
    this.#bytes[this.#length++] = LF;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}
