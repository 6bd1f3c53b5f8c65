// SplitMix64 (Steele, Lea, Flood 2014), seeded by the host: which entries eviction and RANDOMKEY look at. Not for secrets.

let state: u64 = 0;

export function randomSeed(seed: u64): void {
  state = seed;
}

export function random(): u64 {
  state += 0x9e3779b97f4a7c15;
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
