// jenkins: lookup3's hashlittle() with initial value 13 (R. Jenkins), little-endian. 0 for an empty key.

import { tail32 } from "./tail";

const INITIAL: u32 = 13;

export function jenkins(pointer: u32, length: u32): u32 {
  if (length == 0) return 0;
  let a: u32 = 0xdeadbeef + length + INITIAL;
  let b = a;
  let c = a;
  let left = length;
  while (left > 12) {
    a += load<u32>(pointer);
    b += load<u32>(pointer, 4);
    c += load<u32>(pointer, 8);
    a = (a - c) ^ rotl<u32>(c, 4);
    c += b;
    b = (b - a) ^ rotl<u32>(a, 6);
    a += c;
    c = (c - b) ^ rotl<u32>(b, 8);
    b += a;
    a = (a - c) ^ rotl<u32>(c, 16);
    c += b;
    b = (b - a) ^ rotl<u32>(a, 19);
    a += c;
    c = (c - b) ^ rotl<u32>(b, 4);
    b += a;
    pointer += 12;
    left -= 12;
  }
  a += tail32(pointer, left);
  if (left > 4) b += tail32(pointer + 4, left - 4);
  if (left > 8) c += tail32(pointer + 8, left - 8);
  c = (c ^ b) - rotl<u32>(b, 14);
  a = (a ^ c) - rotl<u32>(c, 11);
  b = (b ^ a) - rotl<u32>(a, 25);
  c = (c ^ b) - rotl<u32>(b, 16);
  a = (a ^ c) - rotl<u32>(c, 4);
  b = (b ^ a) - rotl<u32>(a, 14);
  return (c ^ b) - rotl<u32>(b, 24);
}
