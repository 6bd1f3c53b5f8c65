// Operations on items, and how they ended, as arguments and reply of a command that a node of a ring has another one run.
//
//   arguments   name of the command, key, operation (JSON: numbers of 64 bits as text; no value), value
//   reply       status, and of an item: flags, version, expiry, idle seconds, value

import type { RespValue } from "../../../codec/resp-value.ts";
import type { ArgumentReader } from "../../arguments.ts";
import type { Item, ItemOperation, ItemOutcome, ItemStatus, StoreMode } from "../../items.ts";
import type { Reply } from "../../reply.ts";
import { syntaxError } from "../command.ts";

/** Names of the commands; clients cannot call them. */
export const ITEM_COMMANDS = {
  read: "memcached|read",
  /** Deletes, or changes the expiry: it needs no room. */
  change: "memcached|change",
  /** Replaces whatever is there: any replica may run it. */
  set: "memcached|set",
  write: "memcached|write",
} as const;

/** The command that runs an operation. */
export function itemCommandOf(operation: ItemOperation): string {
  switch (operation.do) {
    case "read":
      return ITEM_COMMANDS.read;
    case "touch":
    case "delete":
      return ITEM_COMMANDS.change;
    case "count":
      return ITEM_COMMANDS.write;
    case "store":
      return operation.mode === "set" && operation.cas === undefined
        ? ITEM_COMMANDS.set
        : ITEM_COMMANDS.write;
  }
}

const TEXT = new TextEncoder();
const UTF8 = new TextDecoder();
const NOTHING = new Uint8Array(0);

/** The arguments of a command, copied. */
export function encodeOperation(key: Uint8Array, operation: ItemOperation): Uint8Array[] {
  const { value = NOTHING, ...rest } = operation as ItemOperation & { value?: Uint8Array };
  const text = JSON.stringify(rest, (_, field) =>
    typeof field === "bigint" ? String(field) : field,
  );
  return [TEXT.encode(itemCommandOf(operation)), key.slice(), TEXT.encode(text), value.slice()];
}

/** Throws a syntax error for what is no operation, or one of another command. */
export function decodeOperation(args: ArgumentReader): ItemOperation {
  const operation = operationOf(args);
  if (itemCommandOf(operation) !== args.text(0)) throw syntaxError();
  return operation;
}

function operationOf(args: ArgumentReader): ItemOperation {
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(args.text(2)) as Readonly<Record<string, unknown>>;
  } catch {
    throw syntaxError();
  }
  const cas = optional(fields.cas, bigintOf);
  switch (fields.do) {
    case "read":
      return { do: "read" };
    case "touch":
      return { do: "touch", exptime: numberOf(fields.exptime) };
    case "delete":
      return { do: "delete", cas };
    case "store":
      return {
        do: "store",
        mode: modeOf(fields.mode),
        flags: numberOf(fields.flags),
        exptime: numberOf(fields.exptime),
        value: args.bytes(3),
        cas,
        vivify: optional(fields.vivify, numberOf),
      };
    case "count": {
      const vivify = fields.vivify as Readonly<Record<string, unknown>> | undefined;
      return {
        do: "count",
        down: fields.down === true,
        delta: bigintOf(fields.delta),
        cas,
        exptime: optional(fields.exptime, numberOf),
        vivify:
          vivify === undefined
            ? undefined
            : { initial: bigintOf(vivify.initial), exptime: numberOf(vivify.exptime) },
      };
    }
    default:
      throw syntaxError();
  }
}

/** `operation`: what was run; who has stored a value is not told it. */
export function writeOutcome(
  reply: Reply,
  { status, item }: ItemOutcome,
  operation: ItemOperation,
): void {
  reply.array(item === undefined ? 1 : 6);
  reply.simple(status);
  if (item === undefined) return;
  reply.integer(item.flags);
  reply.bulk(String(item.cas));
  reply.integer(item.expiry);
  reply.integer(item.idleSeconds);
  reply.bulk(operation.do === "store" ? NOTHING : item.value);
}

/** The outcome that writeOutcome() wrote; undefined for any other reply. */
export function readOutcome(value: RespValue): ItemOutcome | undefined {
  if (value.type !== "array") return undefined;
  const [status, flags, cas, expiry, idle, bytes] = value.items;
  if (status?.type !== "simple") return undefined;
  const outcome = { status: status.text as ItemStatus };
  if (flags?.type !== "integer" || cas?.type !== "bulk" || expiry?.type !== "integer") {
    return outcome;
  }
  if (idle?.type !== "integer" || bytes?.type !== "bulk") return outcome;
  const item: Item = {
    flags: Number(flags.value),
    cas: BigInt(UTF8.decode(cas.bytes)),
    expiry: Number(expiry.value),
    idleSeconds: Number(idle.value),
    value: bytes.bytes,
  };
  return { ...outcome, item };
}

const MODES: ReadonlySet<unknown> = new Set(["set", "add", "replace", "append", "prepend"]);

function modeOf(field: unknown): StoreMode {
  if (!MODES.has(field)) throw syntaxError();
  return field as StoreMode;
}

function numberOf(field: unknown): number {
  if (!Number.isSafeInteger(field)) throw syntaxError();
  return field as number;
}

function bigintOf(field: unknown): bigint {
  if (typeof field !== "string" || !/^\d{1,20}$/.test(field)) throw syntaxError();
  return BigInt(field);
}

function optional<T>(field: unknown, read: (field: unknown) => T): T | undefined {
  return field === undefined ? undefined : read(field);
}
