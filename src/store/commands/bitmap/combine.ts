// The operations of BITOP, 32 bits at a time.

/** Bytes in linear memory, at any address. */
export interface Span {
  readonly pointer: number;
  readonly length: number;
}

/** What becomes of the first string's word, and of that and each further one's. */
export interface Operation {
  readonly first: (word: number) => number;
  readonly next: (word: number, other: number) => number;
}

const same = (word: number): number => word;

/** By name, in lower case. NOT is of one string. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ["and", { first: same, next: (word, other) => word & other }],
  ["or", { first: same, next: (word, other) => word | other }],
  ["xor", { first: same, next: (word, other) => word ^ other }],
  ["not", { first: (word) => ~word, next: same }],
] satisfies [string, Operation][]);

/**
 * Writes the combination of `sources` (at least one), zeros behind each one's end, to `result`, which may be one of them.
 */
export function combine(
  { first, next }: Operation,
  data: DataView,
  sources: readonly Span[],
  result: Span,
): void {
  const start = sources[0]!;
  const { pointer, length } = result;
  // A word is read from every source before it is written.
  for (let at = 0; at < length; at += 4) {
    let word = first(readWord(data, start, at));
    for (let i = 1; i < sources.length; i++) word = next(word, readWord(data, sources[i]!, at));
    if (length - at >= 4) data.setInt32(pointer + at, word, true);
    else writePart(data, pointer + at, length - at, word);
  }
}

/** The four bytes at `at`, zeros behind the end. */
function readWord(data: DataView, { pointer, length }: Span, at: number): number {
  if (length - at >= 4) return data.getInt32(pointer + at, true);
  let word = 0;
  for (let i = length - at - 1; i >= 0; i--) word = (word << 8) | data.getUint8(pointer + at + i);
  return word;
}

function writePart(data: DataView, pointer: number, length: number, word: number): void {
  for (let i = 0; i < length; i++) data.setUint8(pointer + i, word >> (i * 8));
}
