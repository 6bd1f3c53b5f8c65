/**
 * An instance of codec.wasm whose memory never grows, with the input at its very end: one byte read too many is a trap. The same
 * input is also placed inside, between bytes that look like more of it, where one byte too many would change the answer.
 */
import { instantiateSync } from "@assemblyscript/loader";
import { readModule } from "../../src/runtime/node/wasm-file.ts";
import { Mismatch, show } from "./target.ts";

/** Room for the output, and for the longest input. */
const OUT_BYTES = 512 * 1024;
const INPUT_BYTES = 1024 * 1024;
const GUARD_BYTES = 48;
const GUARD = 0x5a5a5a5a;

/** What follows an input inside the memory: more of what a parser waits for. */
const POISON = Array.from({ length: 16 }, (_, i) => {
  const text = ["\r\n0\r\n$1*2 ", "9999999999 ", "\n\r\n:5\r\n.\r\n", "   $2014$ 1 "][i % 4]!;
  return Uint8Array.from({ length: GUARD_BYTES }, (_, at) =>
    text.charCodeAt((at + i) % text.length),
  );
});

export class EdgeMemory<Exports> {
  readonly exports: Exports & { readonly memory: WebAssembly.Memory };
  /** Where the output goes. */
  readonly out: number;
  /** First address behind the memory. */
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #kept = new Uint32Array(OUT_BYTES / 4);

  constructor() {
    const exports = instantiateSync(readModule("codec")).instance.exports as unknown as Exports & {
      memory: WebAssembly.Memory;
      reserve(bytes: number): number;
    };
    this.exports = exports;
    this.out = exports.reserve(OUT_BYTES + INPUT_BYTES);
    this.end = exports.memory.buffer.byteLength;
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#words = new Uint32Array(exports.memory.buffer);
  }

  /** Writes the input so that its last byte is the memory's last, and returns its address. */
  placeAtEnd(input: Uint8Array): number {
    const at = this.end - input.length;
    this.#bytes.set(input, at);
    return at;
  }

  /** Writes the input between bytes that depend on `variant`, and returns its address. */
  placeInside(input: Uint8Array, variant: number): number {
    const at = this.out + OUT_BYTES + GUARD_BYTES + (variant & 15);
    this.#bytes.set(POISON[variant & 15]!, at - GUARD_BYTES);
    this.#bytes.set(input, at);
    this.#bytes.set(POISON[(variant >> 4) & 15]!, at + input.length);
    return at;
  }

  /** The u32 at `address`. */
  word(address: number): number {
    return this.#words[address >>> 2]!;
  }

  fillWords(address: number, count: number, value: number): void {
    this.#words.fill(value, address >>> 2, (address >>> 2) + count);
  }

  /**
   * Calls `index` with the input at the end and inside, and throws a Mismatch unless it wrote the same both times, nothing at or
   * behind `capacity` words, and nothing around the input. Word `usedAt` of what it writes says how many words it has written.
   */
  compare(
    input: Uint8Array,
    variant: number,
    capacity: number,
    usedAt: number,
    index: (input: number, length: number, out: number, capacity: number) => number,
  ): number {
    if (capacity * 4 + 64 > OUT_BYTES) throw new RangeError(`no room for ${capacity} words`);
    const first = this.out >>> 2;
    const guard = first + capacity;
    this.#words.fill(GUARD, guard, guard + 16);
    const status = index(this.placeAtEnd(input), input.length, this.out, capacity);
    const used = this.#words[first + usedAt]!;
    if (used > capacity) throw new Mismatch(`wrote ${used} words where ${capacity} have room`);
    const kept = this.#kept;
    for (let i = 0; i < used; i++) kept[i] = this.#words[first + i]!;

    const at = this.placeInside(input, variant);
    const again = index(at, input.length, this.out, capacity);
    if (again !== status) {
      throw new Mismatch(
        `the answer depends on what lies around the input: ${status} and ${again}`,
      );
    }
    for (let i = 0; i < used; i++) {
      if (kept[i] !== this.#words[first + i]) {
        throw new Mismatch(
          `word ${i} depends on what lies around the input: ${show(kept[i])} and ${show(this.#words[first + i])}`,
        );
      }
    }
    for (let i = guard; i < guard + 16; i++) {
      if (this.#words[i] !== GUARD) throw new Mismatch("wrote behind the room for its output");
    }
    this.#checkPoison(at - GUARD_BYTES, POISON[variant & 15]!);
    this.#checkPoison(at + input.length, POISON[(variant >> 4) & 15]!);
    return status;
  }

  #checkPoison(at: number, poison: Uint8Array): void {
    for (let i = 0; i < GUARD_BYTES; i++) {
      if (this.#bytes[at + i] !== poison[i]) throw new Mismatch("wrote outside of the input");
    }
  }

  /** Throws a Mismatch when the memory has grown. */
  checkSize(): void {
    if (this.exports.memory.buffer.byteLength !== this.end)
      throw new Mismatch("the memory has grown");
  }
}
