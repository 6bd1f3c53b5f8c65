// Offsets of bits among the arguments.

import { type Call, CommandError } from "../command.ts";
import { MAX_INTEGER_CHARACTERS, parseInteger } from "../parse.ts";

/**
 * The offset of a bit that an argument gives; it must lie in a string of allowed length. With `fieldBits` an offset may be
 * written "#n", the place behind n fields of so many bits. Throws "bit offset is not an integer or out of range".
 */
export function readBitOffset(call: Call, index: number, fieldBits?: number): number {
  const { args, store } = call;
  // One character more for the "#".
  const text = args.size(index) <= MAX_INTEGER_CHARACTERS + 1 ? args.text(index) : "";
  const counted = fieldBits !== undefined && text.startsWith("#");
  const number = parseInteger(counted ? text.slice(1) : text);
  if (number === undefined) throw badOffset();
  const offset = counted ? number * BigInt(fieldBits) : number;
  if (offset < 0n || offset >= BigInt(store.maxBulkBytes) * 8n) throw badOffset();
  return Number(offset);
}

const badOffset = (): CommandError =>
  new CommandError("ERR bit offset is not an integer or out of range");
