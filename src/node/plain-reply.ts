// Replies as the values that a program works with.

import { RingletError } from "../base/errors.ts";
import type { RespValue } from "../codec/resp-value.ts";

/** A reply: strings are bytes, simple strings text, sets arrays. */
export type Reply =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | RingletError
  | readonly Reply[]
  | ReadonlyMap<string, Reply>;

const UTF8 = new TextDecoder();

/** The value of a reply, copied where it is a view. Errors inside of arrays are values. */
export function plainReply(value: RespValue): Reply {
  switch (value.type) {
    case "simple":
      return value.text;
    case "error":
      return replyError(value.text);
    case "bulk-error":
      return replyError(UTF8.decode(value.bytes));
    case "bulk":
      return value.bytes.slice();
    case "verbatim":
      return UTF8.decode(value.bytes);
    case "integer":
    case "boolean":
    case "double":
    case "big-number":
      return value.value;
    case "null":
    case "null-array":
      return null;
    case "array":
    case "set":
    case "push":
      return value.items.map(plainReply);
    case "map":
      return new Map(value.entries.map(([key, held]) => [textOf(key), plainReply(held)]));
    case "attribute":
      return plainReply(value.value);
  }
}

/** The error of an error reply: its code is the code word, or says what a ring's error means. */
export function replyError(text: string): RingletError {
  const [word = "ERR"] = text.split(" ", 1);
  return new RingletError(codeOf(text) ?? word, text);
}

function codeOf(text: string): string | undefined {
  if (!text.startsWith("ERR Dynomite: ")) return undefined;
  if (text.endsWith("the outcome of the write is unknown")) return "OUTCOME_UNKNOWN";
  return text.startsWith("ERR Dynomite: Failed to achieve Quorum") ? "NO_QUORUM" : undefined;
}

function textOf(key: RespValue): string {
  const plain = plainReply(key);
  return plain instanceof Uint8Array ? UTF8.decode(plain) : String(plain);
}
