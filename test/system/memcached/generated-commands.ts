/** Commands of memcached clients, made at random: mostly right, on few keys, so that they meet. */
import type { Random } from "../../fuzz/random.ts";
import type { LineClient } from "./servers.ts";

const WORDS = ["a", "b", "key:c", "d"];
const NUMBERS = ["n1", "n2"];

/** A command; "{cas:key}" in it stands for the version of a key. `suffix` ends the names of all keys. */
export function generateCommand(random: Random, suffix = ""): string {
  const word = random.pick(WORDS) + suffix;
  const number = random.pick(NUMBERS) + suffix;
  const key = random.oneIn(4) ? number : word;
  const flags = random.pick(["0", "1", "7", "65536", "4294967295"]);
  const exptime = random.pick([
    "0",
    "0",
    "0",
    "0",
    "100",
    "2000000",
    "-1",
    "2592001",
    "2100000000",
  ]);
  const noreply = random.oneIn(12) ? " noreply" : "";
  const value = key === number ? random.pick(NUMERALS) : random.pick(VALUES);
  const block = `${value.length}${noreply}\r\n${value}\r\n`;
  const keys = Array.from(
    { length: random.between(1, 5) },
    () => random.pick([...WORDS, ...NUMBERS, "none"]) + suffix,
  ).join(" ");
  switch (random.below(20)) {
    case 0:
    case 1:
      return `set ${key} ${flags} ${exptime} ${block}`;
    case 2:
      return `add ${key} ${flags} ${exptime} ${block}`;
    case 3:
      return `replace ${key} ${flags} ${exptime} ${block}`;
    case 4: {
      const text = random.pick(VALUES);
      const how = random.pick(["append", "prepend"]);
      return `${how} ${word} ${flags} ${exptime} ${text.length}${noreply}\r\n${text}\r\n`;
    }
    case 5: {
      const cas = random.oneIn(3) ? "77" : `{cas:${key}}`;
      return `cas ${key} ${flags} ${exptime} ${value.length} ${cas}${noreply}\r\n${value}\r\n`;
    }
    case 6:
    case 7:
      return `${random.pick(["get", "gets"])} ${keys}\r\n`;
    case 8:
      return `${random.pick(["gat", "gats"])} ${exptime} ${keys}\r\n`;
    case 9:
    case 10: {
      const delta = random.pick(["1", "5", "100", "18446744073709551615", "x", "-1"]);
      // Of a line that cannot be read, memcached may read "noreply" all the same.
      const quiet = /^\d/.test(delta) ? noreply : "";
      return `${random.pick(["incr", "decr"])} ${key} ${delta}${quiet}\r\n`;
    }
    case 11:
      return `delete ${key}${random.oneIn(6) ? " 0" : ""}${noreply}\r\n`;
    case 12:
      return `touch ${key} ${exptime}${noreply}\r\n`;
    case 13:
    case 14:
      return `mg ${metaKey(random, key, METAGET)}\r\n`;
    case 15: {
      const [line, ...rest] = metaKey(random, key, METASET).split(" ");
      return `ms ${[line, value.length, ...rest].join(" ")}\r\n${value}\r\n`;
    }
    case 16:
      return `md ${metaKey(random, key, METADELETE)}\r\n`;
    case 17:
      return `ma ${metaKey(random, key, METACOUNT)}\r\n`;
    case 18:
      return random.pick(OTHERS);
    default:
      return random.oneIn(5) ? `flush_all${noreply}\r\n` : `get ${key}\r\n`;
  }
}

const VALUES = ["", "v", "some value", "\r\nEND\r\n\0\xff", "x".repeat(3000)];
const NUMERALS = ["0", "9", "10", "100", "1000", "18446744073709551615", "007"];
const OTHERS = ["verbosity 1\r\n", "bogus\r\n", "get\r\n", "incr a\r\n", "mg\r\n", "\r\n"];

const METAGET = ["c", "f", "k", "t", "v", "v", "q", "Oabc", "T100", "T-1", "T0", "%", "x"];
const METASET = [
  ...["c", "k", "q", "Oxyz", "F5", "F4294967295", "T0", "T100", "T-1", "C{cas}", "C7"],
  ...["ME", "MA", "MP", "MR", "MS", "Me", "Mx", "Fx", "MSS", "%"],
];
const METADELETE = ["k", "q", "Oabc", "C{cas}", "C7", "Cx", "%"];
const METACOUNT = [
  ...[
    "c",
    "k",
    "q",
    "t",
    "v",
    "v",
    "Oabc",
    "N0",
    "N100",
    "J13",
    "D1",
    "D5",
    "D18446744073709551615",
  ],
  ...["MI", "MD", "M+", "M-", "Mi", "Md", "Mx", "T100", "T0", "C{cas}", "C7", "Dx", "Jx", "%"],
];

/** A key with some flags, now and then in base64. */
function metaKey(random: Random, key: string, all: readonly string[]): string {
  const picked = Array.from({ length: random.below(5) }, () => random.pick(all)).map((flag) =>
    flag === "C{cas}" ? `C{cas:${key}}` : flag,
  );
  // memcached tells how long the item would have lived where "t" stands before "T".
  const isTouched = picked.some((flag) => flag.startsWith("T"));
  const timed = picked.filter((flag) => flag !== "t" || !isTouched);
  const flags = /^n\d/.test(key) ? timed.filter((flag) => !/^M[AP]/.test(flag)) : timed;
  if (!random.oneIn(6)) return [key, ...flags].join(" ");
  return [Buffer.from(key).toString("base64"), "b", ...flags.filter((flag) => flag !== "k")].join(
    " ",
  );
}

/** Runs a command, with the version of the key that it names in the place of "{cas}". */
export async function runCommand(client: LineClient, command: string): Promise<string> {
  let text = command;
  const placed = /\{cas:(\S+?)\}/.exec(command);
  if (placed !== null) {
    const version = /VALUE \S+ \d+ \d+ (\d+)/.exec(await client.ask(`gets ${placed[1]}\r\n`));
    text = command.replace(placed[0], version?.[1] ?? "1");
  }
  return await client.ask(text);
}

/**
 * An answer without the spaces that memcached may leave behind a number which it has counted down to fewer digits: it does where
 * nobody else looks at the item just then.
 */
export function withoutPadding(answer: string): string {
  return answer
    .replace(/^(VALUE n\S+ \d+) \d+((?: \d+)?)\r\n(\d+) *\r\n/gm, (_, head, cas, digits) => {
      return `${head} ${digits.length}${cas}\r\n${digits}\r\n`;
    })
    .replace(/^VA \d+((?: \S+)*)\r\n(\d+) *\r\n/gm, (_, flags, digits) => {
      return `VA ${digits.length}${flags}\r\n${digits}\r\n`;
    });
}
