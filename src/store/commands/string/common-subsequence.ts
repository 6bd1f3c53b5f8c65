// The longest common subsequence of two strings, by the table of the lengths for all their beginnings. Among several of the
// same length it is the one that Redis finds: going back from both ends, a tie leaves out the last byte of the second string.

/** A part that both strings have, with its place in each. */
export interface Match {
  readonly inA: number;
  readonly inB: number;
  readonly length: number;
}

export class CommonSubsequence {
  readonly #a: Uint8Array;
  readonly #b: Uint8Array;
  /** At i × (b.length + 1) + j: the length for the first i bytes of a and the first j of b. */
  readonly #lengths: Uint32Array;

  /** Bytes of memory that the table for two strings takes. */
  static tableBytes(a: Uint8Array, b: Uint8Array): number {
    return (a.length + 1) * (b.length + 1) * Uint32Array.BYTES_PER_ELEMENT;
  }

  constructor(a: Uint8Array, b: Uint8Array) {
    this.#a = a;
    this.#b = b;
    const width = b.length + 1;
    const lengths = new Uint32Array((a.length + 1) * width);
    for (let i = 1; i <= a.length; i++) {
      const byte = a[i - 1];
      const row = i * width;
      for (let j = 1; j <= b.length; j++) {
        const at = row + j;
        const without = Math.max(lengths[at - 1]!, lengths[at - width]!);
        lengths[at] = byte === b[j - 1] ? lengths[at - width - 1]! + 1 : without;
      }
    }
    this.#lengths = lengths;
  }

  get length(): number {
    return this.#lengths[this.#lengths.length - 1]!;
  }

  /** The parts that make up the subsequence, the last one first; each as long as it can be. */
  matches(): Match[] {
    const matches: Match[] = [];
    const width = this.#b.length + 1;
    let i = this.#a.length;
    let j = this.#b.length;
    while (i > 0 && j > 0) {
      let length = 0;
      while (i > 0 && j > 0 && this.#a[i - 1] === this.#b[j - 1]) {
        i--;
        j--;
        length++;
      }
      if (length > 0) matches.push({ inA: i, inB: j, length });
      else if (this.#lengths[(i - 1) * width + j]! > this.#lengths[i * width + j - 1]!) i--;
      else j--;
    }
    return matches;
  }

  /** The subsequence itself. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let end = bytes.length;
    for (const { inA, length } of this.matches()) {
      end -= length;
      bytes.set(this.#a.subarray(inA, inA + length), end);
    }
    return bytes;
  }
}
