// The part of a string that BITCOUNT and BITPOS look at.

import type { Arguments } from "../../arguments.ts";
import { syntaxError } from "../command.ts";
import { type Range, resolveRange } from "../parse.ts";

/** What the two ends of a range count. */
export type Unit = "byte" | "bit";

/** An argument that is BYTE or BIT; throws a syntax error. */
export function readUnit(args: Arguments, index: number): Unit {
  const word = args.size(index) <= 4 ? args.word(index) : "";
  if (word === "byte" || word === "bit") return word;
  throw syntaxError();
}

/** The bits that `start` and `end` mean of so many bytes; undefined when there are none. */
export function resolveBits(
  start: bigint,
  end: bigint,
  unit: Unit,
  length: number,
): Range | undefined {
  if (unit === "bit") return resolveRange(start, end, length * 8);
  const bytes = resolveRange(start, end, length);
  return bytes && { first: bytes.first * 8, last: bytes.last * 8 + 7 };
}
