/** Makes RESP replies of every type of both versions, mostly right. */
import type { FuzzBuffer } from "../fuzz-buffer.ts";
import type { Random } from "../random.ts";
import { anyInteger, awkwardNumber, numberOr } from "./numbers.ts";

/** Once in so many inputs something as long as the longest line, or as deep as the deepest value. */
const EXTREME_ONE_IN = 200;

/** Writes up to three replies to `out`, and cuts and changes some of them. */
export function generateReplies(random: Random, out: FuzzBuffer): void {
  const replies = random.oneIn(20) ? random.between(4, 30) : random.between(1, 3);
  for (let i = 0; i < replies; i++) {
    if (random.oneIn(EXTREME_ONE_IN)) generateExtreme(random, out);
    else if (random.oneIn(12)) generateAggregate(random, out, 0, ">");
    else generateReply(random, out, 0);
  }
  if (random.oneIn(2)) out.mutate(random);
  if (random.oneIn(4)) out.length = random.below(out.length + 1);
}

/** Writes one reply that is inside of `depth` aggregates. */
export function generateReply(random: Random, out: FuzzBuffer, depth: number): void {
  const kind = random.below(depth > 3 ? 13 : 19);
  switch (kind) {
    case 0:
      out.text(
        random.pick(["+OK\r\n", "+PONG\r\n", "+\r\n", "+QUEUED\r\n", "+caf\xc3\xa9 \xff\r\n"]),
      );
      break;
    case 1:
      out.text(random.pick(["-ERR no\r\n", "-WRONGTYPE x y\r\n", "-\r\n", "-MOVED 1 h:1\r\n"]));
      break;
    case 2:
    case 3:
      out.text(`:${random.oneIn(12) ? "+" : ""}${anyInteger(random)}\r\n`);
      break;
    case 4:
    case 5:
    case 6:
      generateBulk(random, out, "$");
      break;
    case 7:
      out.text(random.pick(["$-1\r\n", "*-1\r\n", "_\r\n", "_\r\n", "_x\r\n"]));
      break;
    case 8:
      out.text(random.pick(["#t\r\n", "#f\r\n", "#f\r\n", "#x\r\n", "#\r\n", "#tt\r\n"]));
      break;
    case 9:
      out.text(`,${random.oneIn(3) ? random.pick(DOUBLES) : randomDouble(random)}\r\n`);
      break;
    case 10:
      out.text(
        `(${random.oneIn(3) ? awkwardNumber(random) : anyInteger(random) + anyInteger(random).replace("-", "")}\r\n`,
      );
      break;
    case 11:
      generateBulk(random, out, random.pick(["!", "="]));
      break;
    case 12:
      generateChunks(random, out);
      break;
    case 13:
    case 14:
      generateAggregate(random, out, depth, "*");
      break;
    case 15:
      generateAggregate(random, out, depth, "~");
      break;
    case 16:
      generateAggregate(random, out, depth, "%");
      break;
    case 17:
      generateStreamed(random, out, depth);
      break;
    default:
      generateAggregate(random, out, depth, "|");
      if (!random.oneIn(20)) generateReply(random, out, depth);
  }
}

const DOUBLES = [
  "inf",
  "-inf",
  "+inf",
  "INF",
  "nan",
  "-nan",
  "NaN",
  "nan(0x1)",
  "nan(",
  "nan()",
  "infinity",
  "1.",
  ".5",
  "1e",
  "1e+",
  "1E5",
  "1.5e-7",
  "+3.25",
  "-0",
  "0.1",
  "1.7976931348623157e308",
  "4.9e-324",
  "1e999",
  "-",
  "",
  "1..2",
  "1 ",
];

function randomDouble(random: Random): string {
  return String((random.u32() / 0x100000000 - 0.5) * 10 ** random.between(-3, 20));
}

function generateBulk(random: Random, out: FuzzBuffer, type: string): void {
  const prefix =
    type === "=" ? random.pick(["txt:", "mkd:", "txt:", "abc", "", "txt", "a:cd"]) : "";
  const length = random.oneIn(200) ? random.between(100, 6000) : random.below(14);
  out.text(`${type}${numberOr(random, prefix.length + length, 80)}\r\n${prefix}`);
  if (length > 100) out.fill(random.below(256), length);
  else out.noise(random, length);
  out.text(random.oneIn(100) ? random.pick(["\r", "\n", "", "\rx", "x\n"]) : "\r\n");
}

function generateChunks(random: Random, out: FuzzBuffer): void {
  out.text("$?\r\n");
  for (let chunks = random.below(4); chunks > 0; chunks--) {
    if (random.oneIn(40)) generateReply(random, out, 9);
    generateBulk(random, out, ";");
  }
  out.text(random.oneIn(30) ? ";0\r\n\r\n" : ";0\r\n");
}

function generateAggregate(random: Random, out: FuzzBuffer, depth: number, type: string): void {
  const count = random.below(4);
  out.text(`${type}${numberOr(random, count, 60)}\r\n`);
  const values = type === "%" || type === "|" ? count * 2 : count;
  for (let i = 0; i < values; i++) {
    if (random.oneIn(150)) generateAggregate(random, out, depth + 1, ">");
    else generateReply(random, out, depth + 1);
  }
}

function generateStreamed(random: Random, out: FuzzBuffer, depth: number): void {
  const type = random.pick(["*", "~", "%", "%", "|", ">"]);
  out.text(`${type}?\r\n`);
  let values = random.below(5);
  if (type === "%" && !random.oneIn(10)) values &= ~1;
  for (let i = 0; i < values; i++) generateReply(random, out, depth + 1);
  if (random.oneIn(20)) out.text("|1\r\n+a\r\n+b\r\n");
  out.text(random.oneIn(30) ? ".x\r\n" : ".\r\n");
}

function generateExtreme(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(2)) {
    const depth = random.between(31, 33);
    const types = !random.oneIn(4) ? ["*1\r\n"] : ["*1\r\n", "~1\r\n", "*?\r\n", "|1\r\n+a\r\n"];
    for (let i = 0; i < depth; i++) out.text(random.pick(types));
    generateReply(random, out, 9);
    return;
  }
  out.text(random.pick(["+", "-", ":", "(", ",", "$", "*", "#"]));
  out.fill(random.pick([48, 49, 120]), 65536 + random.between(-2, 2));
  out.text(random.pick(["", "\r", "\r\n", "\r\n", "\n"]));
}
