import { describe, expect, it } from "vitest";
import type { RespValue } from "../../../src/codec/resp-value.ts";
import { codec } from "./codec-under-test.ts";

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const simple = (text: string): RespValue => ({ type: "simple", text });
const integer = (value: number | bigint): RespValue => ({ type: "integer", value });
const bulk = (bytes: string): RespValue => ({ type: "bulk", bytes: ascii(bytes) });

/** Bytes of RESP 3, the value they mean, and the bytes of RESP 2 for it (the same where left out). */
const VALUES: [resp3: string, value: RespValue, resp2?: string][] = [
  ["+OK\r\n", simple("OK")],
  ["+caf\xc3\xa9\r\n", simple("café")],
  ["-ERR no such key\r\n", { type: "error", text: "ERR no such key" }],
  [":1000\r\n", integer(1000)],
  [":-9007199254740991\r\n", integer(-9007199254740991)],
  [":9007199254740992\r\n", integer(9007199254740992n)],
  [":-9223372036854775808\r\n", integer(-(1n << 63n))],
  ["$5\r\nhe\r\no\r\n", bulk("he\r\no")],
  ["$0\r\n\r\n", bulk("")],
  ["_\r\n", { type: "null" }, "$-1\r\n"],
  ["#t\r\n", { type: "boolean", value: true }, ":1\r\n"],
  ["#f\r\n", { type: "boolean", value: false }, ":0\r\n"],
  [",1.5\r\n", { type: "double", value: 1.5 }, "$3\r\n1.5\r\n"],
  [",inf\r\n", { type: "double", value: Infinity }, "$3\r\ninf\r\n"],
  [",-inf\r\n", { type: "double", value: -Infinity }, "$4\r\n-inf\r\n"],
  [",nan\r\n", { type: "double", value: Number.NaN }, "$3\r\nnan\r\n"],
  [
    "(3492890328409238509324850943850943825024385\r\n",
    { type: "big-number", value: 3492890328409238509324850943850943825024385n },
    "$43\r\n3492890328409238509324850943850943825024385\r\n",
  ],
  [
    "!21\r\nSYNTAX invalid syntax\r\n",
    { type: "bulk-error", bytes: ascii("SYNTAX invalid syntax") },
    "-SYNTAX invalid syntax\r\n",
  ],
  [
    "=15\r\ntxt:Some string\r\n",
    { type: "verbatim", format: "txt", bytes: ascii("Some string") },
    "$11\r\nSome string\r\n",
  ],
  ["*0\r\n", { type: "array", items: [] }],
  [
    "*2\r\n:1\r\n*1\r\n+a\r\n",
    { type: "array", items: [integer(1), { type: "array", items: [simple("a")] }] },
  ],
  ["~2\r\n+a\r\n:1\r\n", { type: "set", items: [simple("a"), integer(1)] }, "*2\r\n+a\r\n:1\r\n"],
  [
    ">2\r\n$7\r\nmessage\r\n+x\r\n",
    { type: "push", items: [bulk("message"), simple("x")] },
    "*2\r\n$7\r\nmessage\r\n+x\r\n",
  ],
  [
    "%2\r\n+a\r\n:1\r\n+b\r\n#t\r\n",
    {
      type: "map",
      entries: [
        [simple("a"), integer(1)],
        [simple("b"), { type: "boolean", value: true }],
      ],
    },
    "*4\r\n+a\r\n:1\r\n+b\r\n:1\r\n",
  ],
  [
    "|1\r\n+ttl\r\n:3600\r\n*1\r\n:3\r\n",
    {
      type: "attribute",
      entries: [[simple("ttl"), integer(3600)]],
      value: { type: "array", items: [integer(3)] },
    },
    "*1\r\n:3\r\n",
  ],
  [
    "*2\r\n|0\r\n:1\r\n:2\r\n",
    { type: "array", items: [{ type: "attribute", entries: [], value: integer(1) }, integer(2)] },
    "*2\r\n:1\r\n:2\r\n",
  ],
];

/** Other bytes for values that are written differently. */
const READ_ONLY: [bytes: string, value: RespValue][] = [
  ["$-1\r\n", { type: "null" }],
  ["*-1\r\n", { type: "null-array" }],
  [":+5\r\n", integer(5)],
  [":-0\r\n", integer(0)],
  [",10\r\n", { type: "double", value: 10 }],
  [",+1.5E-7\r\n", { type: "double", value: 1.5e-7 }],
  [",-NaN\r\n", { type: "double", value: Number.NaN }],
  [",nan(0x8000)\r\n", { type: "double", value: Number.NaN }],
  ["(-5\r\n", { type: "big-number", value: -5n }],
  ["$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;1\r\nd\r\n;0\r\n", bulk("Hello word")],
  ["$?\r\n;0\r\n", bulk("")],
  [
    "*?\r\n:1\r\n*?\r\n.\r\n.\r\n",
    { type: "array", items: [integer(1), { type: "array", items: [] }] },
  ],
  ["~?\r\n:1\r\n.\r\n", { type: "set", items: [integer(1)] }],
  ["%?\r\n+a\r\n:1\r\n.\r\n", { type: "map", entries: [[simple("a"), integer(1)]] }],
  ["+\xff\r\n", simple("\ufffd")],
];

