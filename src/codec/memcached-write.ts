/** Writes requests and replies of the memcached text protocol (memcached, doc/protocol.txt). */
import { CodecError } from "./codec-error.ts";
import { concat } from "./concat.ts";
import type { MemcachedReply, MemcachedRequest } from "./memcached-message.ts";

/** Longest key, in bytes. */
export const MAX_MEMCACHED_KEY_BYTES = 250;

/** Longest line that a reader takes, in bytes: 64 KiB with its CR. */
const MAX_LINE_BYTES = 64 * 1024 - 1;

const CRLF = Uint8Array.of(13, 10);

/** See `MemcachedFace.writeMemcachedRequest`. */
export function writeMemcachedRequest(request: MemcachedRequest): Uint8Array {
  const { command } = request;
  switch (command) {
    case "get":
    case "gets":
      return line([command, ...request.keys.map(checkedKey)]);
    case "gat":
    case "gats":
      return line([command, seconds(request.exptime), ...request.keys.map(checkedKey)]);
    case "set":
    case "add":
    case "replace":
    case "append":
    case "prepend":
      return storage(request, request.noreply ? ["noreply"] : []);
    case "cas":
      return storage(request, [String(request.cas), ...(request.noreply ? ["noreply"] : [])]);
    case "incr":
    case "decr":
      return quietly(request.noreply, [command, checkedKey(request.key), String(request.delta)]);
    case "touch":
      return quietly(request.noreply, [command, checkedKey(request.key), seconds(request.exptime)]);
    case "delete":
      return quietly(request.noreply, [command, checkedKey(request.key)]);
    case "flush_all":
      return quietly(request.noreply, [command, seconds(request.delay)]);
    case "verbosity":
      return quietly(request.noreply, [command, String(request.level)]);
    case "stats":
      return line([command, ...request.tokens.map(checkedToken)]);
    case "version":
    case "quit":
    case "mn":
      return line([command]);
    case "ms":
      return withData(
        [
          command,
          checkedKey(request.key),
          String(request.value.length),
          ...request.tokens.map(checkedToken),
        ],
        request.value,
      );
    case "mg":
    case "md":
    case "ma":
    case "me":
      return line([command, checkedKey(request.key), ...request.tokens.map(checkedToken)]);
  }
}

/** See `MemcachedFace.writeMemcachedReply`. */
export function writeMemcachedReply(reply: MemcachedReply): Uint8Array {
  switch (reply.type) {
    case "status":
      return line([reply.status]);
    case "values": {
      const parts: Uint8Array[] = [];
      for (const { key, flags, value, cas } of reply.values) {
        const words = ["VALUE", checkedKey(key), String(flags), String(value.length)];
        if (cas !== null) words.push(String(cas));
        parts.push(withData(words, value));
      }
      return concat([...parts, line(["END"])]);
    }
    case "stats": {
      const parts = reply.stats.map(([name, value]) =>
        line(value === "" ? ["STAT", name] : ["STAT", name, value]),
      );
      return concat([...parts, line(["END"])]);
    }
    case "number":
      return line([String(reply.value)]);
    case "version":
      return line(["VERSION", reply.version]);
    case "error":
      return line(reply.text === "" ? [reply.kind] : [reply.kind, reply.text]);
    case "meta":
      return line([reply.code, ...reply.tokens.map(checkedToken)]);
    case "meta-value":
      return withData(
        ["VA", String(reply.value.length), ...reply.tokens.map(checkedToken)],
        reply.value,
      );
    case "meta-debug":
      return line(["ME", ...reply.tokens.map(checkedToken)]);
  }
}

function storage(
  request: MemcachedRequest & {
    key: Uint8Array;
    flags: number;
    exptime: number;
    value: Uint8Array;
  },
  rest: string[],
): Uint8Array {
  const { command, key, flags, exptime, value } = request;
  const words = [command, checkedKey(key), String(flags), seconds(exptime), String(value.length)];
  return withData([...words, ...rest], value);
}

function quietly(noreply: boolean, words: string[]): Uint8Array {
  return line(noreply ? [...words, "noreply"] : words);
}

function withData(words: string[], data: Uint8Array): Uint8Array {
  return concat([line(words), data, CRLF]);
}

/** The words with spaces between them. A line end in a text becomes a space: a reader would begin a line there. */
function line(words: readonly string[]): Uint8Array {
  const text = words.join(" ").replace(/[\r\n]/g, " ");
  if (text.length > MAX_LINE_BYTES) {
    throw new CodecError(
      "MEMCACHED_LONG_LINE",
      `a line of ${text.length} bytes cannot be written: a line has at most ${MAX_LINE_BYTES}; ask for fewer keys at once`,
    );
  }
  return Uint8Array.from(`${text}\r\n`, (character) => character.charCodeAt(0));
}

function seconds(time: number): string {
  return String(Math.trunc(time));
}

/** The key as one character per byte. */
function checkedKey(key: Uint8Array): string {
  let text = "";
  for (const byte of key) text += String.fromCharCode(byte);
  if (key.length === 0 || key.length > MAX_MEMCACHED_KEY_BYTES || !isWord(text)) {
    throw new CodecError(
      "MEMCACHED_BAD_KEY",
      `a key of ${key.length} bytes cannot be written: a key has 1 to ${MAX_MEMCACHED_KEY_BYTES} bytes, without space or control characters`,
    );
  }
  return text;
}

function checkedToken(token: string): string {
  if (token === "" || !isWord(token)) {
    throw new CodecError(
      "MEMCACHED_BAD_TOKEN",
      `the token ${JSON.stringify(token)} cannot be written: it has characters, but no space or control characters`,
    );
  }
  return token;
}

/** Whether the text reads as one word again: each character a byte, none of them white or a control character. */
function isWord(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[\x00-\x20\x7f]/.test(text) && /^[\x21-\xff]*$/.test(text);
}
