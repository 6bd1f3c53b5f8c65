// Replies of the kernel's own commands, RESP 2 and 3, appended at `outNext`. The caller has made sure of the room.

import { copyBytes } from "./entries";
import { writeInteger } from "./number";

/** Where the next reply byte goes, and the end of the output region. */
export let outNext: u32 = 0;
export let outEnd: u32 = 0;
/** Whether the connection speaks RESP 3. */
export let resp3: bool = false;

/** Bytes that every command may write without asking: errors, integers, nulls. */
export const MIN_ROOM: u32 = 512;
/** Most bytes around a bulk string: $, 10 digits, CR LF, CR LF. */
export const BULK_OVERHEAD: u32 = 16;

export function setOutput(next: u32, end: u32): void {
  outNext = next;
  outEnd = end;
}

export function setProtocol(three: bool): void {
  resp3 = three;
}

// @ts-ignore: decorator
@inline
export function replyOk(): void {
  store<u32>(outNext, 0x0d4b4f2b);
  store<u8>(outNext, 10, 4);
  outNext += 5;
}

// @ts-ignore: decorator
@inline
export function replyNull(): void {
  if (resp3) {
    store<u16>(outNext, 0x0d5f);
    store<u8>(outNext, 10, 2);
    outNext += 3;
  } else {
    store<u32>(outNext, 0x0d312d24);
    store<u8>(outNext, 10, 4);
    outNext += 5;
  }
}

// @ts-ignore: decorator
@inline
export function replyInteger(value: i64): void {
  if (<u64>value < 10) {
    store<u32>(outNext, 0x0a0d303a + (<u32>value << 8));
    outNext += 4;
    return;
  }
  store<u8>(outNext, 58);
  endLine(writeInteger(outNext + 1, value));
}

// @ts-ignore: decorator
@inline
function endLine(at: u32): void {
  store<u16>(at, 0x0a0d);
  outNext = at + 2;
}

// @ts-ignore: decorator
@inline
export function replyBulk(pointer: u32, length: u32): void {
  let at = outNext;
  if (length < 10) {
    store<u32>(at, 0x0a0d3024 + (length << 8));
    at += 4;
  } else {
    store<u8>(at, 36);
    at = writeInteger(at + 1, length);
    store<u16>(at, 0x0a0d);
    at += 2;
  }
  copyBytes(at, pointer, length);
  endLine(at + length);
}

export function replyArray(length: u32): void {
  store<u8>(outNext, 42);
  endLine(writeInteger(outNext + 1, length));
}

/** Writes the characters of `text`, which are ASCII, as they are. */
export function replyText(text: string): void {
  const from = changetype<usize>(text);
  const length = text.length;
  for (let i = 0; i < length; i++) store<u8>(outNext + i, <u8>load<u16>(from + (i << 1)));
  outNext += length;
}

/** An error line: `text` is all of it but the leading "-" and the CR LF. */
export function replyError(text: string): void {
  store<u8>(outNext, 45);
  outNext++;
  replyText(text);
  endLine(outNext);
}

/** "-ERR `before``word``after`", the word in lower case. */
export function replyErrorWith(before: string, word: u32, length: u32, after: string): void {
  store<u8>(outNext, 45);
  outNext++;
  replyText(before);
  for (let i: u32 = 0; i < length; i++) {
    const byte = load<u8>(word + i);
    store<u8>(outNext + i, byte - 65 < 26 ? byte + 32 : byte);
  }
  outNext += length;
  replyText(after);
  endLine(outNext);
}

/** An error with one byte in the middle. */
export function replyErrorByte(before: string, byte: u32, after: string): void {
  store<u8>(outNext, 45);
  outNext++;
  replyText(before);
  store<u8>(outNext, <u8>byte);
  outNext++;
  replyText(after);
  endLine(outNext);
}

export const NOT_AN_INTEGER: string = "ERR value is not an integer or out of range";
export const SYNTAX_ERROR: string = "ERR syntax error";
export const WRONG_TYPE: string = "WRONGTYPE Operation against a key holding the wrong kind of value";
export const OUT_OF_MEMORY: string = "OOM command not allowed when used memory > 'maxmemory'.";
export const STRING_TOO_LONG: string = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
