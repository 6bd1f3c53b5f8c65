/** RESP requests: commands as clients send them (typed face of assembly/codec/resp-request.ts, and the writer). */
import { CodecError } from "./codec-error.ts";
import { concat } from "./concat.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { inWindows, WINDOW_BYTES, WINDOW_INCOMPLETE } from "./windows.ts";

/** What `parseRequests()` found. */
export interface RespRequests {
  /** One array of arguments per command; the command's name is the first. Empty commands are left out. */
  readonly commands: Uint8Array[][];
  /** Bytes of the whole commands: what is behind them must be given again, with what follows it. */
  readonly consumed: number;
  /** "incomplete": a command goes on behind the bytes. "error": what is at `consumed` is no command, and the connection is lost. */
  readonly status: "complete" | "incomplete" | "error";
  /** With "incomplete": how many more bytes the command needs at least. Else 0. */
  readonly wanted: number;
  readonly error: CodecError | null;
}

export interface RespRequestFace {
  /**
   * Reads every whole command in `bytes`: arrays of bulk strings, and inline commands (RESP specification, "Sending commands to a
   * Redis server"), by the rules and limits of Redis 7: at most 1,048,576 arguments of at most 512 MiB each, lines of at most
   * 64 KiB. Arguments are views of `bytes`; those of inline commands are copies.
   *
   * Errors carry Redis's own text. Codes: RESP_BAD_COUNT, RESP_LONG_COUNT, RESP_NO_DOLLAR, RESP_BAD_LENGTH, RESP_LONG_LENGTH,
   * RESP_NO_CRLF, RESP_LONG_INLINE, RESP_QUOTES; with `unauthenticated` (a client that has yet to give the password: at most 10
   * arguments of at most 16 KiB) RESP_UNAUTHENTICATED_COUNT and RESP_UNAUTHENTICATED_LENGTH.
   *
   * @example
   * const { commands } = codec.parseRequests(new TextEncoder().encode("*1\r\n$4\r\nPING\r\n"));
   * // commands[0][0] holds "PING"
   */
  parseRequests(bytes: Uint8Array, options?: { readonly unauthenticated?: boolean }): RespRequests;
  /**
   * One command as an array of bulk strings. Strings are written as UTF-8, numbers in decimal.
   * Throws CodecError RESP_EMPTY_COMMAND for no arguments: a server would never answer it.
   */
  writeRequest(args: readonly (Uint8Array | string | number | bigint)[]): Uint8Array;
}

export interface RespRequestExports extends CodecMemoryExports {
  respIndex(
    input: number,
    length: number,
    out: number,
    capacity: number,
    unauthenticated: boolean,
  ): number;
}

const COMPLETE = 0;
const INDEX_FULL = 12;
const NO_DOLLAR = 4;

/** Code and text of each status of the parser from 2 on. */
const ERRORS: readonly (readonly [code: string, text: string])[] = [
  ["RESP_BAD_COUNT", "invalid multibulk length"],
  ["RESP_LONG_COUNT", "too big mbulk count string"],
  ["RESP_NO_DOLLAR", "expected '$', got '"],
  ["RESP_BAD_LENGTH", "invalid bulk length"],
  ["RESP_LONG_LENGTH", "too big bulk count string"],
  ["RESP_LONG_INLINE", "too big inline request"],
  ["RESP_QUOTES", "unbalanced quotes in request"],
  ["RESP_NO_CRLF", "expected CR LF after bulk string"],
  ["RESP_UNAUTHENTICATED_COUNT", "unauthenticated multibulk length"],
  ["RESP_UNAUTHENTICATED_LENGTH", "unauthenticated bulk length"],
];

const HEADER_WORDS = 6;
/** Set in the argc word of an inline command. */
const INLINE = 0x80000000;
/** Words of the index to begin with. */
const INDEX_WORDS = 16 * 1024;

export function respRequestFace(instance: CodecInstance<RespRequestExports>): RespRequestFace {
  const { respIndex } = instance.exports;

  function parseRequests(
    bytes: Uint8Array,
    options: { readonly unauthenticated?: boolean } = {},
  ): RespRequests {
    const unauthenticated = options.unauthenticated === true;
    const commands: Uint8Array[][] = [];
    let byte = 0;

    function parseWindow(window: Uint8Array) {
      const { length } = window;
      // A command of one byte takes one word, one of two bytes three.
      let capacity = Math.min(INDEX_WORDS, HEADER_WORDS + 4 + length * 2);
      const input = instance.place(window, capacity * 4 + 4);
      const out = (input + length + 3) & ~3;
      let consumed = 0;
      while (true) {
        const status = respIndex(
          input + consumed,
          length - consumed,
          out,
          capacity,
          unauthenticated,
        );
        const data = instance.data;
        let at = out + HEADER_WORDS * 4;
        for (let left = data.getUint32(out + 8, true); left > 0; left--) {
          const word = data.getUint32(at, true);
          const argc = (word & ~INLINE) >>> 0;
          at += 4;
          if (argc === 0) continue;
          // An inline command was rewritten in the codec's memory; any other is as it was.
          const base = word >= INLINE ? input + consumed : window.byteOffset + consumed;
          const buffer = word >= INLINE ? instance.bytes.buffer : window.buffer;
          const args: Uint8Array[] = new Array(argc);
          for (let i = 0; i < argc; i++) {
            const view = new Uint8Array(
              buffer,
              base + data.getUint32(at, true),
              data.getUint32(at + 4, true),
            );
            args[i] = word >= INLINE ? view.slice() : view;
            at += 8;
          }
          commands.push(args);
        }
        const read = data.getUint32(out + 4, true);
        consumed += read;
        byte = data.getUint32(out + 16, true);
        if (status !== INDEX_FULL) {
          return { consumed, status, wanted: data.getUint32(out + 12, true), done: false };
        }
        if (read === 0) {
          capacity = HEADER_WORDS + 2 + byte * 2;
          instance.reserve(out + capacity * 4 - input);
        }
      }
    }

    const { consumed, status, wanted } = inWindows(bytes, 0, WINDOW_BYTES, parseWindow);
    if (status === COMPLETE)
      return { commands, consumed, status: "complete", wanted: 0, error: null };
    if (status === WINDOW_INCOMPLETE) {
      return { commands, consumed, status: "incomplete", wanted, error: null };
    }
    return { commands, consumed, status: "error", wanted: 0, error: requestError(status, byte) };
  }

  return { parseRequests, writeRequest };
}

/** The parser's status as an error, in Redis's words. */
function requestError(status: number, byte: number): CodecError {
  const [code, text] = ERRORS[status - 2]!;
  const got = status === NO_DOLLAR ? `${String.fromCharCode(byte)}'` : "";
  return new CodecError(code, `Protocol error: ${text}${got}`);
}

const TEXT = new TextEncoder();

function writeRequest(args: readonly (Uint8Array | string | number | bigint)[]): Uint8Array {
  if (args.length === 0) {
    throw new CodecError(
      "RESP_EMPTY_COMMAND",
      "a command needs its name at least: nothing was written, because no server answers an empty command",
    );
  }
  const parts: Uint8Array[] = [];
  let head = `*${args.length}\r\n`;
  for (const arg of args) {
    const bytes = arg instanceof Uint8Array ? arg : TEXT.encode(String(arg));
    parts.push(TEXT.encode(`${head}$${bytes.length}\r\n`), bytes);
    head = "\r\n";
  }
  parts.push(TEXT.encode(head));
  return concat(parts);
}
