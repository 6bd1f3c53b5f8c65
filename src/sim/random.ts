/**
 * Random numbers from a seed. A source splits by name: what one part draws never shifts what another gets, so a draw more in
 * one place leaves the rest of a run as it was. Only exact arithmetic is used: every runtime gets the same numbers.
 */
export class Random {
  readonly #path: string;
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  /** A source; equal seeds give equal numbers. */
  constructor(seed: string) {
    this.#path = seed;
    this.#a = hashText(seed, 0x243f6a88);
    this.#b = hashText(seed, 0x85a308d3);
    this.#c = hashText(seed, 0x13198a2e);
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.u32();
  }

  /** The source of that name below this one, whatever has been drawn from this one. */
  fork(name: string): Random {
    return new Random(`${this.#path}/${name}`);
  }

  /** A whole number from 0 to 2^32 - 1 (the generator sfc32). */
  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number from 0 up to 1, without 1. */
  fraction(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** A whole number from 0 to `bound` - 1; 0 for a bound below 1. */
  below(bound: number): number {
    return Math.floor(this.fraction() * Math.max(1, bound));
  }

  /** A number from `low` up to `high`. */
  between(low: number, high: number): number {
    return low + this.fraction() * (high - low);
  }

  /** Whether something happens that happens with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** A waiting time with this mean, exponentially distributed. */
  exponential(mean: number): number {
    return mean * negativeLogarithm((this.u32() + 1) / 0x1_0000_0000);
  }

  /** One of the items, of which there must be one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** The items in an order of chance. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    return order;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.u32();
    return bytes;
  }
}

/** Rounds after which the seed is spread over the whole state. */
const WARM_UP_ROUNDS = 15;

/** A 32-bit hash of a text. */
export function hashText(text: string, start: number): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i));
  return mix(hash, text.length);
}

/** A 32-bit hash of bytes, continuing from another. */
export function hashBytes(bytes: Uint8Array, start: number): number {
  let hash = start;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return mix(hash, bytes.length);
}

/** Stirs a 32-bit number into a hash. */
export function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, FNV_PRIME);
  mixed = Math.imul(mixed ^ (mixed >>> 15), STIR);
  return mixed ^ (mixed >>> 13);
}

const FNV_PRIME = 0x01000193;
const STIR = 0x2c1b3c6d;

/** -ln(x) for 0 < x ≤ 1, by sums and products alone: Math.log may differ between engines in the last bit. */
function negativeLogarithm(x: number): number {
  let halvings = 0;
  let scaled = x;
  while (scaled < 0.5) {
    scaled *= 2;
    halvings++;
  }
  const z = (1 - scaled) / (1 + scaled);
  const square = z * z;
  let sum = 0;
  for (let power = 15; power >= 1; power -= 2) sum = sum * square + 1 / power;
  return halvings * Math.LN2 + 2 * z * sum;
}
