/** The input of one round, written and mutated in one array that is used for all of them. */
import type { Random } from "./random.ts";

export class FuzzBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 512 * 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** The input; valid until the next change. */
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  byte(byte: number): void {
    if (this.length < this.bytes.length) this.bytes[this.length++] = byte;
  }

  /** One byte per character. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  raw(bytes: Uint8Array): void {
    const room = Math.min(bytes.length, this.bytes.length - this.length);
    this.bytes.set(bytes.subarray(0, room), this.length);
    this.length += room;
  }

  fill(byte: number, count: number): void {
    const end = Math.min(this.length + count, this.bytes.length);
    this.bytes.fill(byte, this.length, end);
    this.length = end;
  }

  /** So many random bytes, often such as mean something in a text protocol. */
  noise(random: Random, count: number): void {
    for (let i = 0; i < count; i++) {
      this.byte(random.oneIn(3) ? random.pick(TELLING) : random.below(256));
    }
  }

  /** Changes a few places: flips, replaces, removes, inserts and repeats. */
  mutate(random: Random): void {
    for (let changes = random.between(1, 3); changes > 0 && this.length > 0; changes--) {
      const at = random.below(this.length);
      switch (random.below(8)) {
        case 0:
          this.bytes[at]! ^= 1 << random.below(8);
          break;
        case 1:
        case 2:
          this.bytes[at] = random.pick(TELLING);
          break;
        case 3:
          this.bytes[at] = random.below(256);
          break;
        case 4:
          this.#remove(at, random.between(1, 3));
          break;
        case 5:
          this.#insert(at, 1);
          this.bytes[at] = random.pick(TELLING);
          break;
        case 6: {
          const count = Math.min(random.between(1, 12), this.length - at);
          this.#insert(at, count);
          break;
        }
        case 7:
          // A digit more, or another one: lengths that do not fit what follows.
          this.bytes[at] = 48 + random.below(10);
          break;
      }
    }
  }

  #remove(at: number, count: number): void {
    this.bytes.copyWithin(at, at + count, this.length);
    this.length = Math.max(at, this.length - count);
  }

  /** Makes room at `at`; what is in it afterwards is what was there. */
  #insert(at: number, count: number): void {
    const end = Math.min(this.length + count, this.bytes.length);
    this.bytes.copyWithin(at + count, at, end - count);
    this.length = end;
  }
}

/** Bytes that a text protocol looks for. */
const TELLING = [..."\r\n \r\n *$+-:_#,(!=%~>|.;?0129tfVEk\0\t\"'\\x\x7f\x80\xff"].map((letter) =>
  letter.charCodeAt(0),
);
