import { describe, expect, it } from "vitest";
import { loadCodec } from "../../../src/runtime/node/codec.ts";

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const LIMIT = 1000;

const relay = () => loadCodec().memcachedRelay;
const find = (input: string) => ({ ...relay().requests(ascii(input), 0, input.length, LIMIT) });

describe("a run of requests", () => {
  it("counts those that want an answer, and says where nobody knows how many replies come", () => {
    const sure = "get a b\r\nset a 1 0 5\r\nget b\r\nversion\r\nmg q v\r\nmn\r\nincr a 1\r\n";
    const [last, ...marked] = ["mg a v k\r\n", "stats\r\n", "mg a v q\r\n", "ms a 1 q\r\nx\r\n"];
    expect(find(sure + last)).toMatchObject({ status: "end", answered: 7, versions: 1 });
    for (const request of marked) {
      expect(find(sure + request)).toMatchObject({ status: "end", answered: 7, isMarked: true });
    }
    const silent = "set a 0 0 1 noreply\r\nx\r\ndelete a noreply\r\nflush_all 0 noreply\r\n";
    expect(find(silent)).toMatchObject({ end: silent.length, answered: 0, isMarked: true });
    expect(find("get noreply q\r\ngat 0 q\r\n")).toMatchObject({ answered: 2, isMarked: false });
  });

  it("ends in front of what is no request, or must not be sent", () => {
    const flags = (count: number) => Array.from({ length: count }, (_, i) => `O${i}`).join(" ");
    const format = "CLIENT_ERROR bad command line format";
    const keys = `${"k".repeat(200)} `.repeat(11);
    const stops: [string, object, number?][] = [
      ["quit\r\n", { kind: "quit" }],
      ["shutdown\r\n", { kind: "reply", line: "ERROR" }],
      ["set a x 0 1\r\n", { kind: "reply", line: format }],
      ["set a 0 0 1\r\nxyz", { kind: "reply", line: "CLIENT_ERROR bad data chunk" }],
      [
        "set a 0 0 1001\r\n",
        { kind: "reply", line: "SERVER_ERROR object too large for cache" },
        1003,
      ],
      [`ms a 1 ${flags(17)}\r\n`, { kind: "reply", line: "CLIENT_ERROR options flags too long" }],
      [`mg a O${"o".repeat(2048)}\r\n`, { kind: "fatal", line: "CLIENT_ERROR line too long" }],
      [`${" ".repeat(2048)}get a\r\n`, { kind: "fatal", line: "CLIENT_ERROR line too long" }],
      [`gat 0 ${keys}\r\n`, { kind: "long gat" }],
    ];
    for (const [request, stop, behind = 0] of stops) {
      for (const run of ["", "get a\r\nset a 0 0 1\r\nx\r\n"]) {
        expect(find(run + request), request).toMatchObject({
          ...{ status: "stop", end: run.length, stop },
          stopEnd: (run + request).length + behind,
        });
      }
    }
    for (const request of [`get ${keys}\r\n`, `ms a 1 ${flags(16)}\r\nx\r\n`]) {
      expect(find(request)).toMatchObject({ status: "end", end: request.length });
    }
  });

  it("ends in front of a request in part, wherever it is cut", () => {
    const run = "get a\r\nset b 0 0 3\r\nxyz\r\n";
    for (const [last, answered, isMarked] of [
      ["set key 0 0 30\r\n", 1, false],
      ["set key 0 0 30 noreply\r\n", 0, true],
      ["ms key 30 q\r\n", 1, true],
    ] as const) {
      const whole = `${last}${"v".repeat(30)}\r\n`;
      for (let cut = 1; cut < whole.length; cut++) {
        const found = find(run + whole.slice(0, cut));
        expect(found).toMatchObject({ status: "incomplete", end: run.length });
        const isInBlock = cut >= last.length;
        expect(found.block).toEqual(isInBlock ? { answered, isMarked } : undefined);
        expect(found.wanted).toBe(isInBlock ? whole.length - cut : 1);
      }
    }
  });
});

describe("the replies of a connection", () => {
  const block = "x\r\nEND\r\nVERSION 1\r\n";
  const value = `VALUE a 0 ${block.length} 12\r\n${block}\r\n`;
  const meta = `VA ${block.length} Oabc\r\n${block}\r\n`;
  /** Those of each that waits: how many it expects, below 0 marks, and what it is given. */
  const waiting: [number, string][] = [
    [3, `${value}${value}END\r\nSTORED\r\n${meta}`],
    [-1, `${meta}EN\r\n${value}END\r\nSERVER_ERROR no\r\nSTAT a b\r\nITEM x [1 b; 0 s]\r\nEND\r\n`],
    [-2, `HD\r\nVERSION 1.6.18\r\n${meta}`],
    [-1, ""],
    [2, "12\r\nEND\r\n"],
  ];
  const mark = "VERSION 1.6.18\r\n";
  const stream = waiting.map(([count, given]) => given + (count < 0 ? mark : "")).join("");

  it("are handed out byte for byte to those that wait, without the marks, however they are cut", () => {
    for (let size = 1; size <= 60; size++) {
      const cutter = relay().replyCutter();
      const taken = waiting.map(() => "");
      let at = 0;
      let left = waiting[0]![0];
      const taker = {
        expected: () => left,
        take: (bytes: Uint8Array, read: number) => {
          taken[at] += text(bytes);
          left += left < 0 ? read : -read;
          if (left === 0) left = waiting[++at]?.[0] ?? 0;
        },
      };
      for (let from = 0; from < stream.length; from += size) {
        expect(cutter.feed(ascii(stream.slice(from, from + size)), taker)).toBe("ok");
      }
      expect(taken).toEqual(waiting.map(([, given]) => given));
      expect(cutter.isMidReply).toBe(false);
      expect(cutter.feed(ascii("END\r\n"), taker)).toBe("unexpected");
    }
  });

  it("are known to be in part, and what is no reply is an error", () => {
    const cutter = relay().replyCutter();
    const taker = { expected: () => 1, take() {} };
    for (const part of ["VALUE a 0 3\r\n", "ab", "c\r\n", "EN"]) {
      cutter.feed(ascii(part), taker);
      expect(cutter.isMidReply).toBe(true);
    }
    cutter.feed(ascii("D\r\n"), taker);
    expect(cutter.isMidReply).toBe(false);
    cutter.feed(ascii("STOR"), taker);
    expect(cutter.isMidReply).toBe(false);
    // Of a run that is marked something has been given once a line has.
    const marked = relay().replyCutter();
    marked.feed(ascii("HD\r\n"), { expected: () => -1, take() {} });
    expect(marked.isMidReply).toBe(true);
    for (const junk of ["\0\r\n", "-ERR\r\n", "VALUE a\r\n", "VALUE a 0 x\r\n", "VA \r\n"]) {
      expect(relay().replyCutter().feed(ascii(junk), taker)).toBe("error");
    }
  });
});
