/**
 * The memcached door against memcached: the same thousands of commands, the same answers. Not compared: numbers of versions (they
 * are put into both sides' commands as each has said them), seconds that have passed, and the spaces that memcached leaves behind a
 * number which it has counted down to fewer digits.
 */
import { expect, it } from "vitest";
import { Random } from "../../fuzz/random.ts";
import { startMemcached } from "../other-servers.ts";
import { generateCommand, runCommand, withoutPadding } from "./generated-commands.ts";
import { LineClient, startMemcachedNode } from "./servers.ts";

const COMMANDS = 6000;

it("answers as memcached does", async (context) => {
  const theirs = new LineClient(await startMemcached(context, ["-U", "0", "-t", "1"]));
  const node = await startMemcachedNode();
  const ours = new LineClient(node.memcachedPort);
  const random = new Random(11);
  const history: string[] = [];
  const firsts = new Map<string, number>();
  for (let i = 0; i < COMMANDS; i++) {
    const command = generateCommand(random);
    const answers = await Promise.all([runCommand(theirs, command), runCommand(ours, command)]);
    const [their, our] = answers.map(normal) as [string, string];
    history.push(`${JSON.stringify(command)} -> ${JSON.stringify(our)}`);
    expect([i, command, our], history.slice(-12).join("\n")).toEqual([i, command, their]);
    const first = their.split(/[ \r]/)[0]!;
    firsts.set(first, (firsts.get(first) ?? 0) + 1);
  }
  for (const word of EXPECTED) expect(firsts.get(word), word).toBeGreaterThan(5);
}, 120_000);

/** What answers begin with. */
const EXPECTED = [
  ...["STORED", "NOT_STORED", "EXISTS", "NOT_FOUND", "DELETED", "TOUCHED", "VALUE", "END"],
  ...["HD", "VA", "EN", "NF", "NS", "EX", "CLIENT_ERROR", "ERROR", "OK", ""],
];

function normal(answer: string): string {
  return withoutPadding(answer)
    .replace(/^(VALUE \S+ \d+ \d+) \d+\r\n/gm, "$1 <cas>\r\n")
    .replace(/^(VA|HD|EX|NS|NF)( .*)\r\n/gm, (_, word, rest) => {
      // Of what was not stored, memcached tells a version all the same.
      const cas = word === "HD" || word === "VA" ? " c<cas>" : "";
      const flags = rest.replace(/ c\d+/g, cas).replace(/ t[1-9]\d*/g, " t<left>");
      return `${word}${flags}\r\n`;
    });
}
