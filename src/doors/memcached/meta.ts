// The meta commands mg, ms, md, ma and me: their flags, what they do to an item, and their answers (memcached, doc/protocol.txt).

import type { MemcachedRequest } from "../../codec/memcached-message.ts";
import { latin1 } from "../../store/arguments.ts";
import type { Item, ItemOperation, ItemOutcome, StoreMode } from "../../store/items.ts";
import { decodeBase64 } from "./base64.ts";

export type MetaRequest = Extract<
  MemcachedRequest,
  { readonly key: Uint8Array; readonly tokens: readonly string[] }
>;

/** A request that was understood. */
export interface MetaCommand {
  readonly command: MetaRequest["command"];
  /** The key itself, and as the client wrote it. */
  readonly key: Uint8Array;
  readonly keyText: string;
  readonly operation: ItemOperation;
  readonly flags: readonly MetaFlag[];
  readonly isQuiet: boolean;
}

interface MetaFlag {
  readonly letter: string;
  readonly argument: string;
}

/**
 * The flags that are known, most of them by every command: one that says nothing to a command is passed over, as memcached does. Not
 * known: those about stale items, about who fetches one anew, and whether one was fetched before (I, R, h, and N of mg).
 */
const KNOWN = "bcfklOqstvTCDFJM";
const KNOWN_BESIDE: Readonly<Record<MetaRequest["command"], string>> = {
  ...{ mg: "", md: "", me: "", ms: "N", ma: "N" },
};

/** Flags that take an argument: a number of 64 bits, of 32 bits, seconds, or anything. */
const NUMBERS = "CDJ";
const SECONDS = "NT";

const MODES: Readonly<Record<string, StoreMode>> = {
  ...{ S: "set", E: "add", A: "append", P: "prepend", R: "replace" },
};
const COUNT_MODES: Readonly<Record<string, boolean>> = { I: false, "+": false, D: true, "-": true };

const MAX_NUMBER = 0xffff_ffff_ffff_ffffn;

/** The command of a request, or the line that answers one that cannot be understood. */
export function readMeta(request: MetaRequest): MetaCommand | string {
  const { command } = request;
  const flags: MetaFlag[] = [];
  for (const token of request.tokens) {
    const [letter, argument] = [token[0]!, token.slice(1)];
    if (!KNOWN.includes(letter) && !KNOWN_BESIDE[command].includes(letter)) {
      return refusal(command, "CLIENT_ERROR invalid flag");
    }
    if (flags.some((flag) => flag.letter === letter)) {
      return refusal(command, "CLIENT_ERROR duplicate flag");
    }
    flags.push({ letter, argument });
  }
  const has = (letter: string) => flags.find((flag) => flag.letter === letter);
  const key = has("b") === undefined ? request.key : decodeBase64(latin1Of(request.key));
  if (key === undefined || key.length === 0) {
    return refusal(command, "CLIENT_ERROR error decoding key");
  }
  for (const { letter, argument } of flags) {
    const wrong = wrongArgument(letter, argument);
    if (wrong !== undefined) return refusal(command, wrong);
  }
  const operation = operationOf(request, has);
  if (typeof operation === "string") return operation;
  const isQuiet = has("q") !== undefined;
  return { command, key, keyText: latin1Of(request.key), operation, flags, isQuiet };
}

/** What memcached says where it says `text` to mg and ms: the same to md and ma, whatever is wrong with a flag. */
function refusal(command: MetaRequest["command"], text: string): string {
  const isShort = (command === "md" || command === "ma") && text !== LONG_OPAQUE;
  return isShort ? "CLIENT_ERROR invalid or duplicate flag" : text;
}

/** What is wrong with the argument of a flag. */
function wrongArgument(letter: string, argument: string): string | undefined {
  if (NUMBERS.includes(letter)) {
    const isNumber = /^\d{1,20}$/.test(argument) && BigInt(argument) <= MAX_NUMBER;
    return isNumber ? undefined : "CLIENT_ERROR bad token in command line format";
  }
  if (SECONDS.includes(letter)) {
    const isSeconds = /^-?\d{1,15}$/.test(argument);
    return isSeconds ? undefined : "CLIENT_ERROR bad token in command line format";
  }
  if (letter === "F") {
    const isFlags = /^\d{1,10}$/.test(argument) && Number(argument) <= 0xffff_ffff;
    return isFlags ? undefined : "CLIENT_ERROR bad command line format";
  }
  if (letter === "O" && argument.length > MAX_OPAQUE) return LONG_OPAQUE;
  if (letter === "M" && argument.length !== 1) return "CLIENT_ERROR incorrect length for M token";
  return undefined;
}

const LONG_OPAQUE = "CLIENT_ERROR opaque token too long";
/** Longest opaque token, in bytes. */
const MAX_OPAQUE = 31;

type Has = (letter: string) => MetaFlag | undefined;

