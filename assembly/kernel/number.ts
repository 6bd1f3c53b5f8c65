// Decimal numbers as Redis reads and writes them: a 64-bit integer without leading zeros, plus sign or spaces.

/** What parseInteger() read last. */
export let parsedInteger: i64 = 0;

/** Reads all `length` bytes at `pointer` as one integer into `parsedInteger`; false when they are none. */
export function parseInteger(pointer: u32, length: u32): bool {
  if (length == 0 || length > 20) return false;
  let at = pointer;
  const end = pointer + length;
  const negative = load<u8>(at) == 45;
  if (negative) {
    at++;
    if (at == end) return false;
  }
  let digit = <u32>load<u8>(at) - 48;
  if (digit > 9) return false;
  if (digit == 0) {
    if (negative || at + 1 != end) return false;
    parsedInteger = 0;
    return true;
  }
  const digits = end - at;
  if (digits > 19) return false;
  let value: u64 = 0;
  while (at < end) {
    digit = <u32>load<u8>(at) - 48;
    if (digit > 9) return false;
    value = value * 10 + <u64>digit;
    at++;
  }
  // 19 digits fit into an u64, so the comparison with the bounds of an i64 is exact.
  if (value > <u64>i64.MAX_VALUE + (negative ? 1 : 0)) return false;
  parsedInteger = negative ? <i64>(0 - value) : <i64>value;
  return true;
}

/** Digits of the decimal of `value`, its sign included. */
export function integerLength(value: i64): u32 {
  let length: u32 = 1;
  let rest: u64 = <u64>value;
  if (value < 0) {
    length = 2;
    rest = 0 - rest;
  }
  while (rest >= 10) {
    rest /= 10;
    length++;
  }
  return length;
}

/** Writes the decimal of `value` at `pointer`, and returns the address behind it. */
export function writeInteger(pointer: u32, value: i64): u32 {
  let rest: u64 = <u64>value;
  if (value < 0) {
    store<u8>(pointer++, 45);
    rest = 0 - rest;
  }
  if (rest < 10) {
    store<u8>(pointer, <u8>(48 + rest));
    return pointer + 1;
  }
  const end = pointer + integerLength(<i64>rest < 0 ? i64.MAX_VALUE : <i64>rest);
  let at = end;
  do {
    store<u8>(--at, <u8>(48 + (rest % 10)));
    rest /= 10;
  } while (rest != 0);
  return end;
}
