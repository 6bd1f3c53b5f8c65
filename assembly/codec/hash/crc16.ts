// crc16: CRC-16/XMODEM's table in a 32-bit accumulator that the C engine never masks, so values exceed 65535.

const POLYNOMIAL: u32 = 0x1021;

/** 256 words of 16 bits. */
const TABLE: u32 = <u32>memory.data(512, 16);

for (let i: u32 = 0; i < 256; i++) {
  let crc = i << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? POLYNOMIAL : 0);
  store<u16>(TABLE + (i << 1), <u16>crc);
}

export function crc16(pointer: u32, length: u32): u32 {
  const end = pointer + length;
  let crc: u32 = 0;
  while (pointer < end) {
    const index = ((crc >> 8) ^ <u32>load<u8>(pointer++)) & 0xff;
    crc = (crc << 8) ^ <u32>load<u16>(TABLE + (index << 1));
  }
  return crc;
}
