// What SCAN and HSCAN share: the cursor, the options, and the form of the reply.

import type { ArgumentReader } from "../arguments.ts";
import { CommandError, syntaxError } from "./command.ts";
import { matchesGlob } from "./glob.ts";
import { readInteger } from "./parse.ts";

/** The options of a scan. */
export interface ScanOptions {
  /** About how many elements one call looks at. */
  count: number;
  /** Which elements are told. */
  pattern: Uint8Array | undefined;
  /** Of keys: Redis's name of the type that is told. */
  type: string | undefined;
}

const DEFAULT_COUNT = 10;

/** What strtoul() of C reads to the end; nothing at all is 0. */
const CURSOR = /^(?:[+-]?[0-9]+)?$/;
const MAX_CURSOR_CHARACTERS = 64;

/** The cursor: 64 bits without a sign, as a client may send any. Throws "invalid cursor". */
export function readCursor(args: ArgumentReader, index: number): bigint {
  const text = args.size(index) <= MAX_CURSOR_CHARACTERS ? args.text(index) : "?";
  if (!CURSOR.test(text)) throw invalidCursor();
  const distance = BigInt(text.replace(/^[+-]/, "") || "0");
  if (BigInt.asUintN(64, distance) !== distance) throw invalidCursor();
  return BigInt.asUintN(64, text.startsWith("-") ? -distance : distance);
}

const invalidCursor = (): CommandError => new CommandError("ERR invalid cursor");

/** The options from argument `from` on. `ofKeys`: whether TYPE is one of them. */
export function readScanOptions(args: ArgumentReader, from: number, ofKeys: boolean): ScanOptions {
  const options: ScanOptions = { count: DEFAULT_COUNT, pattern: undefined, type: undefined };
  for (let i = from; i < args.length; i += 2) {
    const option = args.word(i);
    if (i + 1 === args.length) throw syntaxError();
    if (option === "count") {
      options.count = Number(readInteger(args, i + 1));
      if (options.count < 1) throw syntaxError();
    } else if (option === "match") {
      options.pattern = args.bytes(i + 1);
    } else if (option === "type" && ofKeys) {
      options.type = args.word(i + 1);
    } else {
      throw syntaxError();
    }
  }
  return options;
}

/** Whether a key or field, which `text` tells, is one that the pattern means; without a pattern, all are. */
export function isMeant(pattern: Uint8Array | undefined, text: () => Uint8Array): boolean {
  return pattern === undefined || matchesGlob(pattern, text());
}
