// COMMAND GETKEYS and GETKEYSANDFLAGS: which arguments of a command are keys.

import { CommandError, type KeyRange } from "../../../../store/commands/command.ts";
import { type CatalogueRow, fitsArity } from "../../catalogue.ts";
import { type SessionCall, type SessionCommand, subcommand } from "../../session-command.ts";
import { COMMAND } from "./family.ts";
import { keyFlagsOf } from "./key-flags.ts";

export const getkeys: SessionCommand = subcommand(
  COMMAND,
  {
    name: "getkeys",
    arity: -3,
    since: "2.8.13",
    complexity: "O(N) where N is the number of arguments.",
    summary: "Answers which arguments of a command are keys.",
  },
  (call) => {
    const { keys } = findKeys(call);
    call.reply.array(keys.length);
    for (const index of keys) call.reply.bulk(call.args.view(index));
  },
);

export const getkeysandflags: SessionCommand = subcommand(
  COMMAND,
  {
    name: "getkeysandflags",
    arity: -3,
    since: "7.0.0",
    complexity: "O(N) where N is the number of arguments.",
    summary: "Answers which arguments of a command are keys, and what it does with them.",
  },
  (call) => {
    const { args, reply } = call;
    const { row, keys } = findKeys(call);
    const options = Array.from({ length: args.length }, (_, index) => args.word(index));
    reply.array(keys.length);
    for (const [position, index] of keys.entries()) {
      const flags = keyFlagsOf(row, position, options);
      reply.array(2);
      reply.bulk(args.view(index));
      reply.set(flags.length);
      for (const flag of flags) reply.simple(flag);
    }
  },
);

/** Where the command begins that is asked about. */
const START = 2;

function findKeys({ host, args }: SessionCall): { row: CatalogueRow; keys: readonly number[] } {
  const row = host.table.findFrom(args, START);
  if (row === undefined) throw new CommandError("ERR Invalid command specified");
  const { facts, findKeys: movable } = row;
  if (facts.keys.first === 0 && movable === undefined) throw noKeys();
  const length = args.length - START;
  if (!fitsArity(facts, length)) {
    throw new CommandError("ERR Invalid number of arguments specified for command");
  }
  const found =
    movable === undefined
      ? rangeOf(facts.keys, length)
      : movable(Array.from({ length }, (_, index) => args.text(START + index)));
  if (found.length === 0) throw noKeys();
  return { row, keys: found.map((index) => START + index) };
}

function rangeOf({ first, last, step }: KeyRange, length: number): number[] {
  const end = last < 0 ? length + last : last;
  const keys: number[] = [];
  for (let i = first; i <= end; i += step) keys.push(i);
  return keys;
}

const noKeys = () => new CommandError("ERR The command has no key arguments");
