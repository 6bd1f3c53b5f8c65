// SET key value [NX | XX] [GET] [EX seconds | PX ms | EXAT seconds | PXAT ms | KEEPTTL]

import { type Command, ONE_KEY } from "../command.ts";
import { readExpiry } from "../parse.ts";
import { findString, writeArgument } from "../string-value.ts";
import { readOptions } from "./options.ts";

export const set: Command = {
  name: "set",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: ONE_KEY,
  group: "string",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Sets the string at a key, whatever type was there, and when the key expires.",
  run(call) {
    const { database, reply } = call;
    const options = readOptions(call.args, 3, ALLOWED);
    const given = options.expiry;
    let expiry = given === undefined ? 0 : readExpiry(call, given.index, given.form);
    // Only GET cares about the type of what is there.
    const entry = options.get ? findString(call, 1) : database.find(call.key(1));
    if (options.keepTtl && entry !== 0) expiry = database.expiry(entry);
    const refused = options.condition === (entry === 0 ? "xx" : "nx");
    if (options.get && entry !== 0) reply.bulk(database.value(entry));
    else if (options.get || refused) reply.null();
    else reply.ok();
    if (!refused) writeArgument(call, 1, 2, expiry);
  },
};

const ALLOWED: ReadonlySet<string> = new Set([
  ...["nx", "xx", "get", "keepttl"],
  ...["ex", "px", "exat", "pxat"],
]);
