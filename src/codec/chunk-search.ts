/**
 * Finds where the chunks of an encrypted dnode payload end when they are not cut regularly.
 *
 * A chunk can end at each block that decrypts to valid padding, which by chance one of 256 does. Cuts are tried in the order of how
 * many irregular chunks they need, so that the likely ones come first and a hostile payload costs no more than the limits below.
 */

const BLOCK_BYTES = 16;
/** Most irregular chunks in one payload. */
const MAX_IRREGULAR_CHUNKS = 3;
/** Most candidates that are put together and shown to `isWhole`. */
const MAX_CANDIDATES = 64;
/** Most positions that are looked at. */
const MAX_STEPS = 20_000;

/**
 * What decides between candidates: bytes of padding at chunk ends, because n of them appear by chance only once in 256^n blocks,
 * less this for each irregular chunk.
 */
const IRREGULAR_COST = 1.5;
/** By how much the best candidate must beat the next. */
const MARGIN = 2;

export interface ChunkedPayload {
  /** The payload: whole blocks. */
  readonly cipher: Uint8Array;
  /** Its blocks decrypted as one chunk. */
  readonly through: Uint8Array;
  /** The iv with which every chunk begins. */
  readonly iv: Uint8Array;
  /** Cipher bytes of a full chunk. */
  readonly chunkBytes: number;
  /** Whether a candidate is one complete message. Without it the first candidate is taken. */
  readonly isWhole: ((plain: Uint8Array) => boolean) | undefined;
}

/**
 * The plain bytes of the likeliest irregular cut that `isWhole` accepts. Undefined when it accepts none, or another one is nearly as
 * likely: a message that may be the wrong one is no message.
 */
export function searchChunks(payload: ChunkedPayload): Uint8Array | undefined {
  const search = new ChunkSearch(payload);
  for (let irregular = 1; irregular <= MAX_IRREGULAR_CHUNKS; irregular++) search.cut(0, irregular);
  return search.result;
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
  #best: Accepted | undefined;
  /** Score of the best accepted candidate whose bytes differ from those of `#best`. */
  #rivalScore = Number.NEGATIVE_INFINITY;

  constructor(payload: ChunkedPayload) {
    this.#payload = payload;
    this.#blocks = payload.cipher.length / BLOCK_BYTES;
    this.#fullBlocks = payload.chunkBytes / BLOCK_BYTES;
    for (let block = 1; block < this.#blocks; block++) {
      if (paddingOf(payload.through, block * BLOCK_BYTES) > 0) this.#ends.push(block + 1);
    }
  }

  get result(): Uint8Array | undefined {
    if (this.#best === undefined || this.#best.score - this.#rivalScore < MARGIN) return undefined;
    return this.#best.plain;
  }

  /** Tries every cut of what begins at `start` that has exactly `irregular` irregular chunks. */
  cut(start: number, irregular: number): void {
    const chosen = this.#starts.length;
    // Full chunks as far as they go.
    let at = start;
    this.#starts.push(at);
    while (at + this.#fullBlocks < this.#blocks && this.#mayEnd(at, at + this.#fullBlocks)) {
      at += this.#fullBlocks;
      this.#starts.push(at);
    }
    if (irregular === 0) {
      if (this.#blocks - at <= this.#fullBlocks && this.#mayEnd(at, this.#blocks)) this.#try();
    } else {
      // Where they do not go on is the likeliest place of an irregular one.
      while (this.#starts.length > chosen && this.#goesOn()) {
        this.#cutIrregularly(this.#starts.at(-1)!, irregular);
        this.#starts.pop();
      }
    }
    this.#starts.length = chosen;
  }

  /** Ends the chunk that begins at `start` at every place but the regular one: all that is left, then ascending. */
  #cutIrregularly(start: number, irregular: number): void {
    const regular = Math.min(start + this.#fullBlocks, this.#blocks);
    if (irregular === 1 && regular < this.#blocks && this.#mayEnd(start, this.#blocks)) this.#try();
    const goOnFrom = (end: number): void => {
      if (end !== regular && end !== this.#blocks) this.cut(end, irregular - 1);
    };
    if (this.#mayEnd(start, start + 1)) goOnFrom(start + 1);
    for (let i = this.#firstEndAfter(start + 1); i < this.#ends.length && this.#goesOn(); i++) {
      goOnFrom(this.#ends[i]!);
    }
  }

  #goesOn(): boolean {
    if (++this.#steps > MAX_STEPS || this.#candidates >= MAX_CANDIDATES) return false;
    return this.#best === undefined || this.#payload.isWhole !== undefined;
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
  #try(): void {
    if (!this.#goesOn()) return;
    this.#candidates++;
    const { through } = this.#payload;
    const plain = new Uint8Array(through.length);
    let length = 0;
    let score = 0;
    for (const [i, start] of this.#starts.entries()) {
      const end = this.#starts[i + 1] ?? this.#blocks;
      const padding = this.#paddingAt(start, end);
      plain.set(through.subarray(start * BLOCK_BYTES, end * BLOCK_BYTES), length);
      plain.set(this.#firstBlock(start), length);
      length += (end - start) * BLOCK_BYTES - padding;
      if (end < this.#blocks) score += padding;
      if (end !== Math.min(start + this.#fullBlocks, this.#blocks)) score -= IRREGULAR_COST;
    }
    this.#judge({ plain: plain.subarray(0, length), score });
  }

  #judge(candidate: Accepted): void {
    const { isWhole } = this.#payload;
    if (isWhole !== undefined && !isWhole(candidate.plain)) return;
    const best = this.#best;
    if (best === undefined) {
      this.#best = candidate;
    } else if (equal(best.plain, candidate.plain)) {
      best.score = Math.max(best.score, candidate.score);
    } else {
      const loser = candidate.score > best.score ? best : candidate;
      if (loser === best) this.#best = candidate;
      this.#rivalScore = Math.max(this.#rivalScore, loser.score);
    }
  }
}

/** A candidate that is a whole message. */
interface Accepted {
  readonly plain: Uint8Array;
  score: number;
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

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
