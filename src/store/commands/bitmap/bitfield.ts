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
  const grows = length > value.length;
  if (grows) value = database.extend(call.key(1), length);
  reply.array(operations.length);
  let changed = false;
  for (const operation of operations) {
    const { result, changes } = runOperation(value, operation);
    if (result === undefined) reply.null();
    else reply.integer(result);
    if (changes) changed = true;
  }
  // Fields that are set to what they were are no change, for WATCH too.
  if (changed && !grows) database.extend(call.key(1), length);
}

/** What an operation replies: the field before SET, else after it, undefined where OVERFLOW FAIL has stopped it. */
interface Outcome {
  readonly result: number | bigint | undefined;
  readonly changes: boolean;
}

function runOperation(bytes: Uint8Array, operation: FieldOperation): Outcome {
  const { kind, type, offset, overflow } = operation;
  const before = readField(bytes, offset, type);
  if (kind === "get") return { result: before, changes: false };
  const wanted = kind === "set" ? operation.value : addToField(before, operation.value);
  const after = fitField(wanted, type, overflow);
  if (after === undefined) return { result: undefined, changes: false };
  writeField(bytes, offset, type, after);
  return {
    result: kind === "set" ? before : after,
    changes: readField(bytes, offset, type) !== before,
  };
}
