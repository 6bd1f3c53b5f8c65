/** Token hashes in plain JavaScript, written for speed: what the kernel's are measured against. */

type WordHash = (key: Uint8Array) => number;

/** The one-word kinds by name. */
export const javascriptHashes: Readonly<Record<string, WordHash>> = {
  one_at_a_time(key) {
    let hash = 0;
    for (let i = 0; i < key.length; i++) {
      hash = (hash + ((key[i]! << 24) >> 24)) | 0;
      hash = (hash + (hash << 10)) | 0;
      hash ^= hash >>> 6;
    }
    hash = (hash + (hash << 3)) | 0;
    hash ^= hash >>> 11;
    return (hash + (hash << 15)) >>> 0;
  },
  crc16(key) {
    let crc = 0;
    for (let i = 0; i < key.length; i++) {
      crc = (crc << 8) ^ CRC16[((crc >> 8) ^ key[i]!) & 0xff]!;
    }
    return crc >>> 0;
  },
  crc32: (key) => (crc32(key) >>> 16) & 0x7fff,
  crc32a: (key) => crc32(key),
  fnv1_64: (key) => fnv1(key, 0x84222325, 0x1b3),
  fnv1a_64: (key) => fnv1a(key, 0x84222325, 0x1b3),
  fnv1_32: (key) => fnv1(key, 0x811c9dc5, 0x01000193),
  fnv1a_32: (key) => fnv1a(key, 0x811c9dc5, 0x01000193),
  hsieh(key) {
    if (key.length === 0) return 0;
    let hash = 0;
    let at = 0;
    for (const end = key.length & ~3; at < end; at += 4) {
      hash = (hash + word16(key, at)) | 0;
      hash = (hash << 16) ^ (word16(key, at + 2) << 11) ^ hash;
      hash = (hash + (hash >>> 11)) | 0;
    }
    const left = key.length & 3;
    if (left === 3) {
      hash = (hash + word16(key, at)) | 0;
      hash ^= hash << 16;
      hash ^= ((key[at + 2]! << 24) >> 24) << 18;
      hash = (hash + (hash >>> 11)) | 0;
    } else if (left === 2) {
      hash = (hash + word16(key, at)) | 0;
      hash ^= hash << 11;
      hash = (hash + (hash >>> 17)) | 0;
    } else if (left === 1) {
      hash = (hash + key[at]!) | 0;
      hash ^= hash << 10;
      hash = (hash + (hash >>> 1)) | 0;
    }
    hash ^= hash << 3;
    hash = (hash + (hash >>> 5)) | 0;
    hash ^= hash << 4;
    hash = (hash + (hash >>> 17)) | 0;
    hash ^= hash << 25;
    return (hash + (hash >>> 6)) >>> 0;
  },
  murmur(key) {
    let hash = Math.imul(0xdeadbeef, key.length) ^ key.length;
    let at = 0;
    for (const end = key.length & ~3; at < end; at += 4) {
      let word = Math.imul(word16(key, at) | (word16(key, at + 2) << 16), MURMUR);
      word = Math.imul(word ^ (word >>> 24), MURMUR);
      hash = Math.imul(hash, MURMUR) ^ word;
    }
    const left = key.length & 3;
    if (left > 2) hash ^= key[at + 2]! << 16;
    if (left > 1) hash ^= key[at + 1]! << 8;
    if (left > 0) hash = Math.imul(hash ^ key[at]!, MURMUR);
    hash = Math.imul(hash ^ (hash >>> 13), MURMUR);
    return (hash ^ (hash >>> 15)) >>> 0;
  },
};

/** MurmurHash3 x86_128 with the seed of the kernel's `murmur3`: four words. */
export function murmur3(key: Uint8Array): number[] {
  let h1 = 0xc0a1e5ce | 0;
  let h2 = h1;
  let h3 = h1;
  let h4 = h1;
  const data = new DataView(key.buffer, key.byteOffset, key.length);
  let at = 0;
  for (const end = key.length & ~15; at < end; at += 16) {
    h1 ^= mix(data.getInt32(at, true), 0x239b961b, 15, 0xab0e9789);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= mix(data.getInt32(at + 4, true), 0xab0e9789, 16, 0x38b34ae5);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= mix(data.getInt32(at + 8, true), 0x38b34ae5, 17, 0xa1e38b93);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= mix(data.getInt32(at + 12, true), 0xa1e38b93, 18, 0x239b961b);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  const tail = [0, 0, 0, 0];
  for (let i = at; i < key.length; i++) tail[(i - at) >> 2]! |= key[i]! << (8 * (i & 3));
  h1 ^= mix(tail[0]!, 0x239b961b, 15, 0xab0e9789) ^ key.length;
  h2 ^= mix(tail[1]!, 0xab0e9789, 16, 0x38b34ae5) ^ key.length;
  h3 ^= mix(tail[2]!, 0x38b34ae5, 17, 0xa1e38b93) ^ key.length;
  h4 ^= mix(tail[3]!, 0xa1e38b93, 18, 0x239b961b) ^ key.length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  const words = [h1, h2 + h1, h3 + h1, h4 + h1].map(finish);
  const sum = words[0]! + words[1]! + words[2]! + words[3]!;
  return [sum >>> 0, (words[1]! + sum) >>> 0, (words[2]! + sum) >>> 0, (words[3]! + sum) >>> 0];
}

const MURMUR = 0x5bd1e995;

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));
const mix = (x: number, before: number, by: number, after: number) =>
  Math.imul(rotate(Math.imul(x, before), by), after);
const word16 = (key: Uint8Array, at: number) => key[at]! | (key[at + 1]! << 8);

function finish(x: number): number {
  let hash = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function fnv1(key: Uint8Array, basis: number, prime: number): number {
  let hash = basis;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash, prime) ^ key[i]!;
  return hash >>> 0;
}

function fnv1a(key: Uint8Array, basis: number, prime: number): number {
  let hash = basis;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, prime);
  return hash >>> 0;
}

const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
  return crc;
});

const CRC32 = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

function crc32(key: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < key.length; i++) crc = (crc >>> 8) ^ CRC32[(crc ^ key[i]!) & 0xff]!;
  return ~crc >>> 0;
}
