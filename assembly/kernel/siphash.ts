// SipHash-1-3 (Aumasson, Bernstein 2012) with a 128-bit secret: the hash of the table. A client that does not know the
// secret cannot choose keys that collide.

let secret0: u64 = 0;
let secret1: u64 = 0;

/** Sets the 128-bit secret. */
export function siphashSeed(low: u64, high: u64): void {
  secret0 = low;
  secret1 = high;
}

/** The upper 32 bits of SipHash-1-3 of `length` bytes at `pointer`. Reads up to 7 bytes behind them. */
export function siphash(pointer: u32, length: u32): u32 {
  let v0 = secret0 ^ 0x736f6d6570736575;
  let v1 = secret1 ^ 0x646f72616e646f6d;
  let v2 = secret0 ^ 0x6c7967656e657261;
  let v3 = secret1 ^ 0x7465646279746573;
  const whole = pointer + (length & ~7);
  while (pointer < whole) {
    const word = load<u64>(pointer);
    v3 ^= word;
    v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32);
    v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;
    v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;
    v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32);
    v0 ^= word;
    pointer += 8;
  }
  const rest = length & 7;
  let last = <u64>length << 56;
  if (rest != 0) last |= load<u64>(pointer) & (((<u64>1) << (rest << 3)) - 1);
  v3 ^= last;
  v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32);
  v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;
  v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;
  v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32);
  v0 ^= last;
  v2 ^= 0xff;
  v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32);
  v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;
  v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;
  v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32);
  v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32);
  v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;
  v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;
  v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32);
  v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32);
  v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;
  v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;
  v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32);
  return <u32>((v0 ^ v1 ^ v2 ^ v3) >> 32);
}
