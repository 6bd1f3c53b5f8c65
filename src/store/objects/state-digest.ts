/**
 * A digest of a set of rows, 64 bits, independent of their order: the sum of a hash of each. It tells replicas apart, it keeps
 * nobody out.
 */
export class StateDigest {
  #low = 0;
  #high = 0;

  /** Adds a row: texts of one character per byte, or bytes, which count as the same. */
  add(parts: readonly (string | Uint8Array)[]): void {
    let one = SEED_ONE;
    let other = SEED_OTHER;
    for (const part of parts) {
      one = Math.imul(one ^ part.length, PRIME_ONE);
      other = Math.imul(other ^ part.length, PRIME_OTHER);
      for (let at = 0; at < part.length; at++) {
        const byte = typeof part === "string" ? part.charCodeAt(at) : part[at]!;
        one = Math.imul(one ^ byte, PRIME_ONE);
        other = Math.imul(other ^ byte, PRIME_OTHER);
        other ^= other >>> 15;
      }
    }
    this.#low = (this.#low + finish(one)) | 0;
    this.#high = (this.#high + finish(other)) | 0;
  }

  get value(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }
}

const SEED_ONE = 0x811c9dc5;
const SEED_OTHER = 0x9e3779b9;
/** The prime of FNV-1a, and that of the golden ratio. */
const PRIME_ONE = 0x01000193;
const PRIME_OTHER = 0x9e3779b1;

/** Spreads every bit over all 32 (the finalizer of MurmurHash3). */
function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
