// Commands that consist of subcommands: OBJECT, MEMORY.

import { type Command, NO_KEYS, unknownSubcommand } from "./command.ts";

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
  return {
    complexity: "Depends on subcommand.",
    arity: -2,
    flags: [],
    keys: NO_KEYS,
    ...facts,
    subcommands: [...subcommands, help(facts, helpSince, subcommands)],
    run({ args }) {
      throw unknownSubcommand(facts.name, args.text(1));
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
