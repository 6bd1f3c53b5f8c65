// BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value | INCRBY type offset increment ...]

import { type Call, type Command, ONE_KEY } from "../command.ts";
import { bytesOf, findString } from "../string-value.ts";
import { addToField, fitField, readField, writeField } from "./field.ts";
import { type FieldOperation, readOperations } from "./field-operations.ts";

export const bitfield: Command = {
  name: "bitfield",
  arity: -2,
  flags: ["write", "denyoom"],
  keys: ONE_KEY,
  group: "bitmap",
  since: "3.2.0",
  complexity: "O(1) for each operation",
  summary: "Reads, sets and increases integers of any width at any bit of the string at a key.",
  run(call) {
    runOperations(call, readOperations(call));
  },
};

/** Runs the operations in order on the string at the first argument's key, and replies the array of their results. */
export function runOperations(call: Call, operations: readonly FieldOperation[]): void {
  const { database, reply } = call;
  let value = bytesOf(database, findString(call, 1));
  let length = 0;
  for (const { kind, offset, type } of operations) {
    if (kind !== "get") length = Math.max(length, Math.ceil((offset + type.bits) / 8));
  }
  if (length > 0) value = database.extend(call.key(1), length);
  reply.array(operations.length);
  for (const operation of operations) {
    const result = runOperation(value, operation);
    if (result === undefined) reply.null();
    else reply.integer(result);
  }
}

/** The field's value: for SET the one before, else the one after. Undefined where OVERFLOW FAIL has stopped it. */
function runOperation(bytes: Uint8Array, operation: FieldOperation): number | bigint | undefined {
  const { kind, type, offset, overflow } = operation;
  const before = readField(bytes, offset, type);
  if (kind === "get") return before;
  const wanted = kind === "set" ? operation.value : addToField(before, operation.value);
  const after = fitField(wanted, type, overflow);
  if (after === undefined) return undefined;
  writeField(bytes, offset, type, after);
  return kind === "set" ? before : after;
}
