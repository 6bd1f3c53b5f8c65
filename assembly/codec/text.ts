// What the text protocols share: line ends, words and decimal numbers, each read from a field whose end is known.

/** Longest line of a text protocol, in bytes, its line end not counted. */
export const MAX_LINE_BYTES: u32 = 64 * 1024;

/** Address of the first CR or LF in [pos, end), or `end`. */
export function findLineBreak(pos: u32, end: u32): u32 {
  const cr = i8x16.splat(13);
  const lf = i8x16.splat(10);
  while (pos + 16 <= end) {
    const bytes = v128.load(pos);
    const mask = i8x16.bitmask(v128.or(i8x16.eq(bytes, cr), i8x16.eq(bytes, lf)));
    if (mask != 0) return pos + <u32>ctz(mask);
    pos += 16;
  }
  while (pos < end) {
    const byte = <u32>load<u8>(pos);
    if (byte == 13 || byte == 10) break;
    pos++;
  }
  return pos;
}

/** Address of the first `byte` in [pos, end), or `end`. */
export function findByte(pos: u32, end: u32, byte: u32): u32 {
  const wanted = i8x16.splat(<i8>byte);
  while (pos + 16 <= end) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(pos), wanted));
    if (mask != 0) return pos + <u32>ctz(mask);
    pos += 16;
  }
  while (pos < end && load<u8>(pos) != byte) pos++;
  return pos;
}

/** The number that readDecimal() read. */
export let decimal: u64 = 0;

/** Reads [pos, end) as decimal digits, leading zeros allowed. False: no number, or above `max`. */
export function readDecimal(pos: u32, end: u32, max: u64): bool {
  if (pos >= end) return false;
  let value: u64 = 0;
  do {
    const digit = <u64>(<u32>load<u8>(pos) - 48);
    if (digit > 9) return false;
    // 1844674407370955161 is the highest number that can take one more digit.
    if (value >= 1844674407370955161 && (value > 1844674407370955161 || digit > 5)) return false;
    value = value * 10 + digit;
  } while (++pos < end);
  decimal = value;
  return value <= max;
}

/** The number that readSigned() read. */
export let signed: i64 = 0;

/** Reads [pos, end) as an optional sign and decimal digits that fit 64 bits. False: no such number. `plus`: whether + is a sign. */
export function readSigned(pos: u32, end: u32, plus: bool): bool {
  if (pos >= end) return false;
  const first = <u32>load<u8>(pos);
  const negative = first == 45;
  if (negative || (plus && first == 43)) pos++;
  if (!readDecimal(pos, end, 0x7fffffffffffffff + <u64>negative)) return false;
  signed = negative ? <i64>(0 - decimal) : <i64>decimal;
  return true;
}

/**
 * Place of the word [pos, end) in a table of `count` words of at most 16 bytes, each filled up with zeros to 16, or -1.
 */
export function findWord(pos: u32, end: u32, table: usize, count: i32): i32 {
  const length = end - pos;
  // A NUL at the end would be taken for what the table's words are filled up with.
  if (length - 1 > 15 || load<u8>(end - 1) == 0) return -1;
  let low: u64 = 0;
  let high: u64 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u64>load<u8>(pos + i);
    if (i < 8) low |= byte << (i << 3);
    else high |= byte << ((i - 8) << 3);
  }
  for (let i: i32 = 0; i < count; i++) {
    if (load<u64>(table) == low && load<u64>(table, 8) == high) return i;
    table += 16;
  }
  return -1;
}
