// Holds the README's tables to the tables in the code. `npm run docs` writes them anew.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { FLAGS } from "../../src/cli/flags.ts";
import { sessionCommands } from "../../src/doors/resp/session-commands.ts";
import type { CommandFacts } from "../../src/store/commands/command.ts";
import { commands } from "../../src/store/commands/commands.ts";

const README = new URL("../../README.md", import.meta.url);

/** What stands between the marks of a generated part. */
function part(name: string): RegExp {
  return new RegExp(`(<!-- ${name}: [^\\n]* -->\\n)([\\s\\S]*?)(<!-- /${name} -->)`);
}

function flagsTable(): string {
  const rows = FLAGS.map(
    (flag) =>
      `| \`--${flag.name} <${flag.value.replaceAll("|", "\\|")}>\` | ${flag.default} | ${flag.description.replaceAll("|", "\\|")} |`,
  );
  return ["| flag | default | what it does |", "|---|---|---|", ...rows, ""].join("\n");
}

type Listed = CommandFacts & { readonly subcommands?: readonly CommandFacts[] | undefined };

const GROUPS = ["string", "bitmap", "hash", "generic", "transactions", "connection", "server"];

function commandsTable(): string {
  const all: readonly Listed[] = [...commands, ...sessionCommands];
  expect(all.filter(({ group }) => !GROUPS.includes(group))).toEqual([]);
  const rows = GROUPS.map((group) => {
    const names = all.filter((command) => command.group === group).map(listed);
    return `| ${group} | ${names.sort().join(", ")} |`;
  });
  return ["| family | commands |", "|---|---|", ...rows, ""].join("\n");
}

function listed({ name, subcommands = [] }: Listed): string {
  const subs = subcommands.map((sub) => sub.name.toUpperCase()).sort();
  return subs.length === 0 ? name.toUpperCase() : `${name.toUpperCase()} (${subs.join(", ")})`;
}

it.each([
  ["flags", flagsTable],
  ["commands", commandsTable],
] as const)("the README's %s are those of the code (if not: npm run docs)", (name, table) => {
  const readme = readFileSync(README, "utf8");
  const found = part(name).exec(readme);
  if (found === null) throw new Error(`the README has no part for ${name}`);
  if (process.env.RINGLET_WRITE_DOCS === "1") {
    writeFileSync(
      README,
      readme.replace(part(name), (_, begin, __, end) => begin + table() + end),
    );
    return;
  }
  expect(found[2]).toBe(table());
});
