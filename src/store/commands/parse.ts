// Reading arguments and values as Redis does: integers of 64 bits, floats, expiry times, ranges.

import type { ArgumentReader, Arguments } from "../arguments.ts";
import { type Call, CommandError, notAnInteger } from "./command.ts";
import { type LongDouble, parseLongDouble } from "./long-double.ts";

/** Digits and sign of the longest 64-bit integer. */
export const MAX_INTEGER_CHARACTERS = 20;

const INTEGER = /^(?:0|-?[1-9][0-9]{0,18})$/;

/** A 64-bit integer without leading zeros, plus sign or spaces; undefined for any other text. */
export function parseInteger(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** An argument that is a 64-bit integer; throws `error`, by default "value is not an integer or out of range". */
export function readInteger(
  args: ArgumentReader,
  index: number,
  error: () => CommandError = notAnInteger,
): bigint {
  // Longer ones are not converted to text: they may be very long.
  if (args.size(index) > MAX_INTEGER_CHARACTERS) throw error();
  const value = parseInteger(args.text(index));
  if (value === undefined) throw error();
  return value;
}

/** Characters that a float may have; longer text is none. */
export const MAX_FLOAT_CHARACTERS = 5119;

/** An argument that is a float of 80 bits; throws "value is not a valid float". */
export function readFloat(args: Arguments, index: number): LongDouble {
  const short = args.size(index) <= MAX_FLOAT_CHARACTERS;
  const value = short ? parseLongDouble(args.text(index)) : undefined;
  if (value === undefined) throw notAFloat();
  return value;
}

export const notAFloat = (): CommandError => new CommandError("ERR value is not a valid float");

/** Latest expiry that an entry can hold, in ms since the epoch: in the year 10889. */
export const MAX_EXPIRY_MS = 2 ** 48 - 1;

/** How an option or a command gives an expiry: in units of so many ms, from the epoch or from now. */
export interface ExpiryForm {
  readonly unitMs: number;
  readonly absolute: boolean;
}

/**
 * The expiry that an argument of SET and its kin gives, in ms since the epoch. It must be positive and fit into 64 bits of
 * milliseconds; one beyond MAX_EXPIRY_MS becomes that. Throws "invalid expire time".
 */
export function readExpiry(call: Call, index: number, form: ExpiryForm): number {
  const value = readInteger(call.args, index);
  const base = form.absolute ? 0n : BigInt(call.store.now);
  const expiry = value * BigInt(form.unitMs) + base;
  if (value <= 0n || BigInt.asIntN(64, expiry) !== expiry) throw invalidExpiry(call);
  return Math.min(Number(expiry), MAX_EXPIRY_MS);
}

export const invalidExpiry = (call: Call): CommandError =>
  new CommandError(`ERR invalid expire time in '${call.args.word(0)}' command`);

/** A part of something that has places 0, 1, 2 …: its first and its last place. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * The part that `start` and `end` mean of something `length` long: negative ones count from the end, and what lies outside is
 * cut off. Undefined when nothing is left.
 */
export function resolveRange(start: bigint, end: bigint, length: number): Range | undefined {
  const first = place(start, length);
  const last = Math.min(place(end, length), length - 1);
  return first > last ? undefined : { first, last };
}

/** Whether both count from the end, the wrong way round: for some commands that is no range, however long the value is. */
export function isReversed(start: bigint, end: bigint): boolean {
  return start < 0n && end < 0n && start > end;
}

function place(index: bigint, length: number): number {
  // Rounded where it is beyond 2^53, which is far beyond any length.
  const at = Number(index);
  return Math.max(0, at < 0 ? at + length : at);
}
