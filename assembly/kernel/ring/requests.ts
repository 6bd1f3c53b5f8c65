// What a slot keeps of its request: all of it, for the host to run it again; or its keys, for its reply to be made again.

import { argument, argumentLength } from "../commands/command";
import { writeInteger } from "../number";
import {
  ATTACHMENT_KEYS,
  ATTACHMENT_REQUEST,
  attachmentBody,
  attachmentSetLength,
  attachmentTake,
} from "./attachments";

/** Most bytes around one argument of a RESP request. */
const ARGUMENT_OVERHEAD: u32 = 16;
const KEY_ALIVE: u32 = 1 << 31;

/** A request as RESP, in an attachment; 0 without memory. */
export function requestOf(argv: u32, argc: u32): u32 {
  let bytes = ARGUMENT_OVERHEAD;
  for (let i: u32 = 0; i < argc; i++) bytes += argumentLength(argv, i) + ARGUMENT_OVERHEAD;
  const request = attachmentTake(ATTACHMENT_REQUEST, bytes);
  if (request == 0) return 0;
  let at = header(attachmentBody(request), 42, argc);
  for (let i: u32 = 0; i < argc; i++) {
    const length = argumentLength(argv, i);
    at = header(at, 36, length);
    memory.copy(at, argument(argv, i), length);
    at += length;
    store<u16>(at, 0x0a0d);
    at += 2;
  }
  attachmentSetLength(request, at - attachmentBody(request));
  return request;
}

function header(at: u32, byte: u32, length: u32): u32 {
  store<u8>(at, <u8>byte);
  const end = writeInteger(at + 1, length);
  store<u16>(end, 0x0a0d);
  return end + 2;
}

/** The keys argv[1…] in an attachment, none of them alive; 0 without memory. */
export function keysOf(argv: u32, argc: u32): u32 {
  let bytes: u32 = 4;
  for (let i: u32 = 1; i < argc; i++) bytes += 4 + argumentLength(argv, i);
  const keys = attachmentTake(ATTACHMENT_KEYS, bytes);
  if (keys == 0) return 0;
  let at = attachmentBody(keys);
  store<u32>(at, argc - 1);
  at += 4;
  for (let i: u32 = 1; i < argc; i++) {
    const length = argumentLength(argv, i);
    store<u32>(at, length);
    memory.copy(at + 4, argument(argv, i), length);
    at += 4 + length;
  }
  return keys;
}

/** Notes at a key of keysOf() that it is alive, if it is; returns the next key. The first is at the attachment's body + 4. */
export function keyIsAlive(key: u32, alive: bool): u32 {
  const length = load<u32>(key);
  if (alive) store<u32>(key, length | KEY_ALIVE);
  return key + 4 + length;
}
