// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]

import type { Arguments } from "../../arguments.ts";
import type { Entry } from "../../database.ts";
import type { Reply } from "../../reply.ts";
import { type Call, type Command, CommandError, syntaxError } from "../command.ts";
import { readInteger } from "../parse.ts";
import { bytesOf } from "../string-value.ts";
import { CommonSubsequence } from "./common-subsequence.ts";

export const lcs: Command = {
  name: "lcs",
  arity: -3,
  flags: ["readonly"],
  keys: { first: 1, last: 2, step: 1 },
  group: "string",
  since: "7.0.0",
  complexity: "O(N*M), N and M being the lengths of the two strings",
  summary: "Finds the longest common subsequence of the strings at two keys.",
  run(call) {
    // Neither look-up moves what the other has found.
    const first = findText(call, 1);
    const second = findText(call, 2);
    const options = readOptions(call.args);
    if (options.indexes && options.length) {
      throw new CommandError("ERR If you want both the length and indexes, please just use IDX.");
    }
    const a = bytesOf(call.database, first);
    const b = bytesOf(call.database, second);
    if (CommonSubsequence.tableBytes(a, b) > call.store.maxBulkBytes) {
      throw new CommandError(
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
      );
    }
    const common = new CommonSubsequence(a, b);
    if (options.length) call.reply.integer(common.length);
    else if (options.indexes) replyIndexes(call.reply, common, options);
    else call.reply.bulk(common.bytes());
  },
};

interface LcsOptions {
  length: boolean;
  indexes: boolean;
  /** Shorter matches are left out of the indexes. */
  minLength: bigint;
  withLengths: boolean;
}

function replyIndexes(reply: Reply, common: CommonSubsequence, options: LcsOptions): void {
  const matches = common.matches().filter(({ length }) => length >= options.minLength);
  reply.map(2);
  reply.bulk("matches");
  reply.array(matches.length);
  for (const { length, inA, inB } of matches) {
    reply.array(options.withLengths ? 3 : 2);
    for (const start of [inA, inB]) {
      reply.array(2);
      reply.integer(start);
      reply.integer(start + length - 1);
    }
    if (options.withLengths) reply.integer(length);
  }
  reply.bulk("len");
  reply.integer(common.length);
}

function readOptions(args: Arguments): LcsOptions {
  const options = { length: false, indexes: false, minLength: 0n, withLengths: false };
  for (let i = 3; i < args.length; i++) {
    const word = args.size(i) <= LONGEST_OPTION ? args.word(i) : "";
    if (word === "len") options.length = true;
    else if (word === "idx") options.indexes = true;
    else if (word === "withmatchlen") options.withLengths = true;
    else if (word === "minmatchlen" && i + 1 < args.length) {
      options.minLength = readInteger(args, ++i);
    } else throw syntaxError();
  }
  return options;
}

const LONGEST_OPTION = "withmatchlen".length;

/** The entry of a key that must be a string or missing: this command has its own error for other types. */
function findText(call: Call, index: number): Entry {
  const entry = call.database.find(call.key(index));
  if (entry !== 0 && call.database.isObject(entry)) {
    throw new CommandError("ERR The specified keys must contain string values");
  }
  return entry;
}
