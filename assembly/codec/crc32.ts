// CRC-32 (ISO 3309, reflected polynomial 0xEDB88320, as in zlib), eight bytes a step with eight tables.
//
// Table n holds the checksum of a byte followed by n zero bytes, so that eight bytes can be looked up independently of each
// other (M. Kounavis, F. Berry: "A Systematic Approach to Building High Performance, Software-based, CRC Generators").

const POLYNOMIAL: u32 = 0xedb88320;

/** Eight tables of 256 words. */
const TABLES: u32 = <u32>memory.data(8 * 1024, 16);

for (let i: u32 = 0; i < 256; i++) {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
  store<u32>(TABLES + (i << 2), crc);
}
for (let i: u32 = 256; i < 8 * 256; i++) {
  const crc = load<u32>(TABLES + ((i - 256) << 2));
  store<u32>(TABLES + (i << 2), (crc >> 8) ^ table(0, crc));
}

/** CRC-32 of `length` bytes; `previous` is the checksum of the bytes before them, 0 at the beginning. */
export function crc32(pointer: u32, length: u32, previous: u32): u32 {
  return run(pointer, length, previous, false);
}

/** The same with every byte taken through C's tolower() first: the checksum by which a C quorum compares replies. */
export function crc32Lowercase(pointer: u32, length: u32, previous: u32): u32 {
  return run(pointer, length, previous, true);
}

// @ts-ignore: decorator
@inline
function run(pointer: u32, length: u32, previous: u32, lowercase: bool): u32 {
  const end = pointer + length;
  let crc = ~previous;
  let left = length;
  while (left >= 8) {
    let bytes = load<u64>(pointer);
    if (lowercase) bytes = lower(bytes);
    const low = <u32>bytes ^ crc;
    const high = <u32>(bytes >> 32);
    crc =
      table(7, low) ^
      table(6, low >> 8) ^
      table(5, low >> 16) ^
      table(4, low >> 24) ^
      table(3, high) ^
      table(2, high >> 8) ^
      table(1, high >> 16) ^
      table(0, high >> 24);
    pointer += 8;
    left -= 8;
  }
  while (pointer < end) {
    let byte = <u64>load<u8>(pointer);
    if (lowercase) byte = lower(byte);
    crc = (crc >> 8) ^ table(0, crc ^ <u32>byte);
    pointer++;
  }
  return ~crc;
}

// @ts-ignore: decorator
@inline
function table(n: u32, index: u32): u32 {
  return load<u32>(TABLES + (n << 10) + ((index & 0xff) << 2));
}

/** ASCII lower case of eight bytes at once: bit 7 of each byte says whether it lies between "A" and "Z". */
// @ts-ignore: decorator
@inline
function lower(bytes: u64): u64 {
  const low7 = bytes & 0x7f7f7f7f7f7f7f7f;
  const fromA = low7 + 0x3f3f3f3f3f3f3f3f;
  const aboveZ = low7 + 0x2525252525252525;
  const upper = (fromA ^ aboveZ) & ~bytes & 0x8080808080808080;
  return bytes | (upper >> 2);
}
