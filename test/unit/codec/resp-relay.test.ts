import { describe, expect, it } from "vitest";
import { INLINE_COMMAND, type RespRelay } from "../../../src/codec/resp-relay.ts";
import { loadCodec } from "../../../src/runtime/node/codec.ts";

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const codec = loadCodec();
const request = (...words: string[]) => text(codec.writeRequest(words));

function relay(): RespRelay {
  const { relay } = loadCodec();
  for (const [i, name] of ["multi", "subscribe", "dyno_config", "abcdefghijklmnop"].entries()) {
    relay.stopAt(name, i + 1);
  }
  return relay;
}

const find = (input: string, each = false, unauthenticated = false) => ({
  ...relay().commands(ascii(input), 0, input.length, each, unauthenticated),
});

describe("a run of commands", () => {
  it("ends in front of a noted name, in any case", () => {
    const run = request("SET", "multi", "MULTI") + request("MULTIS") + request("MULT");
    const named = ["MULTI", "mUlTi", "Subscribe", "DYNO_CONFIG", "ABCDEFGHIJKLMNOP"];
    const numbers = [1, 1, 2, 3, 4];
    for (const [i, name] of named.entries()) {
      const stop = request(name, "x");
      expect(find(run + stop + run)).toMatchObject({
        ...{ status: "stop", end: run.length, commands: 3, name: numbers[i] },
        stopEnd: run.length + stop.length,
      });
    }
    const others = ["ABCDEFGHIJKLMNOPQ", "", "m", "s".repeat(300), "MULTI\0"];
    const rest = others.map((name) => request(name)).join("");
    expect(find(rest)).toMatchObject({ status: "end", end: rest.length, commands: 5 });
  });

  it("counts what a server answers, and ends in front of what came inline", () => {
    const run = `*0\r\n${request("GET", "a")}*-1\r\n`;
    expect(find(run)).toMatchObject({ status: "end", end: run.length, commands: 1 });
    expect(find(`${run}PING\r\n${run}`)).toMatchObject({
      ...{ status: "stop", end: run.length, commands: 1, name: INLINE_COMMAND },
      stopEnd: run.length + 6,
    });
    expect(find("\r\n")).toMatchObject({ status: "stop", stopEnd: 2 });
    expect(find(run + run, true)).toMatchObject({ status: "stop", end: 4, name: 0 });
  });

  it("ends in front of a command in part, wherever it is cut, or of none", () => {
    const run = request("SET", "key", "value");
    const last = request("SET", "k", "v".repeat(30));
    for (let cut = 1; cut < last.length; cut++) {
      const found = find(run + last.slice(0, cut));
      expect(found).toMatchObject({ status: "incomplete", end: run.length, commands: 1 });
      expect(found.wanted).toBeGreaterThan(0);
      expect(run.length + cut + found.wanted).toBeLessThanOrEqual((run + last).length);
      // What is missing is read on from where reading had stopped.
      const rest = ascii((run + last).slice(found.resumeAt));
      if (found.left > 0) {
        expect(relay().rest(rest, found.left)).toMatchObject({ status: "end", end: rest.length });
      }
    }
    expect(find(`${run}*1\r\n!`)).toMatchObject({ status: "error", end: run.length });
    expect(find(request(..."12345678901".split("")), true, true).status).toBe("error");
  });
});

/** A value of each type, both protocols. */
const REPLIES = [
  ...["+OK\r\n", "-ERR no\r\n", ":12\r\n", "$3\r\na\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n"],
  "*3\r\n$0\r\n\r\n*2\r\n:1\r\n+a\r\n$2\r\nbc\r\n",
  "%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n#t\r\n",
  `$100\r\n${"x".repeat(100)}\r\n`,
];

describe("the replies of a connection", () => {
  it("are handed out byte for byte to those that wait, however they are cut", () => {
    const stream = REPLIES.join("");
    const counts = [1, 4, 2, 3];
    const ends = counts.map((_, i) => {
      const before = counts.slice(0, i + 1).reduce((sum, count) => sum + count);
      return REPLIES.slice(0, before).join("").length;
    });
    for (let size = 1; size <= 40; size++) {
      const cutter = relay().replyCutter();
      const taken = counts.map(() => "");
      let waiting = 0;
      let left = counts[0]!;
      const taker = {
        expected: () => left,
        take: (bytes: Uint8Array, replies: number) => {
          taken[waiting] += text(bytes);
          left -= replies;
          if (left === 0) left = counts[++waiting] ?? 0;
        },
      };
      for (let at = 0; at < stream.length; at += size) {
        expect(cutter.feed(ascii(stream.slice(at, at + size)), taker)).toBe("ok");
      }
      expect(taken).toEqual(ends.map((end, i) => stream.slice(ends[i - 1] ?? 0, end)));
      expect(cutter.isMidReply).toBe(false);
      expect(cutter.feed(ascii("+OK\r\n"), taker)).toBe("unexpected");
    }
  });

  it("are known to be in part, and what is no reply is an error", () => {
    const taker = { expected: () => 1, take() {} };
    const cutter = relay().replyCutter();
    for (const part of ["*2\r\n", ":", "1\r", "\n", "$3\r\n", "ab"]) {
      cutter.feed(ascii(part), taker);
      expect(cutter.isMidReply).toBe(true);
    }
    cutter.feed(ascii("c\r\n"), taker);
    expect(cutter.isMidReply).toBe(false);
    cutter.feed(ascii("$3"), taker);
    expect(cutter.isMidReply).toBe(false);
    expect(relay().replyCutter().feed(ascii("what\r\n"), taker)).toBe("error");
  });
});