function operationOf(request: MetaRequest, has: Has): ItemOperation | string {
  const seconds = (letter: string) => optional(has(letter), Number);
  const number = (letter: string) => optional(has(letter), BigInt);
  const mode = has("M")?.argument;
  switch (request.command) {
    case "mg": {
      const exptime = seconds("T");
      return exptime === undefined ? { do: "read" } : { do: "touch", exptime };
    }
    case "me":
      return { do: "read" };
    case "md":
      return { do: "delete", cas: number("C") };
    case "ms": {
      const storeMode = mode === undefined ? "set" : MODES[mode];
      if (storeMode === undefined) return "CLIENT_ERROR invalid mode for ms M token";
      const extends_ = storeMode === "append" || storeMode === "prepend";
      return {
        do: "store",
        mode: storeMode,
        flags: seconds("F") ?? 0,
        exptime: seconds("T") ?? 0,
        value: request.value,
        cas: number("C"),
        vivify: extends_ ? seconds("N") : undefined,
      };
    }
    case "ma": {
      const down = mode === undefined ? false : COUNT_MODES[mode];
      if (down === undefined) return "CLIENT_ERROR invalid mode for ma M token";
      const vivify = seconds("N");
      return {
        do: "count",
        down,
        delta: number("D") ?? 1n,
        cas: number("C"),
        exptime: seconds("T"),
        vivify: vivify === undefined ? undefined : { initial: number("J") ?? 0n, exptime: vivify },
      };
    }
  }
}

/** An answer: its line, and a value in a block behind it; undefined: the client wants none. */
export interface MetaAnswer {
  readonly line: string;
  readonly value?: Uint8Array | undefined;
}

/** The answer to a command that ended so. `now` in ms since the epoch. */
export function answerMeta(
  meta: MetaCommand,
  { status, item }: ItemOutcome,
  now: number,
): MetaAnswer | undefined {
  const { command, isQuiet } = meta;
  switch (status) {
    case "exists":
      return { line: `EX${returned(meta)}` };
    case "refused":
      return { line: `NS${returned(meta)}` };
    case "missing":
      if (isQuiet && command === "mg") return undefined;
      return { line: `${READS.has(command) ? "EN" : "NF"}${returned(meta)}` };
    case "notANumber":
      return { line: "CLIENT_ERROR cannot increment or decrement non-numeric value" };
    case "tooLarge":
      return { line: "SERVER_ERROR object too large for cache" };
    case "done":
      break;
  }
  if (command === "me" && item !== undefined) return { line: debugLine(meta, item, now) };
  if (isQuiet && command !== "mg") return undefined;
  const mayReturn = command === "mg" || command === "ma";
  const wantsValue = mayReturn && meta.flags.some(({ letter }) => letter === "v");
  if (wantsValue && item !== undefined) {
    const { value } = item;
    return { line: `VA ${value.length}${returned(meta, item, now)}`, value };
  }
  return { line: `HD${returned(meta, item, now)}` };
}

const READS: ReadonlySet<string> = new Set(["mg", "me"]);

/** What is known of an item. */
function debugLine({ keyText }: MetaCommand, item: Item, now: number): string {
  const { idleSeconds, cas, value } = item;
  const left = secondsLeft(item, now);
  return `ME ${keyText} exp=${left} la=${idleSeconds} cas=${cas} fetch=no cls=1 size=${value.length}`;
}

/** What the flags of a command have its answer say, in their order. */
function returned(meta: MetaCommand, item?: Item, now = 0): string {
  let text = "";
  for (const { letter, argument } of meta.flags) {
    switch (letter) {
      case "O":
        text += ` O${argument}`;
        break;
      case "k":
        text += ` k${meta.keyText}${meta.flags.some((flag) => flag.letter === "b") ? " b" : ""}`;
        break;
      default:
        if (item !== undefined) text += ofItem(meta, letter, item, now);
    }
  }
  return text;
}

function ofItem({ command }: MetaCommand, letter: string, item: Item, now: number): string {
  switch (letter) {
    case "c":
      return ` c${item.cas}`;
    case "f":
      return command === "mg" ? ` f${item.flags}` : "";
    case "l":
      return command === "mg" ? ` l${item.idleSeconds}` : "";
    case "s":
      return command === "mg" ? ` s${item.value.length}` : "";
    case "t":
      return mayTellTime(command) ? ` t${secondsLeft(item, now)}` : "";
    default:
      return "";
  }
}

const mayTellTime = (command: string) => command === "mg" || command === "ma";

/** Seconds until an item expires, -1 for never. */
function secondsLeft({ expiry }: Item, now: number): number {
  return expiry === 0 ? -1 : Math.max(0, Math.ceil((expiry - now) / 1000));
}

function optional<T>(flag: MetaFlag | undefined, read: (text: string) => T): T | undefined {
  return flag === undefined ? undefined : read(flag.argument);
}

function latin1Of(bytes: Uint8Array): string {
  return latin1(bytes, 0, bytes.length);
}
