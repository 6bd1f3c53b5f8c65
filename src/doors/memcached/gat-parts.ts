// gat and gats of many keys on their way to a memcached server, which reads long lines of get and gets alone: several lines, whose
// replies become one.

import { latin1 } from "../../store/arguments.ts";
import type { ReplySink } from "../../store/backend/connection.ts";
import type { BackendError } from "../../store/backend/failure.ts";

/** Longest line that is sent, its line end included. */
const MAX_LINE_BYTES = 2048;
/** "END" and its line end, and the byte in front of them where they are a line. */
const END = [69, 78, 68, 13, 10];
const LF = 10;

/** The request, in lines that are not too long. */
export function partsOfGat(line: Uint8Array): Uint8Array[] {
  const [command, exptime, ...keys] = latin1(line, 0, line.length)
    .split(/[ \r\n]+/)
    .filter((word) => word !== "");
  const parts: string[] = [];
  const head = `${command} ${exptime}`;
  let part = head;
  for (const key of keys) {
    if (part.length + key.length + 3 > MAX_LINE_BYTES) {
      parts.push(part);
      part = head;
    }
    part += ` ${key}`;
  }
  return [...parts, part].map((text) =>
    Uint8Array.from(`${text}\r\n`, (character) => character.charCodeAt(0)),
  );
}

export interface MergedReplies {
  /** Bytes of the one reply. */
  reply(bytes: Uint8Array): void;
  /** It ends with an error; `torn`: in the middle of a value. */
  fail(error: BackendError, torn: boolean): void;
  /** So many parts have been answered since the last time. */
  settled(count: number): void;
}

/** Takes the replies of the parts, and hands out one: all values, and the END of the last. */
export class MergedParts implements ReplySink {
  #left: number;
  #answered = 0;
  /** An error has ended the reply: what other parts have found is left out. */
  #isOver = false;
  readonly #merged: MergedReplies;

  constructor(parts: number, merged: MergedReplies) {
    this.#left = parts;
    this.#merged = merged;
  }

  replies(bytes: Uint8Array, count: number): void {
    this.#left -= count;
    this.#answered += count;
    if (this.#isOver) return;
    const end = bytes.length - END.length;
    const hasEnd =
      count !== 0 &&
      END.every((byte, i) => bytes[end + i] === byte) &&
      (end === 0 || bytes[end - 1] === LF);
    const given = hasEnd && this.#left !== 0 ? bytes.subarray(0, end) : bytes;
    if (given.length !== 0) this.#merged.reply(given);
    // A line that ends a part otherwise is an error of the server.
    if (count !== 0 && !hasEnd) this.#isOver = true;
  }

  failed(count: number, error: BackendError, torn: boolean): void {
    this.#left -= count;
    this.#answered += count;
    if (!this.#isOver) this.#merged.fail(error, torn);
    this.#isOver = true;
  }

  settled(): void {
    const answered = this.#answered;
    this.#answered = 0;
    this.#merged.settled(answered);
  }
}
