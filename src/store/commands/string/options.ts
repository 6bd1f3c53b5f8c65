// The options of SET and GETEX.

import type { Arguments } from "../../arguments.ts";
import { syntaxError } from "../command.ts";
import type { ExpiryForm } from "../parse.ts";

/** The options that were given. */
export interface Options {
  /** Write only where the key is missing (NX), or only where it is there (XX). */
  condition: "nx" | "xx" | undefined;
  get: boolean;
  keepTtl: boolean;
  persist: boolean;
  /** The last option that gives an expiry, and the argument with its number. */
  expiry: { readonly word: string; readonly index: number; readonly form: ExpiryForm } | undefined;
}

const EXPIRY_FORMS: ReadonlyMap<string, ExpiryForm> = new Map([
  ["ex", { unitMs: 1000, absolute: false }],
  ["px", { unitMs: 1, absolute: false }],
  ["exat", { unitMs: 1000, absolute: true }],
  ["pxat", { unitMs: 1, absolute: true }],
]);

/**
 * Reads the options from argument `from` on, which must be among `allowed`. NX excludes XX; KEEPTTL, PERSIST and an expiry
 * exclude one another, and so do different forms of expiry, while the same form may be given again. Throws a syntax error.
 */
export function readOptions(args: Arguments, from: number, allowed: ReadonlySet<string>): Options {
  const options: Options = {
    condition: undefined,
    get: false,
    keepTtl: false,
    persist: false,
    expiry: undefined,
  };
  for (let i = from; i < args.length; i++) {
    const word = args.size(i) <= LONGEST_OPTION ? args.word(i) : "";
    if (!allowed.has(word)) throw syntaxError();
    switch (word) {
      case "nx":
      case "xx":
        if (options.condition !== undefined && options.condition !== word) throw syntaxError();
        options.condition = word;
        break;
      case "get":
        options.get = true;
        break;
      case "keepttl":
        if (options.expiry !== undefined) throw syntaxError();
        options.keepTtl = true;
        break;
      case "persist":
        if (options.expiry !== undefined) throw syntaxError();
        options.persist = true;
        break;
      default:
        options.expiry = readExpiryOption(args, i, word, options);
        i++;
    }
  }
  return options;
}

function readExpiryOption(
  args: Arguments,
  index: number,
  word: string,
  before: Options,
): Options["expiry"] {
  const form = EXPIRY_FORMS.get(word);
  const another = before.expiry !== undefined && before.expiry.word !== word;
  if (form === undefined || another || before.keepTtl || before.persist) throw syntaxError();
  if (index + 1 === args.length) throw syntaxError();
  return { word, index: index + 1, form };
}

const LONGEST_OPTION = "keepttl".length;
