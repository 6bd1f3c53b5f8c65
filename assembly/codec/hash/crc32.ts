// crc32a: the plain CRC-32. crc32: 15 bits of it, as libmemcached has it.

import { crc32 } from "../crc32";

export function crc32a(pointer: u32, length: u32): u32 {
  return crc32(pointer, length, 0);
}

export function crc32Memcached(pointer: u32, length: u32): u32 {
  return (crc32(pointer, length, 0) >> 16) & 0x7fff;
}
