// The operations among the arguments of BITFIELD.

import type { Arguments } from "../../arguments.ts";
import { type Call, CommandError, syntaxError } from "../command.ts";
import { readInteger } from "../parse.ts";
import { type FieldType, type Overflow, parseFieldType } from "./field.ts";
import { readBitOffset } from "./offset.ts";

/** What is done to one field. */
export interface FieldOperation {
  readonly kind: "get" | "set" | "incrby";
  readonly type: FieldType;
  /** Number of the field's first bit. */
  readonly offset: number;
  /** To set, or to add; of "get" 0. */
  readonly value: bigint;
  readonly overflow: Overflow;
}

/** Arguments of an operation behind its name. */
const OPERANDS: ReadonlyMap<string, number> = new Map([
  ["get", 2],
  ["set", 3],
  ["incrby", 3],
  ["overflow", 1],
]);

/** Reads all operations of a command, from argument 2 on; an OVERFLOW is for those that follow. */
export function readOperations(call: Call): FieldOperation[] {
  const { args } = call;
  const operations: FieldOperation[] = [];
  let overflow: Overflow = "wrap";
  let i = 2;
  while (i < args.length) {
    const kind = shortWord(args, i);
    const operands = OPERANDS.get(kind);
    if (operands === undefined || i + operands >= args.length) throw syntaxError();
    if (kind === "overflow") overflow = readOverflow(args, i + 1);
    else operations.push(readOperation(call, i, kind as FieldOperation["kind"], overflow));
    i += 1 + operands;
  }
  return operations;
}

function readOperation(
  call: Call,
  index: number,
  kind: FieldOperation["kind"],
  overflow: Overflow,
): FieldOperation {
  const { args } = call;
  // Unlike the other words, types are in lower case.
  const type = args.size(index + 1) <= 3 ? parseFieldType(args.text(index + 1)) : undefined;
  if (type === undefined) {
    throw new CommandError(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
    );
  }
  const offset = readBitOffset(call, index + 2, type.bits);
  const value = kind === "get" ? 0n : readInteger(args, index + 3);
  // A negative number for a field without sign is a large one.
  const large = kind === "set" && !type.signed;
  return { kind, type, offset, value: large ? BigInt.asUintN(64, value) : value, overflow };
}

function readOverflow(args: Arguments, index: number): Overflow {
  const word = shortWord(args, index);
  if (word === "wrap" || word === "sat" || word === "fail") return word;
  throw new CommandError("ERR Invalid OVERFLOW type specified");
}

function shortWord(args: Arguments, index: number): string {
  return args.size(index) <= LONGEST_WORD ? args.word(index) : "";
}

const LONGEST_WORD = "overflow".length;