describe("RESP replies", () => {
  it.each(VALUES)("%j are read and written", (resp3, value, resp2 = resp3) => {
    expect(codec.parseReply(ascii(resp3))).toEqual({
      status: "complete",
      value,
      end: resp3.length,
    });
    expect(text(codec.writeReply(value, 3))).toBe(resp3);
    expect(text(codec.writeReply(value, 2))).toBe(resp2);
  });

  it.each(READ_ONLY)("%j are read", (bytes, value) => {
    expect(codec.parseReply(ascii(bytes))).toEqual({
      status: "complete",
      value,
      end: bytes.length,
    });
  });

  it("have a null of their own for arrays in RESP 2", () => {
    expect(text(codec.writeReply({ type: "null-array" }, 2))).toBe("*-1\r\n");
    expect(text(codec.writeReply({ type: "null-array" }, 3))).toBe("_\r\n");
  });

  it("never get a line end into a line", () => {
    expect(text(codec.writeReply({ type: "error", text: "ERR a\r\nb\n" }, 3))).toBe(
      "-ERR a  b \r\n",
    );
    expect(text(codec.writeReply(simple("é\r"), 2))).toBe("+\xc3\xa9 \r\n");
    expect(text(codec.writeReply({ type: "bulk-error", bytes: ascii("E\r\n\xff") }, 2))).toBe(
      "-E  \xff\r\n",
    );
  });

  it("are incomplete at every cut, and never want more than there is", () => {
    for (const [bytes] of [...VALUES, ...READ_ONLY]) {
      for (let cut = 0; cut < bytes.length; cut++) {
        const result = codec.parseReply(ascii(bytes.slice(0, cut)));
        expect(result.status).toBe("incomplete");
        if (result.status === "incomplete")
          expect(cut + result.wanted).toBeLessThanOrEqual(bytes.length);
      }
    }
  });

  it("are read one behind the other, from an offset on", () => {
    const all = VALUES.map(([bytes]) => bytes).join("");
    const found = codec.parseReplies(ascii(`xx${all}+PON`), 2);
    expect(found.values).toEqual(VALUES.map(([, value]) => value));
    expect(found).toMatchObject({ status: "incomplete", end: all.length + 2, wanted: 1 });
    expect(codec.parseReply(ascii("+a\r\n+b\r\n"), 4)).toEqual({
      status: "complete",
      value: simple("b"),
      end: 8,
    });
  });

  it.each([
    ["?\r\n", "RESP_BAD_TYPE"],
    ["+a\n", "RESP_BAD_LINE"],
    ["+a\rb", "RESP_BAD_LINE"],
    [`+${"x".repeat(65537)}`, "RESP_LONG_LINE"],
    [":\r\n", "RESP_BAD_INTEGER"],
    [":1.5\r\n", "RESP_BAD_INTEGER"],
    [":9223372036854775808\r\n", "RESP_BAD_INTEGER"],
    [",.5\r\n", "RESP_BAD_DOUBLE"],
    [",1.\r\n", "RESP_BAD_DOUBLE"],
    ["(1.5\r\n", "RESP_BAD_BIG_NUMBER"],
    ["#x\r\n", "RESP_BAD_BOOLEAN"],
    ["_x\r\n", "RESP_BAD_NULL"],
    ["$-2\r\n", "RESP_BAD_LENGTH"],
    ["$01\r\n", "RESP_BAD_LENGTH"],
    ["!-1\r\n", "RESP_BAD_LENGTH"],
    ["$536870913\r\n", "RESP_LONG_BULK"],
    ["*x\r\n", "RESP_BAD_COUNT"],
    ["~-1\r\n", "RESP_BAD_COUNT"],
    [">?\r\n", "RESP_BAD_COUNT"],
    ["*16777217\r\n", "RESP_TOO_MANY"],
    ["*1\r\n".repeat(33), "RESP_TOO_DEEP"],
    ["$1\r\nab\r\n", "RESP_NO_CRLF"],
    ["=3\r\n", "RESP_BAD_VERBATIM"],
    ["=5\r\ntxt.a\r\n", "RESP_BAD_VERBATIM"],
    [";1\r\n", "RESP_BAD_CHUNK"],
    ["$?\r\n+a\r\n", "RESP_BAD_CHUNK"],
    [".\r\n", "RESP_BAD_END"],
    ["*1\r\n.\r\n", "RESP_BAD_END"],
    ["%?\r\n+a\r\n.\r\n", "RESP_BAD_END"],
    ["*?\r\n|1\r\n+a\r\n+b\r\n.\r\n", "RESP_BAD_END"],
    ["*1\r\n>1\r\n+a\r\n", "RESP_NESTED_PUSH"],
  ])("such as %.30j are refused, and what was before them is not", (bytes, code) => {
    const found = codec.parseReplies(ascii(`+OK\r\n${bytes}`));
    expect(found).toMatchObject({
      values: [simple("OK")],
      end: 5,
      status: "error",
      error: { code },
    });
    expect(codec.parseReply(ascii(bytes))).toMatchObject({ status: "error", error: { code } });
  });

  it("have room up to each limit", () => {
    expect(codec.parseReply(ascii("$536870912\r\n"))).toEqual({
      status: "incomplete",
      wanted: 536870914,
    });
    expect(codec.parseReply(ascii("*16777216\r\n")).status).toBe("incomplete");
    expect(codec.parseReply(ascii(`${"*1\r\n".repeat(32)}:1\r\n`)).status).toBe("complete");
    expect(codec.parseReply(ascii(`+${"x".repeat(65536)}\r\n`)).status).toBe("complete");
  });

  it("may be longer than the window, and have more values than the index has room for", () => {
    const large = `$3000000\r\n${"v".repeat(3_000_000)}\r\n`;
    const wide = `*100000\r\n${":7\r\n".repeat(100_000)}`;
    const found = codec.parseReplies(ascii(`${wide}${large}${wide}+end\r\n`));
    expect(found).toMatchObject({ status: "complete", error: null });
    expect(found.values.map(({ type }) => type)).toEqual(["array", "bulk", "array", "simple"]);
    const one = codec.parseReply(ascii(wide));
    expect(one.status === "complete" && one.value.type === "array" && one.value.items.length).toBe(
      100_000,
    );
  });
});
