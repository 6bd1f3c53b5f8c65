// hsieh: SuperFastHash (P. Hsieh), from 0, little-endian 16-bit loads. 0 for an empty key.
// The C engine reads the last byte as signed char where three bytes are left, and as unsigned where one is.

export function hsieh(pointer: u32, length: u32): u32 {
  if (length == 0) return 0;
  const end = pointer + (length & ~3);
  let hash: u32 = 0;
  while (pointer < end) {
    hash += <u32>load<u16>(pointer);
    hash = (hash << 16) ^ (<u32>load<u16>(pointer, 2) << 11) ^ hash;
    hash += hash >> 11;
    pointer += 4;
  }
  switch (length & 3) {
    case 3:
      hash += <u32>load<u16>(pointer);
      hash ^= hash << 16;
      hash ^= <u32>load<i8>(pointer, 2) << 18;
      hash += hash >> 11;
      break;
    case 2:
      hash += <u32>load<u16>(pointer);
      hash ^= hash << 11;
      hash += hash >> 17;
      break;
    case 1:
      hash += <u32>load<u8>(pointer);
      hash ^= hash << 10;
      hash += hash >> 1;
      break;
  }
  hash ^= hash << 3;
  hash += hash >> 5;
  hash ^= hash << 4;
  hash += hash >> 17;
  hash ^= hash << 25;
  return hash + (hash >> 6);
}
