// Consistency levels by number, as in src/ring/levels.ts; the kernel coordinates the first three.

export const LEVEL_ONE: u32 = 0;
export const LEVEL_QUORUM: u32 = 1;
export const LEVEL_SAFE: u32 = 2;
