/**
 * The one reply model: what a command says, apart from how RESP 2 or RESP 3 writes it. A command writes exactly one reply, in
 * order; an aggregate is its header followed by that many replies (a map: by pairs).
 */
export interface Reply {
  /** A simple string; `text` is ASCII without CR or LF. */
  simple(text: string): void;
  /** "OK". */
  ok(): void;
  /** An error; `text` begins with its code ("ERR …", "WRONGTYPE …"); CR and LF in it become spaces. */
  error(text: string): void;
  integer(value: number | bigint): void;
  /** A bulk string: bytes as they are, a string as UTF-8. The bytes are copied before this returns. */
  bulk(value: Uint8Array | string): void;
  /** A bulk string of text that is one character per byte. */
  latin1(text: string): void;
  /** RESP 2: a null bulk string; RESP 3: null. */
  null(): void;
  /** RESP 2: a null array; RESP 3: null. */
  nullArray(): void;
  /** Followed by `length` replies. */
  array(length: number): void;
  /** Followed by `pairs` × 2 replies. RESP 2: an array of both. */
  map(pairs: number): void;
  /** Followed by `count` pairs, each of which pair() begins. RESP 2: an array of all that is in them. */
  pairs(count: number): void;
  /** Followed by two replies. RESP 2: nothing of its own. */
  pair(): void;
  /** Followed by `length` replies. RESP 2: an array. */
  set(length: number): void;
  /** RESP 2: a bulk string. */
  double(value: number): void;
  /** RESP 2: 1 or 0. */
  boolean(value: boolean): void;
  /** Text with its format ("txt", "mkd"). RESP 2: a bulk string. */
  verbatim(format: string, text: string): void;
  /** RESP 2: a bulk string. */
  bigNumber(value: bigint): void;
}
