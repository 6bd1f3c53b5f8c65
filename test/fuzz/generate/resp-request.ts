/** Makes RESP requests: arrays and inline commands, mostly right, with every limit within reach. */
import type { FuzzBuffer } from "../fuzz-buffer.ts";
import type { Random } from "../random.ts";
import { numberOr } from "./numbers.ts";

const NAMES = [
  "GET",
  "SET",
  "get",
  "DEL",
  "MGET",
  "INCR",
  "PING",
  "SETEX",
  "EXISTS",
  "HELLO",
  "Ping",
];
const KEYS = ["k", "key", "k1", "user:1000", "{tag}a", "a b", '"', "\\", "", "0"];

/** Once in so many inputs something as long as the longest line. */
const LONG_ONE_IN = 500;

/** Writes up to four requests to `out`, and cuts and changes some of them. */
export function generateRequests(random: Random, out: FuzzBuffer): void {
  const commands = random.oneIn(20) ? random.between(5, 40) : random.between(1, 4);
  for (let i = 0; i < commands; i++) generateRequest(random, out);
  if (random.oneIn(2)) out.mutate(random);
  if (random.oneIn(4)) out.length = random.below(out.length + 1);
}

/** Writes one request, mostly right. */
export function generateRequest(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(LONG_ONE_IN)) generateLong(random, out);
  else if (random.oneIn(6)) generateInline(random, out);
  else generateArray(random, out);
}

function generateArray(random: Random, out: FuzzBuffer): void {
  const argc = random.oneIn(30) ? random.between(9, 40) : random.between(1, 4);
  out.text(`*${numberOr(random, random.oneIn(30) ? 0 : argc, 60)}\r\n`);
  for (let i = 0; i < argc; i++) generateArgument(random, out, i === 0);
}

function generateArgument(random: Random, out: FuzzBuffer, isName: boolean): void {
  const kind = isName ? 0 : random.below(8);
  if (kind < 4) {
    const text = random.pick(isName ? NAMES : KEYS);
    out.text(`$${numberOr(random, text.length, 120)}\r\n${text}\r\n`);
    return;
  }
  const length = random.oneIn(100) ? random.between(200, 20000) : random.below(24);
  out.text(`$${numberOr(random, length, 120)}\r\n`);
  if (length > 100) out.fill(random.below(256), length);
  else out.noise(random, length);
  out.text(random.oneIn(200) ? "\r" : "\r\n");
}

function generateInline(random: Random, out: FuzzBuffer): void {
  const words = random.below(5);
  for (let i = 0; i < words; i++) {
    out.text(random.pick(["", " ", " ", "  ", "\t", "\v", "\f", "\r"]));
    if (i > 0) out.text(" ");
    generateWord(random, out);
  }
  out.text(random.pick(["\n", "\r\n", "\r\n", "\r\n", " \r\n", "\r\r\n", "\0\r\n", "\0 x\n"]));
}

/** Writes one word of an inline command, quoted or not. */
export function generateWord(random: Random, out: FuzzBuffer): void {
  switch (random.below(5)) {
    case 0:
      out.text(random.pick(KEYS));
      break;
    case 1:
      out.text('"');
      for (let i = random.below(6); i > 0; i--) out.text(random.pick(IN_DOUBLE_QUOTES));
      out.text('"');
      break;
    case 2:
      out.text("'");
      for (let i = random.below(6); i > 0; i--) out.text(random.pick(IN_SINGLE_QUOTES));
      out.text("'");
      break;
    case 3:
      out.text(`${random.pick(NAMES)}${random.pick(["'a'", '"a"', "'", '"', "\v", "\\"])}`);
      break;
    default:
      out.text(random.pick(NAMES));
  }
}

const IN_DOUBLE_QUOTES = [
  "a",
  " ",
  "\\n",
  "\\r",
  "\\t",
  "\\b",
  "\\a",
  '\\"',
  "\\\\",
  "\\x41",
  "\\xG1",
  "\\x4",
  "\\q",
  "'",
  "\\",
];
const IN_SINGLE_QUOTES = ["a", " ", "\\'", "\\n", "\\", '"', "\\x41"];

/** Something about as long as the longest line. */
function generateLong(random: Random, out: FuzzBuffer): void {
  const length = 65536 + random.between(-3, 3);
  const begin = random.pick(["*", "$", "*1\r\n$", "a", "*9", '"']);
  out.text(begin);
  out.fill(random.pick([120, 48, 32, 49]), length - random.below(begin.length + 1));
  out.text(random.pick(["", "\r", "\n", "\r\n", "\r\n"]));
}
