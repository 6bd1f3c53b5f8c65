/** What is known of an order of numbered things, closed under "before what is before". */
export class PartialOrder {
  readonly #count: number;
  readonly #words: number;
  /** Row i: the things that come after i, as bits; and those before it. */
  readonly #after: Uint32Array;
  readonly #before: Uint32Array;
  #cycle: number[] | undefined;

  constructor(count: number) {
    this.#count = count;
    this.#words = (count + 31) >>> 5;
    this.#after = new Uint32Array(count * this.#words);
    this.#before = new Uint32Array(count * this.#words);
  }

  isBefore(one: number, other: number): boolean {
    return has(this.#after, one * this.#words, other);
  }

  /** `one` comes before `other`; a thing is not before itself, so equal numbers say nothing. */
  add(one: number, other: number): void {
    if (one === other || this.isBefore(one, other)) return;
    if (this.isBefore(other, one)) {
      this.#cycle ??= [one, other];
      return;
    }
    const words = this.#words;
    const behind = this.#after.slice(other * words, (other + 1) * words);
    const ahead = this.#before.slice(one * words, (one + 1) * words);
    set(behind, 0, other);
    set(ahead, 0, one);
    for (let each = 0; each < this.#count; each++) {
      if (has(ahead, 0, each)) merge(this.#after, each * words, behind);
      if (has(behind, 0, each)) merge(this.#before, each * words, ahead);
    }
  }

  /** Two things of which each was said to be before the other; undefined: there are none. */
  cycle(): readonly number[] | undefined {
    return this.#cycle;
  }
}

function has(bits: Uint32Array, row: number, index: number): boolean {
  return ((bits[row + (index >>> 5)]! >>> (index & 31)) & 1) === 1;
}

function set(bits: Uint32Array, row: number, index: number): void {
  bits[row + (index >>> 5)]! |= 1 << (index & 31);
}

function merge(bits: Uint32Array, row: number, from: Uint32Array): void {
  for (let word = 0; word < from.length; word++) bits[row + word]! |= from[word]!;
}
