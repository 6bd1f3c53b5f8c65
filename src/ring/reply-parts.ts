// Replies to the parts of a command that was split by owner, put together to the reply to the whole.

import { concat } from "../codec/concat.ts";
import { latin1 } from "../store/arguments.ts";
import type { Merge, Part } from "./command-keys.ts";

const TEXT = new TextEncoder();
const MINUS = 45;
const CR = 13;

/** Whether a reply is an error. */
export const isError = (reply: Uint8Array): boolean => reply[0] === MINUS;

/** The reply to a command from those to its parts, in RESP; the first error where one failed. */
export function mergeReplies(
  merge: Merge,
  parts: readonly Part[],
  replies: readonly Uint8Array[],
): Uint8Array {
  const failed = replies.find(isError);
  if (failed !== undefined) return failed;
  switch (merge) {
    case "sum":
      return TEXT.encode(`:${replies.reduce((sum, reply) => sum + integerOf(reply), 0)}\r\n`);
    case "ok":
      return replies[0]!;
    case "items":
      return mergeItems(parts, replies);
  }
}

/** Bytes as an error reply. */
export function errorReply(text: string): Uint8Array {
  return TEXT.encode(`-${text.replace(/[\r\n]/g, " ")}\r\n`);
}

/** The same error with more behind its text. */
export function withMore(error: Uint8Array, more: string): Uint8Array {
  return errorReply(`${new TextDecoder().decode(error).slice(1, -2)}${more}`);
}

function integerOf(reply: Uint8Array): number {
  return Number(latin1(reply, 1, lineEnd(reply, 0) - 1));
}

/** Puts the items of each part's array where their keys stood. */
function mergeItems(parts: readonly Part[], replies: readonly Uint8Array[]): Uint8Array {
  const items: Uint8Array[] = [];
  for (const [i, part] of parts.entries()) {
    const found = itemsOf(replies[i]!);
    for (const [j, position] of part.positions.entries()) items[position] = found[j]!;
  }
  return concat([TEXT.encode(`*${items.length}\r\n`), ...items]);
}

/** The items of an array of bulk strings and nulls, each with its header. */
export function itemsOf(reply: Uint8Array): Uint8Array[] {
  const count = integerOf(reply);
  const items: Uint8Array[] = [];
  let at = lineEnd(reply, 0) + 2;
  for (let i = 0; i < count; i++) {
    const header = lineEnd(reply, at);
    const length = reply[at] === DOLLAR ? Number(latin1(reply, at + 1, header - at - 1)) : -1;
    const end = length < 0 ? header + 2 : header + 2 + length + 2;
    items.push(reply.subarray(at, end));
    at = end;
  }
  return items;
}

const DOLLAR = 36;

function lineEnd(bytes: Uint8Array, start: number): number {
  return bytes.indexOf(CR, start);
}
