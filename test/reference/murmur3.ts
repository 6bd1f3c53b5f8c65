/** MurmurHash3 x86_128 and x64_128 over BigInt, written from the published algorithm: the slow twins of the kernel's. */

const u32 = (x: bigint) => x & 0xffffffffn;
const u64 = (x: bigint) => x & 0xffffffffffffffffn;
const rotl32 = (x: bigint, n: bigint) => u32((x << n) | (x >> (32n - n)));
const rotl64 = (x: bigint, n: bigint) => u64((x << n) | (x >> (64n - n)));

/** Little-endian words of `size` bytes; the last block is filled up with zero bytes, as the algorithm's tail amounts to. */
function words(key: Uint8Array, size: number): bigint[][] {
  const perBlock = 16 / size;
  const blocks: bigint[][] = [];
  for (let at = 0; at < key.length; at += 16) {
    const block: bigint[] = [];
    for (let word = 0; word < perBlock; word++) {
      let value = 0n;
      for (let byte = size - 1; byte >= 0; byte--) {
        value = (value << 8n) | BigInt(key[at + word * size + byte] ?? 0);
      }
      block.push(value);
    }
    blocks.push(block);
  }
  return blocks;
}

/** Four 32-bit words, most significant first. */
export function murmur3x86(key: Uint8Array, seed: bigint): bigint[] {
  const c = [0x239b961bn, 0xab0e9789n, 0x38b34ae5n, 0xa1e38b93n];
  const mixTurn = [15n, 16n, 17n, 18n];
  const hashTurn = [19n, 17n, 15n, 13n];
  const add = [0x561ccd1bn, 0x0bcaa747n, 0x96cd1c35n, 0x32ac3b17n];
  const h = [seed, seed, seed, seed];
  const mixed = (word: bigint, i: number) =>
    u32(rotl32(u32(word * c[i]!), mixTurn[i]!) * c[(i + 1) % 4]!);
  const blocks = words(key, 4);
  const whole = Math.floor(key.length / 16);
  for (const block of blocks.slice(0, whole)) {
    for (let i = 0; i < 4; i++) {
      h[i] = rotl32(h[i]! ^ mixed(block[i]!, i), hashTurn[i]!);
      h[i] = u32(u32(h[i]! + h[(i + 1) % 4]!) * 5n + add[i]!);
    }
  }
  for (const block of blocks.slice(whole)) {
    for (let i = 0; i < 4; i++) h[i] = h[i]! ^ mixed(block[i]!, i);
  }
  const spread = () => {
    h[0] = u32(h[0]! + h[1]! + h[2]! + h[3]!);
    for (let i = 1; i < 4; i++) h[i] = u32(h[i]! + h[0]!);
  };
  for (let i = 0; i < 4; i++) h[i] = h[i]! ^ BigInt(key.length);
  spread();
  for (let i = 0; i < 4; i++) {
    let x = h[i]!;
    x = u32((x ^ (x >> 16n)) * 0x85ebca6bn);
    x = u32((x ^ (x >> 13n)) * 0xc2b2ae35n);
    h[i] = x ^ (x >> 16n);
  }
  spread();
  return h;
}

/** Two 64-bit halves. */
export function murmur3x64(key: Uint8Array, seed: bigint): [bigint, bigint] {
  const c1 = 0x87c37b91114253d5n;
  const c2 = 0x4cf5ad432745937fn;
  let h1 = seed;
  let h2 = seed;
  const first = (word: bigint) => u64(rotl64(u64(word * c1), 31n) * c2);
  const second = (word: bigint) => u64(rotl64(u64(word * c2), 33n) * c1);
  const blocks = words(key, 8);
  const whole = Math.floor(key.length / 16);
  for (const block of blocks.slice(0, whole)) {
    h1 = u64(u64(rotl64(h1 ^ first(block[0]!), 27n) + h2) * 5n + 0x52dce729n);
    h2 = u64(u64(rotl64(h2 ^ second(block[1]!), 31n) + h1) * 5n + 0x38495ab5n);
  }
  for (const block of blocks.slice(whole)) {
    h1 ^= first(block[0]!);
    h2 ^= second(block[1]!);
  }
  h1 ^= BigInt(key.length);
  h2 ^= BigInt(key.length);
  h1 = u64(h1 + h2);
  h2 = u64(h2 + h1);
  const finish = (x: bigint) => {
    let y = u64((x ^ (x >> 33n)) * 0xff51afd7ed558ccdn);
    y = u64((y ^ (y >> 33n)) * 0xc4ceb9fe1a85ec53n);
    return y ^ (y >> 33n);
  };
  h1 = finish(h1);
  h2 = finish(h2);
  h1 = u64(h1 + h2);
  return [h1, u64(h2 + h1)];
}
