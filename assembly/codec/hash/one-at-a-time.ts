// one_at_a_time (R. Jenkins). The C engine reads the key as signed char: bytes from 0x80 on are sign-extended before they are added.

export function oneAtATime(pointer: u32, length: u32): u32 {
  const end = pointer + length;
  let hash: u32 = 0;
  while (pointer < end) {
    hash += <u32>load<i8>(pointer++);
    hash += hash << 10;
    hash ^= hash >> 6;
  }
  hash += hash << 3;
  hash ^= hash >> 11;
  return hash + (hash << 15);
}
