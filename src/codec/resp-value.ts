/** What a RESP reply says, as a value: one model for both protocol versions, in which no two types look alike. */

/**
 * A reply. `text` is UTF-8 (bytes that are none read as U+FFFD); `bytes` are the bytes as they came, a view of the parsed input.
 *
 * An integer is a `number` where that is exact, and a `bigint` beyond ±(2^53 - 1). Streamed strings, arrays, sets and maps are
 * the same values as those of known length.
 */
export type RespValue =
  | { readonly type: "simple"; readonly text: string }
  | { readonly type: "error"; readonly text: string }
  | { readonly type: "integer"; readonly value: number | bigint }
  | { readonly type: "bulk"; readonly bytes: Uint8Array }
  | { readonly type: "null" }
  /** RESP 2 has a null of its own in place of an array; RESP 3 writes it as any null. */
  | { readonly type: "null-array" }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "big-number"; readonly value: bigint }
  | { readonly type: "bulk-error"; readonly bytes: Uint8Array }
  /** `format` is three characters, "txt" or "mkd". */
  | { readonly type: "verbatim"; readonly format: string; readonly bytes: Uint8Array }
  | { readonly type: "array"; readonly items: readonly RespValue[] }
  | { readonly type: "set"; readonly items: readonly RespValue[] }
  | { readonly type: "push"; readonly items: readonly RespValue[] }
  | { readonly type: "map"; readonly entries: readonly RespEntry[] }
  /** What a server adds about `value`. */
  | {
      readonly type: "attribute";
      readonly entries: readonly RespEntry[];
      readonly value: RespValue;
    };

/** A key of a map, and its value. */
export type RespEntry = readonly [RespValue, RespValue];
