/**
 * Finds where the chunks of an encrypted dnode payload end when they are not cut regularly.
 *
 * A chunk can end at each block that decrypts to valid padding, which by chance one of 256 does. Cuts are tried in the order of how
 * many irregular chunks they need, so that the likely ones come first and a hostile payload costs no more than the two limits below.
 */

const BLOCK_BYTES = 16;
/** Most irregular chunks in one payload. */
const MAX_IRREGULAR_CHUNKS = 4;
/** Most candidates that are put together and shown to `isWhole`. */
const MAX_CANDIDATES = 64;
/** Most positions that are looked at. */
const MAX_STEPS = 100_000;

export interface ChunkedPayload {
  /** The payload: whole blocks. */
  readonly cipher: Uint8Array;
  /** Its blocks decrypted as one chunk. */
  readonly through: Uint8Array;
  /** The iv with which every chunk begins. */
  readonly iv: Uint8Array;
  /** Cipher bytes of a full chunk. */
  readonly chunkBytes: number;
  /** Whether a candidate is one complete message. */
  isWhole(plain: Uint8Array): boolean;
}

/** The plain bytes of the first irregular cut that `isWhole` accepts; undefined when there is none within the limits. */
export function searchChunks(payload: ChunkedPayload): Uint8Array | undefined {
  const search = new ChunkSearch(payload);
  for (let irregular = 1; irregular <= MAX_IRREGULAR_CHUNKS; irregular++) {
    const found = search.from(0, irregular);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Positions are numbers of blocks. */
class ChunkSearch {
  readonly #payload: ChunkedPayload;
  readonly #blocks: number;
  readonly #fullBlocks: number;
  /** Where a chunk of more than one block may end, ascending. */
  readonly #ends: number[] = [];
  /** Beginnings of the chunks chosen so far. */
  readonly #starts: number[] = [];
  #candidates = 0;
  #steps = 0;

  constructor(payload: ChunkedPayload) {
    this.#payload = payload;
    this.#blocks = payload.cipher.length / BLOCK_BYTES;
    this.#fullBlocks = payload.chunkBytes / BLOCK_BYTES;
    for (let block = 1; block < this.#blocks; block++) {
      if (paddingOf(payload.through, block * BLOCK_BYTES) > 0) this.#ends.push(block + 1);
    }
  }

  /** Cuts the rest from `start` on, with exactly `irregular` irregular chunks. */
  from(start: number, irregular: number): Uint8Array | undefined {
    const chosen = this.#starts.length;
    // Full chunks as far as they go.
    let at = start;
    this.#starts.push(at);
    while (at + this.#fullBlocks < this.#blocks && this.#mayEnd(at, at + this.#fullBlocks)) {
      at += this.#fullBlocks;
      this.#starts.push(at);
    }
    let found: Uint8Array | undefined;
    if (irregular === 0) {
      if (this.#blocks - at <= this.#fullBlocks && this.#mayEnd(at, this.#blocks))
        found = this.#put();
    } else {
      // Where they do not go on is the likeliest place of an irregular one.
      while (found === undefined && this.#starts.length > chosen && this.#goesOn()) {
        found = this.#irregular(this.#starts.at(-1)!, irregular);
        this.#starts.pop();
      }
    }
    this.#starts.length = chosen;
    return found;
  }

  /** Ends the chunk that begins at `start` at every place but the regular one: all that is left, then ascending. */
  #irregular(start: number, irregular: number): Uint8Array | undefined {
    const regular = Math.min(start + this.#fullBlocks, this.#blocks);
    if (irregular === 1 && regular !== this.#blocks && this.#mayEnd(start, this.#blocks)) {
      const found = this.#put();
      if (found !== undefined) return found;
    }
    const next = (end: number): Uint8Array | undefined =>
      end === regular || end === this.#blocks ? undefined : this.from(end, irregular - 1);
    if (this.#mayEnd(start, start + 1)) {
      const found = next(start + 1);
      if (found !== undefined) return found;
    }
    for (let i = this.#firstEndAfter(start + 1); i < this.#ends.length && this.#goesOn(); i++) {
      const found = next(this.#ends[i]!);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #goesOn(): boolean {
    return ++this.#steps <= MAX_STEPS && this.#candidates < MAX_CANDIDATES;
  }

  #mayEnd(start: number, end: number): boolean {
    this.#steps++;
    return this.#paddingAt(start, end) > 0;
  }

  /** Length of the padding of a chunk; 0 when it is wrong. */
  #paddingAt(start: number, end: number): number {
    if (end === start + 1) return paddingOf(this.#firstBlock(start), 0);
    return paddingOf(this.#payload.through, (end - 1) * BLOCK_BYTES);
  }

  /** The first block of a chunk: chained to the iv instead of to the block before it. */
  #firstBlock(start: number): Uint8Array {
    const { cipher, through, iv } = this.#payload;
    const at = start * BLOCK_BYTES;
    const block = through.slice(at, at + BLOCK_BYTES);
    if (start === 0) return block;
    return block.map((byte, i) => byte ^ cipher[at - BLOCK_BYTES + i]! ^ iv[i]!);
  }

  #firstEndAfter(position: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ends[middle]! > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Puts the chosen chunks together and asks whether they are a message. */
  #put(): Uint8Array | undefined {
    this.#candidates++;
    const { through, isWhole } = this.#payload;
    const plain = new Uint8Array(through.length);
    let length = 0;
    for (const [i, start] of this.#starts.entries()) {
      const end = this.#starts[i + 1] ?? this.#blocks;
      plain.set(through.subarray(start * BLOCK_BYTES, end * BLOCK_BYTES), length);
      plain.set(this.#firstBlock(start), length);
      length += (end - start) * BLOCK_BYTES - this.#paddingAt(start, end);
    }
    const candidate = plain.subarray(0, length);
    return isWhole(candidate) ? candidate : undefined;
  }
}

/** Length of the padding, 1 to 16, of the block at `at`; 0 when it is wrong. */
function paddingOf(bytes: Uint8Array, at: number): number {
  const padding = bytes[at + BLOCK_BYTES - 1]!;
  if (padding === 0 || padding > BLOCK_BYTES) return 0;
  for (let i = BLOCK_BYTES - padding; i < BLOCK_BYTES; i++) {
    if (bytes[at + i] !== padding) return 0;
  }
  return padding;
}
