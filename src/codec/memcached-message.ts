/** What is said in the memcached text protocol, as values: requests and replies, classic and meta. */
import type { CodecError } from "./codec-error.ts";

/**
 * A request. Times are seconds, as memcached has them: 0 never, up to 30 days from now, beyond that since 1970, negative at once.
 * `tokens` are the flags of a meta command and the arguments of stats, one character per byte.
 */
export type MemcachedRequest =
  | { readonly command: "get" | "gets"; readonly keys: readonly Uint8Array[] }
  | {
      readonly command: "gat" | "gats";
      readonly exptime: number;
      readonly keys: readonly Uint8Array[];
    }
  | {
      readonly command: "set" | "add" | "replace" | "append" | "prepend";
      readonly key: Uint8Array;
      /** 32 bits that belong to the client. */
      readonly flags: number;
      readonly exptime: number;
      readonly value: Uint8Array;
      readonly noreply: boolean;
    }
  | {
      readonly command: "cas";
      readonly key: Uint8Array;
      readonly flags: number;
      readonly exptime: number;
      readonly value: Uint8Array;
      /** 64 bits. */
      readonly cas: bigint;
      readonly noreply: boolean;
    }
  | {
      readonly command: "incr" | "decr";
      readonly key: Uint8Array;
      /** 64 bits, unsigned. */
      readonly delta: bigint;
      readonly noreply: boolean;
    }
  | {
      readonly command: "touch";
      readonly key: Uint8Array;
      readonly exptime: number;
      readonly noreply: boolean;
    }
  | { readonly command: "delete"; readonly key: Uint8Array; readonly noreply: boolean }
  | { readonly command: "flush_all"; readonly delay: number; readonly noreply: boolean }
  | { readonly command: "verbosity"; readonly level: number; readonly noreply: boolean }
  | { readonly command: "stats"; readonly tokens: readonly string[] }
  | { readonly command: "version" | "quit" | "mn" }
  | {
      readonly command: "mg" | "md" | "ma" | "me";
      readonly key: Uint8Array;
      readonly tokens: readonly string[];
    }
  | {
      readonly command: "ms";
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly tokens: readonly string[];
    };

/** A line that is no request: `reply` is what memcached answers to it, without its line end. The next request follows it. */
export interface MemcachedInvalid {
  readonly command: "invalid";
  readonly error: CodecError;
  readonly reply: string;
}

/** Replies that are one word. */
export const MEMCACHED_STATUSES = [
  "STORED",
  "NOT_STORED",
  "EXISTS",
  "NOT_FOUND",
  "DELETED",
  "TOUCHED",
  "OK",
  "RESET",
  "MN",
] as const;

export type MemcachedStatus = (typeof MEMCACHED_STATUSES)[number];

/** One item of the answer to get, gets, gat and gats. */
export interface MemcachedValue {
  readonly key: Uint8Array;
  readonly flags: number;
  readonly value: Uint8Array;
  /** Sent in answer to gets and gats. */
  readonly cas: bigint | null;
}

/** A reply. Texts and tokens have one character per byte. */
export type MemcachedReply =
  | { readonly type: "status"; readonly status: MemcachedStatus }
  /** What get and its kind found; also an END alone, which stats may answer. */
  | { readonly type: "values"; readonly values: readonly MemcachedValue[] }
  | { readonly type: "stats"; readonly stats: readonly (readonly [name: string, value: string])[] }
  /** The new value of a counter, 64 bits, unsigned. */
  | { readonly type: "number"; readonly value: bigint }
  | { readonly type: "version"; readonly version: string }
  | {
      readonly type: "error";
      readonly kind: "ERROR" | "CLIENT_ERROR" | "SERVER_ERROR";
      readonly text: string;
    }
  /** An answer to a meta command without a value. */
  | {
      readonly type: "meta";
      readonly code: "HD" | "EN" | "NF" | "NS" | "EX";
      readonly tokens: readonly string[];
    }
  /** VA */
  | { readonly type: "meta-value"; readonly value: Uint8Array; readonly tokens: readonly string[] }
  /** ME: the key and what is known of it. */
  | { readonly type: "meta-debug"; readonly tokens: readonly string[] };
