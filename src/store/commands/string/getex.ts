// GETEX key [EX seconds | PX ms | EXAT seconds | PXAT ms | PERSIST]

import { type Command, ONE_KEY } from "../command.ts";
import { readExpiry } from "../parse.ts";
import { findString } from "../string-value.ts";
import { readOptions } from "./options.ts";

export const getex: Command = {
  name: "getex",
  arity: -2,
  flags: ["write", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "6.2.0",
  complexity: "O(1)",
  summary: "Returns the string at a key, and sets or removes when the key expires.",
  run(call) {
    const { database, reply } = call;
    const options = readOptions(call.args, 2, ALLOWED);
    const entry = findString(call, 1);
    if (entry === 0) {
      reply.null();
      return;
    }
    const { expiry } = options;
    const expiresAt = expiry === undefined ? 0 : readExpiry(call, expiry.index, expiry.form);
    const changes = expiry !== undefined || (options.persist && database.expiry(entry) !== 0);
    reply.bulk(database.value(entry));
    if (changes) database.setExpiry(call.key(1), expiresAt);
  },
};

const ALLOWED: ReadonlySet<string> = new Set(["persist", "ex", "px", "exat", "pxat"]);
