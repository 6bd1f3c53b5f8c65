// One record: an entry of the table, in the arena. Records lie at multiples of 8.
//
//    0 u32 hash            upper half of the SipHash of the key
//    4 u32 size            bytes this record takes (a multiple of 8); bit 0: the record is dead
//    8 u64 stamp           of the write that made the value
//   16 u64 expiry          milliseconds since the epoch in the upper 48 bits (0: none), node index of the stamp in the lower 16
//   24 u32 key length
//   28 u32 value length    of a host object: its handle
//   32 u32 access          seconds (24 bits) of the last access in the upper bits, flags in the lower 8
//   36 key, then value, then the tag of a value that has one (FLAG_TAGGED); of a host object: f64, the bytes it takes on the host

export const RECORD_HEADER_BYTES: u32 = 36;
/** What stands in the place of the value for a host object. */
export const OBJECT_BODY_BYTES: u32 = 8;

/** The value is an object of the host; its handle stands where the length would. */
export const FLAG_OBJECT: u32 = 0x10;
/** The entry is a tombstone: a deleted key with the stamp of the deletion. */
export const FLAG_TOMBSTONE: u32 = 0x20;
/** The value has been changed in place (OBJECT ENCODING answers "raw"). */
export const FLAG_RAW: u32 = 0x40;
/** Of an object: the entry is gone and waits for the host to let go of it. */
export const FLAG_RELEASED: u32 = 0x80;
/**
 * Of a string: TAG_BYTES behind the value are the client's flags of the memcached protocol. They are no part of what commands read,
 * and go with the value wherever it is copied to; whoever writes a new value writes it without them.
 */
export const FLAG_TAGGED: u32 = 0x80;
export const TAG_BYTES: u32 = 4;
/** Bits of the database's number. */
export const FLAG_DATABASE: u32 = 0x0f;

const DEAD: u32 = 1;

// @ts-ignore: decorator
@inline
export function recordBytes(keyLength: u32, valueLength: u32): u32 {
  return (RECORD_HEADER_BYTES + keyLength + valueLength + 7) & ~7;
}
// @ts-ignore: decorator
@inline
export function recordHash(record: u32): u32 {
  return load<u32>(record);
}
// @ts-ignore: decorator
@inline
export function recordSize(record: u32): u32 {
  return load<u32>(record, 4) & ~DEAD;
}
// @ts-ignore: decorator
@inline
export function recordIsDead(record: u32): bool {
  return (load<u32>(record, 4) & DEAD) != 0;
}
// @ts-ignore: decorator
@inline
export function recordSetDead(record: u32): void {
  store<u32>(record, load<u32>(record, 4) | DEAD, 4);
}
// @ts-ignore: decorator
@inline
export function recordStamp(record: u32): u64 {
  return load<u64>(record, 8);
}
// @ts-ignore: decorator
@inline
export function recordSetStamp(record: u32, stamp: u64, node: u32): void {
  store<u64>(record, stamp, 8);
  store<u16>(record, <u16>node, 16);
}
// @ts-ignore: decorator
@inline
export function recordNode(record: u32): u32 {
  return <u32>load<u16>(record, 16);
}
/** Milliseconds since the epoch, 0 when the entry does not expire. */
// @ts-ignore: decorator
@inline
export function recordExpiry(record: u32): u64 {
  return load<u64>(record, 16) >> 16;
}
// @ts-ignore: decorator
@inline
export function recordSetExpiry(record: u32, expiry: u64): void {
  store<u64>(record, (expiry << 16) | <u64>load<u16>(record, 16), 16);
}
// @ts-ignore: decorator
@inline
export function recordKeyLength(record: u32): u32 {
  return load<u32>(record, 24);
}
// @ts-ignore: decorator
@inline
export function recordValueLength(record: u32): u32 {
  return load<u32>(record, 28);
}
/** Whether a record has a tag. */
// @ts-ignore: decorator
@inline
export function recordIsTagged(record: u32): bool {
  return (recordFlags(record) & (FLAG_TAGGED | FLAG_OBJECT)) == FLAG_TAGGED;
}
/** Bytes of the value and its tag, which is what frames carry; not of a host object. */
// @ts-ignore: decorator
@inline
export function recordBodyLength(record: u32): u32 {
  return load<u32>(record, 28) + (recordIsTagged(record) ? TAG_BYTES : 0);
}
// @ts-ignore: decorator
@inline
export function recordSetValueLength(record: u32, length: u32): void {
  store<u32>(record, length, 28);
}
// @ts-ignore: decorator
@inline
export function recordFlags(record: u32): u32 {
  return <u32>load<u8>(record, 32);
}
// @ts-ignore: decorator
@inline
export function recordSetFlags(record: u32, flags: u32): void {
  store<u8>(record, <u8>flags, 32);
}
// @ts-ignore: decorator
@inline
export function recordAccess(record: u32): u32 {
  return load<u32>(record, 32) >> 8;
}
/** Sets the clock of the last access; writes only where it has changed, to leave the cache line clean. */
// @ts-ignore: decorator
@inline
export function recordTouch(record: u32, clock: u32): void {
  const access = load<u32>(record, 32);
  if (access >> 8 != clock) store<u32>(record, (clock << 8) | (access & 0xff), 32);
}
// @ts-ignore: decorator
@inline
export function recordKey(record: u32): u32 {
  return record + RECORD_HEADER_BYTES;
}
// @ts-ignore: decorator
@inline
export function recordValue(record: u32): u32 {
  return record + RECORD_HEADER_BYTES + load<u32>(record, 24);
}
// @ts-ignore: decorator
@inline
export function recordDatabase(record: u32): u32 {
  return recordFlags(record) & FLAG_DATABASE;
}
