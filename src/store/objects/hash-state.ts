/**
 * The state of a hash as bytes: the value of a WRITE frame with the flag OBJECT. All integers are little-endian.
 *
 *    0 u8 kind: 1 a hash   1 u8 0   2 u16 node of `deleted`   4 u16 node of `expiryStamp`   6 u16 0
 *    8 u64 deleted   16 u64 expiryStamp   24 u32 number of fields   28 fields
 *
 *    a field   0 u64 stamp   8 u16 node   10 u8 1: it is set, 0: it was removed   11 u8 0
 *              12 u32 bytes of the field   16 u32 bytes of the value   20 field, value
 *
 * `newest` is the stamp of the frame, `expiry` its expiry.
 */
import { fromLatin1, latin1 } from "../arguments.ts";
import { compareStamps, isNewer, nodeOf, OLDEST, type Stamp, stampFrom, timeOf } from "../stamp.ts";
import { type HashValue, LONG_VALUE_BYTES, MAX_FIELDS } from "./hash.ts";
import { ObjectStateError } from "./object-state-error.ts";
import type { HashState, StampedField } from "./stamped-hash.ts";

const KIND_HASH = 1;
const HEADER_BYTES = 28;
const FIELD_HEADER_BYTES = 20;
const REMOVED = 0;
const SET = 1;

/** Bytes of a state above which it is told in parts. */
export const MAX_STATE_BYTES = 16 * 1024 * 1024;

/** The state in parts whose bytes are at most `maxBytes` each, unless a single field takes more; in any order they merge to all. */
export function splitState(state: HashState, maxBytes = MAX_STATE_BYTES): HashState[] {
  const parts: HashState[] = [];
  let start = 0;
  let bytes = HEADER_BYTES;
  for (const [at, field] of state.fields.entries()) {
    if (bytes + encodedBytes(field) > maxBytes && at > start) {
      parts.push({ ...state, fields: state.fields.slice(start, at) });
      start = at;
      bytes = HEADER_BYTES;
    }
    bytes += encodedBytes(field);
  }
  parts.push(start === 0 ? state : { ...state, fields: state.fields.slice(start) });
  return parts;
}

function encodedBytes({ field, value }: StampedField): number {
  return FIELD_HEADER_BYTES + field.length + (value?.length ?? 0);
}

export function encodeHashState({
  deleted,
  expiryStamp,
  fields,
}: HashState): Uint8Array<ArrayBuffer> {
  const length = fields.reduce((sum, field) => sum + encodedBytes(field), HEADER_BYTES);
  const bytes = new Uint8Array(length);
  const data = new DataView(bytes.buffer);
  bytes[0] = KIND_HASH;
  data.setUint16(2, nodeOf(deleted), true);
  data.setUint16(4, nodeOf(expiryStamp), true);
  data.setBigUint64(8, timeOf(deleted), true);
  data.setBigUint64(16, timeOf(expiryStamp), true);
  data.setUint32(24, fields.length, true);
  let at = HEADER_BYTES;
  for (const { field, stamp, value } of fields) {
    data.setBigUint64(at, timeOf(stamp), true);
    data.setUint16(at + 8, nodeOf(stamp), true);
    bytes[at + 10] = value === undefined ? REMOVED : SET;
    data.setUint32(at + 12, field.length, true);
    data.setUint32(at + 16, value?.length ?? 0, true);
    at = putText(bytes, at + FIELD_HEADER_BYTES, field);
    if (value !== undefined) at = putText(bytes, at, value);
  }
  return bytes;
}

/**
 * Reads what encodeHashState() writes; the bytes are copied. Throws ObjectStateError MALFORMED_OBJECT for everything else, also
 * where a stamp is newer than `newest` or the expiry not later than its stamp.
 */
export function decodeHashState(bytes: Uint8Array, newest: Stamp, expiry: number): HashState {
  check(bytes.length >= HEADER_BYTES, "its header is cut off");
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  check(bytes[0] === KIND_HASH, "its kind is unknown");
  check(bytes[1] === 0 && data.getUint16(6, true) === 0, "reserved bytes are not 0");
  const deleted = stampFrom(data.getBigUint64(8, true), data.getUint16(2, true));
  const expiryStamp = stampFrom(data.getBigUint64(16, true), data.getUint16(4, true));
  check(!isNewer(deleted, newest) && !isNewer(expiryStamp, newest), "a stamp is too new");
  check(expiry === 0 || isExpiry(expiry, expiryStamp), "its expiry is before its stamp");
  const count = data.getUint32(24, true);
  check(count <= MAX_FIELDS, "it has too many fields");
  const fields: StampedField[] = [];
  const names = new Set<string>();
  let at = HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const { field, end } = readField(bytes, data, at);
    check(!isNewer(field.stamp, newest), "a field's stamp is too new");
    fields.push(field);
    names.add(field.field);
    at = end;
  }
  check(at === bytes.length, "bytes are left over");
  check(names.size === count, "a field is there twice");
  return { newest, deleted, expiry, expiryStamp, fields };
}

function readField(
  bytes: Uint8Array,
  data: DataView,
  at: number,
): { field: StampedField; end: number } {
  check(at + FIELD_HEADER_BYTES <= bytes.length, "a field is cut off");
  const stamp = stampFrom(data.getBigUint64(at, true), data.getUint16(at + 8, true));
  const isSet = bytes[at + 10] === SET;
  check((isSet || bytes[at + 10] === REMOVED) && bytes[at + 11] === 0, "a field has bad flags");
  const fieldLength = data.getUint32(at + 12, true);
  const valueLength = data.getUint32(at + 16, true);
  const valueAt = at + FIELD_HEADER_BYTES + fieldLength;
  const end = valueAt + valueLength;
  check(end <= bytes.length, "a field is cut off");
  check(isSet || valueLength === 0, "a removed field has a value");
  const field = latin1(bytes, at + FIELD_HEADER_BYTES, fieldLength);
  return {
    field: { field, stamp, value: isSet ? readValue(bytes, valueAt, end) : undefined },
    end,
  };
}

/** A value in the form in which hashes keep one of its length. */
function readValue(bytes: Uint8Array, start: number, end: number): HashValue {
  const length = end - start;
  return length < LONG_VALUE_BYTES
    ? latin1(bytes, start, length)
    : new Uint8Array(bytes.subarray(start, end));
}

function isExpiry(expiry: number, stamp: Stamp): boolean {
  return stamp.ms < expiry && compareStamps(stamp, OLDEST) !== 0;
}

function putText(bytes: Uint8Array, at: number, text: HashValue): number {
  bytes.set(typeof text === "string" ? fromLatin1(text) : text, at);
  return at + text.length;
}

function check(condition: boolean, what: string): asserts condition {
  if (condition) return;
  throw new ObjectStateError(
    "MALFORMED_OBJECT",
    `the state of an object from another node is malformed: ${what}; nothing of it was applied`,
  );
}
