// md5 (RFC 1321): the first four bytes of the digest as a little-endian word.

// prettier-ignore
const SINES: u32 = <u32>memory.data<u32>([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
], 16);

/** The last one or two blocks, with their padding. */
const TAIL: u32 = <u32>memory.data(128, 16);

let a: u32 = 0;
let b: u32 = 0;
let c: u32 = 0;
let d: u32 = 0;

export function md5(pointer: u32, length: u32): u32 {
  a = 0x67452301;
  b = 0xefcdab89;
  c = 0x98badcfe;
  d = 0x10325476;
  const left = length & 63;
  const end = pointer + (length - left);
  while (pointer < end) {
    block(pointer);
    pointer += 64;
  }
  const tailLength: u32 = left < 56 ? 64 : 128;
  memory.copy(TAIL, pointer, left);
  memory.fill(TAIL + left, 0, tailLength - left);
  store<u8>(TAIL + left, 0x80);
  store<u64>(TAIL + tailLength - 8, <u64>length << 3);
  block(TAIL);
  if (tailLength == 128) block(TAIL + 64);
  return a;
}

/** Four steps make a turn of the four registers, so each of the four rounds is a loop of four turns. */
function block(pointer: u32): void {
  let p = a;
  let q = b;
  let r = c;
  let s = d;
  for (let i: u32 = 0; i < 16; i += 4) {
    p = step(p, q, (q & r) | (~q & s), word(pointer, i), i, 7);
    s = step(s, p, (p & q) | (~p & r), word(pointer, i + 1), i + 1, 12);
    r = step(r, s, (s & p) | (~s & q), word(pointer, i + 2), i + 2, 17);
    q = step(q, r, (r & s) | (~r & p), word(pointer, i + 3), i + 3, 22);
  }
  for (let i: u32 = 16; i < 32; i += 4) {
    p = step(p, q, (s & q) | (~s & r), word(pointer, 5 * i + 1), i, 5);
    s = step(s, p, (r & p) | (~r & q), word(pointer, 5 * i + 6), i + 1, 9);
    r = step(r, s, (q & s) | (~q & p), word(pointer, 5 * i + 11), i + 2, 14);
    q = step(q, r, (p & r) | (~p & s), word(pointer, 5 * i + 16), i + 3, 20);
  }
  for (let i: u32 = 32; i < 48; i += 4) {
    p = step(p, q, q ^ r ^ s, word(pointer, 3 * i + 5), i, 4);
    s = step(s, p, p ^ q ^ r, word(pointer, 3 * i + 8), i + 1, 11);
    r = step(r, s, s ^ p ^ q, word(pointer, 3 * i + 11), i + 2, 16);
    q = step(q, r, r ^ s ^ p, word(pointer, 3 * i + 14), i + 3, 23);
  }
  for (let i: u32 = 48; i < 64; i += 4) {
    p = step(p, q, r ^ (q | ~s), word(pointer, 7 * i), i, 6);
    s = step(s, p, q ^ (p | ~r), word(pointer, 7 * i + 7), i + 1, 10);
    r = step(r, s, p ^ (s | ~q), word(pointer, 7 * i + 14), i + 2, 15);
    q = step(q, r, s ^ (r | ~p), word(pointer, 7 * i + 21), i + 3, 21);
  }
  a += p;
  b += q;
  c += r;
  d += s;
}

// @ts-ignore: decorator
@inline
function word(pointer: u32, index: u32): u32 {
  return load<u32>(pointer + ((index & 15) << 2));
}

// @ts-ignore: decorator
@inline
function step(x: u32, y: u32, mixed: u32, message: u32, index: u32, shift: u32): u32 {
  return y + rotl<u32>(x + mixed + message + load<u32>(SINES + (index << 2)), shift);
}
