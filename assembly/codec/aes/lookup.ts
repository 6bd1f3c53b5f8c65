// The steps that AES by vector permute is made of: nibbles, the two halves p and q of an inverse, and maps given as two tables.
// How the tables come about: test/reference/aes-tables.ts.

/** The low four bits of every byte; `nibble` is that table. */
// @ts-ignore: decorator
@inline
export function low(x: v128, nibble: v128): v128 {
  return v128.and(x, nibble);
}

/** The high four bits of every byte. */
// @ts-ignore: decorator
@inline
export function high(x: v128, nibble: v128): v128 {
  return v128.and(i16x8.shr_u(x, 4), nibble);
}

/** p of the inverse of x, see test/reference/aes-tables.ts. */
// @ts-ignore: decorator
@inline
export function pOf(x: v128, nibble: v128, inverse: v128, aOver: v128): v128 {
  const i = high(x, nibble);
  const k = low(x, nibble);
  const sum = v128.xor(i8x16.swizzle(inverse, i), i8x16.swizzle(aOver, k));
  return v128.xor(i8x16.swizzle(inverse, sum), v128.xor(i, k));
}

/** q of the inverse of x. */
// @ts-ignore: decorator
@inline
export function qOf(x: v128, nibble: v128, inverse: v128, aOver: v128): v128 {
  const i = high(x, nibble);
  const k = low(x, nibble);
  const sum = v128.xor(i8x16.swizzle(inverse, v128.xor(i, k)), i8x16.swizzle(aOver, k));
  return v128.xor(i8x16.swizzle(inverse, sum), i);
}

/** A map whose two tables lie at `table`, one behind the other. */
// @ts-ignore: decorator
@inline
export function times(table: u32, p: v128, q: v128): v128 {
  return v128.xor(i8x16.swizzle(v128.load(table), p), i8x16.swizzle(v128.load(table, 16), q));
}
