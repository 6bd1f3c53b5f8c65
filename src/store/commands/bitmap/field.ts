// Bit fields: integers of 1 to 64 bits at any bit of a byte string, highest bit first. Fields of up to 32 bits are numbers;
// wider ones are bigints, and so is what does not fit.

/** Type of a field: i1 … i64, u1 … u63. */
export interface FieldType {
  readonly signed: boolean;
  readonly bits: number;
}

/** What becomes of a number that does not fit into its field. */
export type Overflow = "wrap" | "sat" | "fail";

/** The type that a word like "u8" names; undefined for none. */
export function parseFieldType(word: string): FieldType | undefined {
  if (!/^[iu][1-9][0-9]?$/.test(word)) return undefined;
  const signed = word[0] === "i";
  const bits = Number(word.slice(1));
  return bits <= (signed ? 64 : 63) ? { signed, bits } : undefined;
}

/** The field at bit `offset`; what lies behind the end of `bytes` is zeros. */
export function readField(bytes: Uint8Array, offset: number, type: FieldType): number | bigint {
  const { bits, signed } = type;
  if (bits <= 32) {
    const value = readBits(bytes, offset, bits);
    return signed ? (value << (32 - bits)) >> (32 - bits) : value;
  }
  const high = BigInt(readBits(bytes, offset, bits - 32));
  const value = (high << 32n) | BigInt(readBits(bytes, offset + bits - 32, 32));
  return signed ? BigInt.asIntN(bits, value) : value;
}

/** Writes the lowest bits of `value`, as many as the type has, at bit `offset`. */
export function writeField(
  bytes: Uint8Array,
  offset: number,
  { bits }: FieldType,
  value: number | bigint,
): void {
  if (typeof value === "number" && bits <= 32) {
    writeBits(bytes, offset, bits, value);
    return;
  }
  const whole = BigInt.asUintN(bits, BigInt(value));
  if (bits > 32) writeBits(bytes, offset, bits - 32, Number(whole >> 32n));
  const low = Math.min(bits, 32);
  writeBits(bytes, offset + bits - low, low, Number(whole & 0xffffffffn));
}

/** The sum of a field's value and a 64-bit integer. */
export function addToField(value: number | bigint, by: bigint): number | bigint {
  const near = Number(by);
  const exact = typeof value === "number" && Math.abs(near) <= 2 ** 52;
  return exact ? value + near : BigInt(value) + by;
}

/** What a field of this type holds for `value`; undefined when it does not fit and must not be written. */
export function fitField(
  value: number | bigint,
  { signed, bits }: FieldType,
  overflow: Overflow,
): number | bigint | undefined {
  const { min, max } = boundsOf(signed, bits);
  if (value >= min && value <= max) return value;
  switch (overflow) {
    case "fail":
      return undefined;
    case "sat":
      return value > max ? max : min;
    case "wrap":
      return signed ? BigInt.asIntN(bits, BigInt(value)) : BigInt.asUintN(bits, BigInt(value));
  }
}

function boundsOf(
  signed: boolean,
  bits: number,
): { readonly min: number | bigint; readonly max: number | bigint } {
  const magnitudeBits = signed ? bits - 1 : bits;
  if (bits <= 32) return { min: signed ? -(2 ** magnitudeBits) : 0, max: 2 ** magnitudeBits - 1 };
  const limit = 1n << BigInt(magnitudeBits);
  return { min: signed ? -limit : 0n, max: limit - 1n };
}

/** Up to 32 bits as a number that is not negative. */
function readBits(bytes: Uint8Array, offset: number, bits: number): number {
  let at = Math.floor(offset / 8);
  const skipped = offset % 8;
  let value = (bytes[at] ?? 0) & (0xff >> skipped);
  let read = 8 - skipped;
  while (read < bits) {
    value = value * 256 + (bytes[++at] ?? 0);
    read += 8;
  }
  return Math.floor(value / 2 ** (read - bits));
}

/** Writes the lowest `bits` bits of `value`, at most 32, from the last byte to the first. */
function writeBits(bytes: Uint8Array, offset: number, bits: number, value: number): void {
  let rest = value;
  let left = bits;
  while (left > 0) {
    const last = offset + left - 1;
    const at = Math.floor(last / 8);
    const behind = 7 - (last % 8);
    const here = Math.min(left, 8 - behind);
    const mask = ((1 << here) - 1) << behind;
    bytes[at] = (bytes[at]! & ~mask) | ((rest << behind) & mask);
    rest >>>= here;
    left -= here;
  }
}
