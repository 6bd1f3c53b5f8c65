/**
 * SipHash-c-d (Aumasson, Bernstein 2012), written for reading: the check of assembly/kernel/siphash.ts. Words of 64 bits are
 * BigInts.
 */
export function siphash(
  key: Uint8Array,
  input: Uint8Array,
  compressionRounds: number,
  finalRounds: number,
): bigint {
  const k0 = word(key, 0);
  const k1 = word(key, 8);
  const state = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ] as State;
  const blocks = Math.floor(input.length / 8);
  for (let block = 0; block <= blocks; block++) {
    const m = block < blocks ? word(input, block * 8) : lastBlock(input, block * 8);
    state[3] ^= m;
    for (let round = 0; round < compressionRounds; round++) sipRound(state);
    state[0] ^= m;
  }
  state[2] ^= 0xffn;
  for (let round = 0; round < finalRounds; round++) sipRound(state);
  return state[0] ^ state[1] ^ state[2] ^ state[3];
}

type State = [bigint, bigint, bigint, bigint];

const MASK = (1n << 64n) - 1n;

/** The bytes that are left, and the length of all the input, modulo 256, in the highest byte. */
function lastBlock(input: Uint8Array, start: number): bigint {
  const block = new Uint8Array(8);
  block.set(input.subarray(start));
  block[7] = input.length & 0xff;
  return word(block, 0);
}

function word(bytes: Uint8Array, start: number): bigint {
  let value = 0n;
  for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(bytes[start + i]!);
  return value;
}

function rotate(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK;
}

function sipRound(v: State): void {
  v[0] = (v[0] + v[1]) & MASK;
  v[1] = rotate(v[1], 13n) ^ v[0];
  v[0] = rotate(v[0], 32n);
  v[2] = (v[2] + v[3]) & MASK;
  v[3] = rotate(v[3], 16n) ^ v[2];
  v[0] = (v[0] + v[3]) & MASK;
  v[3] = rotate(v[3], 21n) ^ v[0];
  v[2] = (v[2] + v[1]) & MASK;
  v[1] = rotate(v[1], 17n) ^ v[2];
  v[2] = rotate(v[2], 32n);
}
