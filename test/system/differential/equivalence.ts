/**
 * When two replies to a command say the same, although they are not equal: where the order is nobody's promise, where chance
 * decides, or where the clock or the memory of a server shows.
 */
import { MAX_EXPIRY_MS } from "../../../src/store/commands/parse.ts";
import { type Decoded, decodeReply } from "../../unit/store/decode-reply.ts";
import type { Argument } from "../../unit/store/harness.ts";

/** Whether both replies, one character per byte, are right if one of them is. */
export function saysTheSame(command: readonly Argument[], a: string, b: string): boolean {
  if (a === b) return true;
  const rule = RULES[String(command[0]).toLowerCase()];
  // Errors must be equal, and so must be the types.
  if (rule === undefined || a[0] !== b[0] || a[0] === "-") return false;
  return rule(decodeReply(a), decodeReply(b), command);
}

type Rule = (a: Decoded, b: Decoded, command: readonly Argument[]) => boolean;

const RULES: Readonly<Record<string, Rule>> = {
  keys: (a, b) => isPermutation(list(a), list(b)),
  hkeys: (a, b) => isPermutation(list(a), list(b)),
  hvals: (a, b) => isPermutation(list(a), list(b)),
  hgetall: (a, b) => isPermutation(pairs(list(a)), pairs(list(b))),
  scan: (a, b, [, cursor]) => isInside(cursor) || isSameScan(a, b, (keys) => keys),
  hscan: (a, b, [, , cursor]) => isInside(cursor) || isSameScan(a, b, pairs),
  hrandfield: (a, b) => shapeOf(a) === shapeOf(b),
  randomkey: (a, b) => shapeOf(a) === shapeOf(b),
  object: (a, b, [, what]) =>
    String(what).toLowerCase() !== "encoding" && shapeOf(a) === shapeOf(b),
  memory: (a, b) => shapeOf(a) === shapeOf(b),
  ttl: (a, b) => isNear(a, b, 60, (MAX_EXPIRY_MS - Date.now()) / 1000),
  pttl: (a, b) => isNear(a, b, 60_000, MAX_EXPIRY_MS - Date.now()),
  expiretime: (a, b) => isNear(a, b, 60, MAX_EXPIRY_MS / 1000),
  pexpiretime: (a, b) => isNear(a, b, 60_000, MAX_EXPIRY_MS),
};

function list(value: Decoded): readonly Decoded[] {
  if (!Array.isArray(value)) throw new Error(`no array: ${JSON.stringify(value)}`);
  return value;
}

function pairs(items: readonly Decoded[]): Decoded[] {
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i]!, items[2 * i + 1]!]);
}

function isPermutation(a: readonly Decoded[], b: readonly Decoded[]): boolean {
  const sorted = (items: readonly Decoded[]) => items.map((item) => JSON.stringify(item)).sort();
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** Whether a cursor is not that of the beginning: everybody has their own. */
function isInside(cursor: Argument | undefined): boolean {
  return /[1-9]/.test(String(cursor));
}

/** Whether two calls of a scan have told the same; where one of them has not told all, they need not. */
function isSameScan(
  a: Decoded,
  b: Decoded,
  elements: (items: readonly Decoded[]) => readonly Decoded[],
): boolean {
  const [cursor, items] = list(a);
  const [otherCursor, otherItems] = list(b);
  if (cursor !== "0" || otherCursor !== "0") return true;
  return isPermutation(elements(list(items!)), elements(list(otherItems!)));
}

/** Types and lengths without the values. */
function shapeOf(value: Decoded): string {
  return Array.isArray(value) ? `[${value.map(shapeOf)}]` : value === null ? "null" : typeof value;
}

/** Whether two times are the same but for the clocks; both may be beyond `most`, which is the latest that we can hold. */
function isNear(a: Decoded, b: Decoded, tolerance: number, most: number): boolean {
  const [one, other] = [Number(a), Number(b)];
  if (one < 0 || other < 0) return one === other;
  return Math.abs(Math.min(one, most) - Math.min(other, most)) <= tolerance;
}
