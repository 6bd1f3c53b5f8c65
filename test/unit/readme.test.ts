// Holds the README's tables to the tables in the code, and its example to the file. `npm run docs` writes them anew.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { CLUSTER_FLAGS, FLAGS, type Flag, usageOf } from "../../src/cli/flags.ts";
import { sessionCommands } from "../../src/doors/resp/session-commands.ts";
import type { CommandFacts } from "../../src/store/commands/command.ts";
import { commands } from "../../src/store/commands/commands.ts";

const README = new URL("../../README.md", import.meta.url);
const EXAMPLE = new URL("../../examples/cluster.mjs", import.meta.url);

/** The first and the last of the settings that only members of a ring have. */
const RING_SETTINGS = ["read-consistency", "copy-parallel"] as const;

/** What stands between the marks of a generated part. */
function part(name: string): RegExp {
  return new RegExp(`(<!-- ${name}: [^\\n]* -->\\n)([\\s\\S]*?)(<!-- /${name} -->)`);
}

function isOfRing({ name }: Flag): boolean {
  const [first, last] = RING_SETTINGS.map((setting) => indexOf(setting));
  const index = indexOf(name);
  return CLUSTER_FLAGS.some((flag) => flag.name === name) || (index >= first! && index <= last!);
}

function indexOf(name: string): number {
  const index = FLAGS.findIndex((flag) => flag.name === name);
  if (index < 0) throw new Error(`there is no flag --${name}`);
  return index;
}

function flagsTable(flags: readonly Flag[]): string {
  const rows = flags.map(
    (flag) =>
      `| \`${usageOf(flag).replaceAll("|", "\\|")}\` | ${flag.default} | ${flag.description.replaceAll("|", "\\|")} |`,
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

function example(): string {
  const [, ...program] = readFileSync(EXAMPLE, "utf8").split("\n");
  return ["```js", ...program.slice(0, -1), "```", ""].join("\n");
}

it.each([
  ["example", example],
  ["flags", () => flagsTable(FLAGS.filter((flag) => !isOfRing(flag)))],
  ["ring flags", () => flagsTable(FLAGS.filter(isOfRing))],
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
