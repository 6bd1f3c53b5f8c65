// COPY source destination [DB index] [REPLACE]

import type { Database } from "../../database.ts";
import { type Call, type Command, CommandError, syntaxError } from "../command.ts";
import { readInteger } from "../parse.ts";
import { isSameKey } from "./rename.ts";

export const copy: Command = {
  name: "copy",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: { first: 1, last: 2, step: 1 },
  group: "generic",
  since: "6.2.0",
  complexity: "O(N), N being the length of a string or the number of elements",
  summary: "Copies a value to another key, perhaps of another database.",
  run(call) {
    const { database, reply } = call;
    const { target, replace } = readOptions(call);
    if (target === database && isSameKey(call)) {
      throw new CommandError("ERR source and destination objects are the same");
    }
    const entry = database.find(call.key(1));
    if (entry === 0 || (!replace && target.find(call.key(2)) !== 0)) {
      reply.integer(0);
      return;
    }
    if (database.isObject(entry)) copyObject(call, target);
    else copyString(call, target);
    reply.integer(1);
  },
};

function readOptions(call: Call): { target: Database; replace: boolean } {
  const { args, store } = call;
  let target = call.database;
  let replace = false;
  for (let i = 3; i < args.length; i++) {
    const word = args.word(i);
    if (word === "replace") {
      replace = true;
    } else if (word === "db" && i + 1 < args.length) {
      target = databaseAt(store.databases, readInteger(args, ++i));
    } else {
      throw syntaxError();
    }
  }
  return { target, replace };
}

function databaseAt(databases: readonly Database[], index: bigint): Database {
  if (BigInt.asIntN(32, index) !== index) {
    throw new CommandError(
      "ERR value is out of range, value must between -2147483648 and 2147483647",
    );
  }
  const database = databases[Number(index)];
  if (database === undefined) throw new CommandError("ERR DB index is out of range");
  return database;
}

function copyObject(call: Call, target: Database): void {
  const { database } = call;
  const { bytes } = database.object(database.peek(call.key(1)));
  makeRoom(call, bytes);
  const entry = database.peek(call.key(1));
  // Making room may have evicted it.
  if (entry === 0) throw call.store.outOfMemory();
  target.setObject(call.key(2), database.object(entry).clone(), database.expiry(entry));
}

function copyString(call: Call, target: Database): void {
  const { database, store } = call;
  makeRoom(call, database.recordBytes(database.peek(call.key(1))));
  const entry = database.peek(call.key(1));
  if (entry === 0) throw store.outOfMemory();
  const [from, length] = [database.valuePointer(entry), database.length(entry)];
  const [expiry, isRaw, tag] = [database.expiry(entry), database.isRaw(entry), database.tag(entry)];
  const copied = target.write(call.key(2), length, expiry, isRaw, tag);
  copied.set(store.memory.bytes.subarray(from, from + length));
}

function makeRoom({ store }: Call, bytes: number): void {
  if (!store.makeRoom(bytes)) throw store.outOfMemory();
}
