// Commands that consist of subcommands: OBJECT, MEMORY.

import { type Command, CommandError, NO_KEYS, wrongArity } from "./command.ts";

/** What is common to a command that only has subcommands. */
type ContainerFacts = Pick<Command, "name" | "summary" | "since" | "group">;

/** A subcommand, and how HELP shows it: its arguments, and lines about it. */
export interface Subcommand extends Command {
  readonly usage: string;
  readonly help: readonly string[];
}

/** A command whose second argument names one of `subcommands`, or HELP, which tells about them; `helpSince`: its version. */
export function container(
  facts: ContainerFacts,
  helpSince: string,
  subcommands: readonly Subcommand[],
): Command {
  const all: readonly Subcommand[] = [...subcommands, help(facts, helpSince, subcommands)];
  return {
    complexity: "Depends on subcommand.",
    arity: -2,
    flags: [],
    keys: NO_KEYS,
    ...facts,
    subcommands: all,
    run(call) {
      const name = call.args.word(1);
      const subcommand = all.find((each) => each.name === name);
      if (subcommand === undefined) throw unknownSubcommand(facts.name, call.args.text(1));
      const { arity } = subcommand;
      const fits = arity < 0 ? call.args.length >= -arity : call.args.length === arity;
      if (!fits) throw wrongArity(`${facts.name}|${name}`);
      subcommand.run(call);
    },
  };
}

function help(
  { name, group }: ContainerFacts,
  since: string,
  subcommands: readonly Subcommand[],
): Subcommand {
  const itself: Subcommand = {
    name: "help",
    arity: 2,
    flags: ["loading", "stale"],
    keys: NO_KEYS,
    group,
    since,
    complexity: "O(1)",
    summary: "Tells what the subcommands do.",
    usage: "",
    help: ["Prints this help."],
    run({ reply }) {
      const lines = [
        `${name.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
      ];
      for (const each of [...subcommands, itself]) {
        lines.push(`${each.name.toUpperCase()}${each.usage}`);
        for (const line of each.help) lines.push(`    ${line}`);
      }
      reply.array(lines.length);
      for (const line of lines) reply.simple(line);
    },
  };
  return itself;
}

const unknownSubcommand = (parent: string, name: string): CommandError =>
  new CommandError(`ERR unknown subcommand '${name}'. Try ${parent.toUpperCase()} HELP.`);
