import type { KernelMemory } from "./memory.ts";

/**
 * The arguments of one command, where the parser found them in linear memory; argument 0 is the command's name. They are there
 * until the command returns: what outlives it must be copied with bytes() or text().
 */
export class Arguments {
  readonly #memory: KernelMemory;
  #argv = 0;
  #length = 0;

  constructor(memory: KernelMemory) {
    this.#memory = memory;
  }

  /** Points at the `length` (address, length) pairs at `argv`. */
  point(argv: number, length: number): this {
    this.#argv = argv >>> 2;
    this.#length = length;
    return this;
  }

  /** How many arguments there are, the name included. */
  get length(): number {
    return this.#length;
  }

  /** Address of an argument in linear memory. */
  pointer(index: number): number {
    return this.#memory.words[this.#argv + index * 2]!;
  }

  /** Bytes of an argument. */
  size(index: number): number {
    return this.#memory.words[this.#argv + index * 2 + 1]!;
  }

  /** The argument itself: valid until the next call into the kernel, and not to be changed. */
  view(index: number): Uint8Array<ArrayBuffer> {
    const pointer = this.pointer(index);
    return this.#memory.bytes.subarray(pointer, pointer + this.size(index));
  }

  /** A copy of the argument. */
  bytes(index: number): Uint8Array<ArrayBuffer> {
    const pointer = this.pointer(index);
    return this.#memory.bytes.slice(pointer, pointer + this.size(index));
  }

  /** The argument as text, one character per byte: binary-safe as a key of a Map, right for all that is ASCII. */
  text(index: number): string {
    return latin1(this.#memory.bytes, this.pointer(index), this.size(index));
  }

  /** The argument as text in lower case: names of commands and options; "" where it is longer than any of them. */
  word(index: number): string {
    return this.size(index) <= LONGEST_WORD ? this.text(index).toLowerCase() : "";
  }
}

/** What reading arguments takes, wherever they lie. */
export type ArgumentReader = Pick<Arguments, "length" | "size" | "bytes" | "text" | "word">;

/** Arguments that are no longer, or never were, in linear memory. */
export class ListedArguments implements ArgumentReader {
  readonly #list: readonly Uint8Array[];

  constructor(list: readonly Uint8Array[]) {
    this.#list = list;
  }

  get length(): number {
    return this.#list.length;
  }

  size(index: number): number {
    return this.#list[index]!.length;
  }

  bytes(index: number): Uint8Array<ArrayBuffer> {
    return this.#list[index]!.slice();
  }

  text(index: number): string {
    return latin1(this.#list[index]!, 0, this.size(index));
  }

  word(index: number): string {
    return this.size(index) <= LONGEST_WORD ? this.text(index).toLowerCase() : "";
  }
}

/** Text of `length` bytes at `start`, one character per byte. */
export function latin1(bytes: Uint8Array, start: number, length: number): string {
  const end = start + length;
  if (length <= CHARACTERS_AT_ONCE) {
    return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
  }
  let text = "";
  for (let at = start; at < end; at += CHARACTERS_AT_ONCE) {
    text += latin1(bytes, at, Math.min(CHARACTERS_AT_ONCE, end - at));
  }
  return text;
}

/** Bytes of text that is one character per byte. */
export function fromLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Bytes of the longest name or option. */
const LONGEST_WORD = 64;
/** Characters that one call may have as arguments. */
const CHARACTERS_AT_ONCE = 8192;
