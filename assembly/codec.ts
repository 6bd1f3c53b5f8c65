// codec.wasm: the pure functions, over one scratch region that the host asks for with reserve().

export * from "./codec/exports";

/** First byte that the host may use. */
const SCRATCH: u32 = (<u32>__heap_base + 15) & ~15;

/**
 * Makes sure that `bytes` bytes can be written from the returned address on, and returns it (16-byte aligned).
 * Returns 0 when the memory cannot grow that far. The address never changes; views of the memory may have to be made anew.
 */
export function reserve(bytes: u32): u32 {
  const end = <u64>SCRATCH + <u64>bytes;
  const have = <u64>memory.size() << 16;
  if (end > have) {
    const pages = <i32>((end - have + 0xffff) >> 16);
    if (memory.grow(pages) < 0) return 0;
  }
  return SCRATCH;
}
