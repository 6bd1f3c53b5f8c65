// Capability advertisement, format CAP version 1. All integers little-endian.
//
//   advertisement   "CAP"   u8 version = 1   u32 number of entries   entries
//   entry           u16 name length   name (ASCII)   u16 number of values   values
//   value           u32 length   bytes
//
// Bytes behind the last entry are ignored: an advertisement may be followed by something else.

/** Status of capabilitiesCheck(): a whole advertisement. */
export const CAP_OK: i32 = 0;
/** It ends in the middle of something. */
export const CAP_TRUNCATED: i32 = 1;
/** It does not begin with "CAP". */
export const CAP_BAD_MAGIC: i32 = 2;
/** Its version is not 1. */
export const CAP_BAD_VERSION: i32 = 3;
/** More than CAP_MAX_ENTRIES entries. */
export const CAP_TOO_MANY_ENTRIES: i32 = 4;
/** A name of more than CAP_MAX_NAME_BYTES. */
export const CAP_NAME_TOO_LONG: i32 = 5;
/** A name with a byte above 0x7f. */
export const CAP_NON_ASCII_NAME: i32 = 6;
/** A value of more than CAP_MAX_VALUE_BYTES. */
export const CAP_VALUE_TOO_LONG: i32 = 7;

export const CAP_MAX_ENTRIES: u32 = 1024;
export const CAP_MAX_NAME_BYTES: u32 = 256;
export const CAP_MAX_VALUE_BYTES: u32 = 16384;

/** "CAP" as a little-endian word. */
const MAGIC: u32 = 0x504143;
const VERSION: u32 = 1;
const HEADER_BYTES: u32 = 8;

let position: u32 = 0;
let offender: u32 = 0;

/**
 * Checks the advertisement of `length` bytes at `pointer` as far as its last entry and returns a CAP_ status. Writes to `out`:
 * u32 where it stopped reading, relative to `pointer`; u32 the number that breaks a limit, or the version found.
 */
export function capabilitiesCheck(pointer: u32, length: u32, out: u32): i32 {
  position = pointer;
  offender = 0;
  const status = check(pointer + length);
  store<u32>(out, position - pointer);
  store<u32>(out, offender, 4);
  return status;
}

function check(end: u32): i32 {
  if (end - position < HEADER_BYTES) return CAP_TRUNCATED;
  if ((load<u32>(position) & 0xffffff) != MAGIC) return CAP_BAD_MAGIC;
  position += 3;
  offender = load<u8>(position);
  if (offender != VERSION) return CAP_BAD_VERSION;
  position++;
  let entries = load<u32>(position);
  if (isAbove(entries, CAP_MAX_ENTRIES)) return CAP_TOO_MANY_ENTRIES;
  position += 4;
  for (; entries > 0; entries--) {
    if (end - position < 2) return CAP_TRUNCATED;
    const nameLength = <u32>load<u16>(position);
    if (isAbove(nameLength, CAP_MAX_NAME_BYTES)) return CAP_NAME_TOO_LONG;
    if (end - position - 2 < nameLength) return CAP_TRUNCATED;
    position += 2;
    const nameEnd = position + nameLength;
    for (; position < nameEnd; position++) {
      if (isAbove(load<u8>(position), 0x7f)) return CAP_NON_ASCII_NAME;
    }
    if (end - position < 2) return CAP_TRUNCATED;
    let values = <u32>load<u16>(position);
    position += 2;
    for (; values > 0; values--) {
      if (end - position < 4) return CAP_TRUNCATED;
      const valueLength = load<u32>(position);
      if (isAbove(valueLength, CAP_MAX_VALUE_BYTES)) return CAP_VALUE_TOO_LONG;
      if (end - position - 4 < valueLength) return CAP_TRUNCATED;
      position += 4 + valueLength;
    }
  }
  return CAP_OK;
}

// @ts-ignore: decorator
@inline
function isAbove(value: u32, limit: u32): bool {
  offender = value;
  return value > limit;
}
