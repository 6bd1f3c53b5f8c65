/** Makes requests and replies of the memcached text protocol, mostly right. */
import { MEMCACHED_COMMANDS } from "../../../src/codec/memcached-build.ts";
import type { FuzzBuffer } from "../fuzz-buffer.ts";
import type { Random } from "../random.ts";
import { awkwardNumber, numberOr } from "./numbers.ts";

const LONG_ONE_IN = 500;

/** Writes up to four requests to `out`, and cuts and changes some of them. */
export function generateMemcachedRequests(random: Random, out: FuzzBuffer): void {
  const requests = random.oneIn(20) ? random.between(5, 30) : random.between(1, 4);
  for (let i = 0; i < requests; i++) generateMemcachedRequest(random, out);
  if (random.oneIn(2)) out.mutate(random);
  if (random.oneIn(4)) out.length = random.below(out.length + 1);
}

/** Writes one request, mostly right. */
export function generateMemcachedRequest(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(LONG_ONE_IN)) {
    out.text(random.pick(["get ", "", "set a 0 0 1 ", "stats "]));
    out.fill(random.pick([97, 32, 13]), 65536 + random.between(-8, 2));
    out.text(random.pick(["", "\r\n", "\n"]));
    return;
  }
  const command = random.pick(MEMCACHED_COMMANDS);
  out.text(
    random.oneIn(60) ? random.pick(["", " ", "GET", "foo", "get\0", "flush_alll"]) : command,
  );
  let data = -1;
  switch (command) {
    case "get":
    case "gets":
      keys(random, out);
      break;
    case "gat":
    case "gats":
      word(random, out, exptime(random));
      keys(random, out);
      break;
    case "set":
    case "add":
    case "replace":
    case "append":
    case "prepend":
    case "cas":
      key(random, out);
      word(random, out, numberOr(random, random.u32(), 12));
      word(random, out, exptime(random));
      data = length(random, out);
      if (command === "cas") word(random, out, numberOr(random, BigInt(random.u32()) << 16n, 12));
      noreply(random, out);
      break;
    case "incr":
    case "decr":
      key(random, out);
      word(random, out, numberOr(random, random.u32(), 6));
      noreply(random, out);
      break;
    case "touch":
      key(random, out);
      word(random, out, exptime(random));
      noreply(random, out);
      break;
    case "delete":
      key(random, out);
      if (random.oneIn(3)) word(random, out, random.pick(["0", "0", "1", "00", "x"]));
      noreply(random, out);
      break;
    case "flush_all":
      if (random.oneIn(2)) word(random, out, exptime(random));
      noreply(random, out);
      break;
    case "verbosity":
      word(random, out, numberOr(random, random.below(3), 6));
      noreply(random, out);
      break;
    case "ms":
      key(random, out);
      data = length(random, out);
      tokens(random, out);
      break;
    case "mg":
    case "md":
    case "ma":
    case "me":
      key(random, out);
      tokens(random, out);
      break;
    default:
      if (random.oneIn(3)) tokens(random, out);
  }
  out.text(
    random.oneIn(15)
      ? random.pick(["\n", " \r\n", "\r\r\n", " extra\r\n", " noreply\r\n"])
      : "\r\n",
  );
  if (data >= 0) {
    out.noise(random, data);
    out.text(random.oneIn(60) ? random.pick(["\n", "\r", "xx", "\n\r", ""]) : "\r\n");
  }
}

function word(random: Random, out: FuzzBuffer, text: string): void {
  if (random.oneIn(80)) return;
  out.text(random.oneIn(40) ? "  " : " ");
  out.text(text);
}

function key(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(40)) {
    out.byte(32);
    out.fill(107, random.pick([249, 250, 251, 300]));
    return;
  }
  word(
    random,
    out,
    random.pick([
      "k",
      "key",
      "user:1000",
      "\xe9\xff",
      "noreply",
      "0",
      "-1",
      random.oneIn(6) ? "a\tb" : "a",
      "\x7f",
    ]),
  );
}

function keys(random: Random, out: FuzzBuffer): void {
  const count = random.oneIn(30) ? random.between(5, 40) : random.between(1, 3);
  for (let i = 0; i < count; i++) key(random, out);
}

function tokens(random: Random, out: FuzzBuffer): void {
  for (let i = random.below(4); i > 0; i--) {
    word(
      random,
      out,
      random.pick([
        "v",
        "t",
        "f",
        "k",
        "O123",
        "T0",
        "q",
        "MI",
        "N5",
        random.oneIn(9) ? "x\x01" : "b",
      ]),
    );
  }
}

