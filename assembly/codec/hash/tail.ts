// The bytes of a key behind its last whole word, as a little-endian word; the missing ones are 0.

/** The first four bytes at `pointer`, or as many as are left: at least one. */
export function tail32(pointer: u32, left: u32): u32 {
  if (left >= 4) return load<u32>(pointer);
  let word = <u32>load<u8>(pointer);
  if (left > 1) word |= <u32>load<u8>(pointer, 1) << 8;
  if (left > 2) word |= <u32>load<u8>(pointer, 2) << 16;
  return word;
}

/** The first eight bytes at `pointer`, or as many as are left: at least one. */
export function tail64(pointer: u32, left: u32): u64 {
  if (left >= 8) return load<u64>(pointer);
  const low = <u64>tail32(pointer, left);
  return left > 4 ? low | (<u64>tail32(pointer + 4, left - 4) << 32) : low;
}
