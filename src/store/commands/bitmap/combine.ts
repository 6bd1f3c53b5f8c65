// The operations of BITOP, block by block: every source's block is read before the result's is written, so that the result may
// lie where a source lies.

/** Bytes in linear memory. */
export interface Span {
  readonly pointer: number;
  readonly length: number;
}

export type Operation = "and" | "or" | "xor" | "not";

const BLOCK_BYTES = 16 * 1024;

/**
 * Writes the combination of `sources`, zeros behind each one's end, to `result`, which is no longer than the longest of them.
 * "not" is of the first source.
 */
export function combine(
  operation: Operation,
  memory: Uint8Array,
  sources: readonly Span[],
  result: Span,
): void {
  const words = (Math.min(result.length, BLOCK_BYTES) + 3) >>> 2;
  const block = new Int32Array(words);
  const other = new Int32Array(words);
  for (let at = 0; at < result.length; at += BLOCK_BYTES) {
    load(block, memory, sources[0]!, at);
    if (operation === "not") combineBlocks(operation, block, block);
    for (let i = 1; i < sources.length; i++) {
      load(other, memory, sources[i]!, at);
      combineBlocks(operation, block, other);
    }
    const length = Math.min(result.length - at, BLOCK_BYTES);
    memory.set(new Uint8Array(block.buffer, 0, length), result.pointer + at);
  }
}

function combineBlocks(operation: Operation, block: Int32Array, other: Int32Array): void {
  const length = block.length;
  switch (operation) {
    case "and":
      for (let i = 0; i < length; i++) block[i]! &= other[i]!;
      break;
    case "or":
      for (let i = 0; i < length; i++) block[i]! |= other[i]!;
      break;
    case "xor":
      for (let i = 0; i < length; i++) block[i]! ^= other[i]!;
      break;
    case "not":
      for (let i = 0; i < length; i++) block[i] = ~other[i]!;
      break;
  }
}

/** Copies what a source has from `at` on, and zeros where it ends. */
function load(block: Int32Array, memory: Uint8Array, source: Span, at: number): void {
  const bytes = new Uint8Array(block.buffer);
  const length = Math.max(0, Math.min(source.length - at, bytes.length));
  const start = source.pointer + at;
  bytes.set(memory.subarray(start, start + length));
  bytes.fill(0, length);
}