function exptime(random: Random): string {
  return random.oneIn(6)
    ? awkwardNumber(random)
    : random.pick(["0", "60", "-1", "2592000", "1795254465"]);
}

function noreply(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(4)) word(random, out, random.oneIn(12) ? "norepl" : "noreply");
}

function length(random: Random, out: FuzzBuffer): number {
  const size = random.oneIn(30) ? random.between(20, 200) : random.below(9);
  word(random, out, numberOr(random, size, 40));
  return size;
}

const STATUSES = [
  "STORED",
  "NOT_STORED",
  "EXISTS",
  "NOT_FOUND",
  "DELETED",
  "TOUCHED",
  "OK",
  "RESET",
  "MN",
];

/** Writes up to three replies to `out`, and cuts and changes some of them. */
export function generateMemcachedReplies(random: Random, out: FuzzBuffer): void {
  const replies = random.oneIn(20) ? random.between(4, 20) : random.between(1, 3);
  for (let i = 0; i < replies; i++) generateMemcachedReply(random, out);
  if (random.oneIn(2)) out.mutate(random);
  if (random.oneIn(4)) out.length = random.below(out.length + 1);
}

/** Writes one reply, mostly right. */
export function generateMemcachedReply(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(LONG_ONE_IN)) {
    out.text(random.pick(["VERSION ", "STAT a ", "", "VALUE "]));
    out.fill(random.pick([97, 32]), 65536 + random.between(-9, 2));
    out.text(random.pick(["", "\r\n", "\n"]));
    return;
  }
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2: {
      for (let i = random.below(4); i > 0; i--) generateValue(random, out);
      if (random.oneIn(20)) {
        out.text(random.pick(["STAT a b\r\n", "OK\r\n", "7\r\n", "VA 0\r\n\r\n"]));
        break;
      }
      out.text(
        random.oneIn(20) ? "SERVER_ERROR out of memory writing get response\r\n" : "END\r\n",
      );
      break;
    }
    case 3:
      for (let i = random.between(1, 3); i > 0; i--) {
        out.text(
          random.pick([
            "STAT pid 5109\r\n",
            "STAT version 1.6\r\n",
            "STAT a b c\r\n",
            "STAT x\r\n",
            "STAT\r\n",
          ]),
        );
      }
      if (random.oneIn(20)) out.text(random.pick(["VALUE a 0 0\r\n\r\n", "STORED\r\n", "9\r\n"]));
      out.text("END\r\n");
      break;
    case 4:
      out.text(
        `${numberOr(random, random.u32(), 4)}${random.pick(["", "", " ", "   ", " x"])}\r\n`,
      );
      break;
    case 5:
      out.text(
        random.pick([
          "ERROR\r\n",
          "CLIENT_ERROR bad data chunk\r\n",
          "SERVER_ERROR\r\n",
          "ERROR: no\r\n",
          "ERROR no\r\n",
        ]),
      );
      break;
    case 6:
      out.text(random.pick(["VERSION 1.6.18\r\n", "VERSION\r\n"]));
      break;
    case 7:
      generateMetaValue(random, out);
      break;
    case 8:
    case 9:
      out.text(random.pick(["HD", "EN", "NF", "NS", "EX", "ME"]));
      for (let i = random.below(4); i > 0; i--)
        out.text(random.pick([" t-1", " f0", " k", "  O12", " la=3"]));
      out.text("\r\n");
      break;
    default:
      out.text(random.pick(STATUSES));
      out.text(
        random.oneIn(20) ? random.pick([" \r\n", " x\r\n", "\n", "\0\r\n", "X\r\n"]) : "\r\n",
      );
      break;
  }
}

function generateValue(random: Random, out: FuzzBuffer): void {
  const size = random.oneIn(30) ? random.between(20, 200) : random.below(9);
  out.text(
    `VALUE ${random.pick(["k", "key", "\xe9", ""])} ${numberOr(random, random.u32(), 20)} ${numberOr(random, size, 30)}`,
  );
  if (random.oneIn(3)) out.text(` ${numberOr(random, random.u32(), 12)}`);
  out.text(random.oneIn(40) ? " \r\n" : "\r\n");
  out.noise(random, size);
  out.text(random.oneIn(60) ? random.pick(["\n", "\r", "xx"]) : "\r\n");
}

function generateMetaValue(random: Random, out: FuzzBuffer): void {
  const size = random.below(9);
  out.text(`VA ${numberOr(random, size, 20)}${random.pick(["", " t5", " t-1 f0 ka", " "])}\r\n`);
  out.noise(random, size);
  out.text(random.oneIn(40) ? "\n\r" : "\r\n");
}
