import { describe, expect, it } from "vitest";
import type { MemcachedReply, MemcachedRequest } from "../../../src/codec/memcached-message.ts";
import { codec, codeOf } from "./codec-under-test.ts";

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const key = ascii("k");
const parse = (input: string) => codec.parseMemcachedRequests(ascii(input));

/** Requests as they are written, and what they mean. */
const REQUESTS: [bytes: string, request: MemcachedRequest][] = [
  ["get k\r\n", { command: "get", keys: [key] }],
  ["gets a b \xe9\r\n", { command: "gets", keys: [ascii("a"), ascii("b"), ascii("\xe9")] }],
  ["gat 60 k\r\n", { command: "gat", exptime: 60, keys: [key] }],
  ["gats -1 k k\r\n", { command: "gats", exptime: -1, keys: [key, key] }],
  ...(["set", "add", "replace", "append", "prepend"] as const).map(
    (command): [string, MemcachedRequest] => [
      `${command} k 4294967295 0 4 noreply\r\na\r\nb\r\n`,
      { command, key, flags: 4294967295, exptime: 0, value: ascii("a\r\nb"), noreply: true },
    ],
  ),
  [
    "cas k 1 2 0 18446744073709551615\r\n\r\n",
    {
      command: "cas",
      key,
      flags: 1,
      exptime: 2,
      value: ascii(""),
      cas: (1n << 64n) - 1n,
      noreply: false,
    },
  ],
  [
    "incr k 18446744073709551615\r\n",
    { command: "incr", key, delta: (1n << 64n) - 1n, noreply: false },
  ],
  ["decr k 1 noreply\r\n", { command: "decr", key, delta: 1n, noreply: true }],
  [
    "touch k 9007199254740991\r\n",
    { command: "touch", key, exptime: 9007199254740991, noreply: false },
  ],
  ["delete k\r\n", { command: "delete", key, noreply: false }],
  ["delete noreply noreply\r\n", { command: "delete", key: ascii("noreply"), noreply: true }],
  ["flush_all 10 noreply\r\n", { command: "flush_all", delay: 10, noreply: true }],
  ["verbosity 1\r\n", { command: "verbosity", level: 1, noreply: false }],
  ["stats items 2\r\n", { command: "stats", tokens: ["items", "2"] }],
  ["version\r\n", { command: "version" }],
  ["quit\r\n", { command: "quit" }],
  ["mg k v t O12\r\n", { command: "mg", key, tokens: ["v", "t", "O12"] }],
  ["ms k 2 T60 F1\r\nhi\r\n", { command: "ms", key, value: ascii("hi"), tokens: ["T60", "F1"] }],
  ["md k q\r\n", { command: "md", key, tokens: ["q"] }],
  ["ma k D5\r\n", { command: "ma", key, tokens: ["D5"] }],
  ["me k\r\n", { command: "me", key, tokens: [] }],
  ["mn\r\n", { command: "mn" }],
];

describe("memcached requests", () => {
  it.each(REQUESTS)("%j is read and written", (bytes, request) => {
    const found = parse(bytes);
    expect(found).toMatchObject({ status: "complete", end: bytes.length, discard: 0, error: null });
    expect(found.requests).toEqual([request]);
    expect(text(codec.writeMemcachedRequest(request))).toBe(bytes);
  });

  it.each([
    [" get  k \n", { command: "get", keys: [key] }],
    ["delete k 0\r\n", { command: "delete", key, noreply: false }],
    ["flush_all\r\n", { command: "flush_all", delay: 0, noreply: false }],
    ["flush_all noreply\r\n", { command: "flush_all", delay: 0, noreply: true }],
    [
      "set k 0 0 01\r\nx\r\n",
      { command: "set", key, flags: 0, exptime: 0, value: ascii("x"), noreply: false },
    ],
    ["version 1\r\n", { command: "version" }],
  ])("%j is read as memcached reads it", (bytes, request) => {
    expect(parse(bytes).requests).toEqual([request]);
  });

  it("are read at every cut", () => {
    const all = REQUESTS.map(([bytes]) => bytes).join("");
    const whole = REQUESTS.map(([, request]) => request);
    for (let cut = 0; cut <= all.length; cut++) {
      const first = parse(all.slice(0, cut));
      const second = parse(all.slice(first.end));
      expect([...first.requests, ...second.requests]).toEqual(whole);
    }
  });

  it.each([
    ["get\r\n", "MEMCACHED_BAD_COMMAND", "ERROR"],
    ["GET k\r\n", "MEMCACHED_BAD_COMMAND", "ERROR"],
    ["get\0 k\r\n", "MEMCACHED_BAD_COMMAND", "ERROR"],
    ["\r\n", "MEMCACHED_BAD_COMMAND", "ERROR"],
    ["set k 0 0\r\n", "MEMCACHED_BAD_COMMAND", "ERROR"],
    ["incr k 1 noreply x\r\n", "MEMCACHED_BAD_COMMAND", "ERROR"],
    ["set k -1 0 1\r\n", "MEMCACHED_BAD_LINE", "CLIENT_ERROR bad command line format"],
    ["set k 0 0 -1\r\n", "MEMCACHED_BAD_LINE", "CLIENT_ERROR bad command line format"],
    ["set k 0 0 2147483646\r\n", "MEMCACHED_BAD_LINE", "CLIENT_ERROR bad command line format"],
    [
      "cas k 0 0 1 18446744073709551616\r\n",
      "MEMCACHED_BAD_LINE",
      "CLIENT_ERROR bad command line format",
    ],
    ["mg k a\x01\r\n", "MEMCACHED_BAD_LINE", "CLIENT_ERROR bad command line format"],
    [`get ${"k".repeat(251)}\r\n`, "MEMCACHED_BAD_KEY", "CLIENT_ERROR bad command line format"],
    ["get a\tb\r\n", "MEMCACHED_BAD_KEY", "CLIENT_ERROR bad command line format"],
    [
      "delete k x\r\n",
      "MEMCACHED_BAD_DELETE",
      "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]",
    ],
    ["incr k -1\r\n", "MEMCACHED_BAD_DELTA", "CLIENT_ERROR invalid numeric delta argument"],
    ["touch k x\r\n", "MEMCACHED_BAD_EXPTIME", "CLIENT_ERROR invalid exptime argument"],
    [
      "touch k 9007199254740992\r\n",
      "MEMCACHED_BAD_EXPTIME",
      "CLIENT_ERROR invalid exptime argument",
    ],
    ["set k 0 0 1\r\nabc", "MEMCACHED_BAD_CHUNK", "CLIENT_ERROR bad data chunk"],
  ])(
    "such as %.30j are answered as memcached answers them, and the next one is read",
    (bytes, code, reply) => {
      const { requests, status } = parse(`${bytes}mn\r\n`);
      expect(status).toBe("complete");
      expect(requests).toMatchObject([
        { command: "invalid", error: { code }, reply },
        { command: "mn" },
      ]);
    },
  );

  it("with a value above the limit have it passed over, however much of it has come", () => {
    const line = "set k 0 0 10\r\n";
    for (let come = 0; come <= 12; come++) {
      const found = codec.parseMemcachedRequests(ascii(line + "x".repeat(come)), 0, {
        maxValueBytes: 9,
      });
      expect(found).toMatchObject({
        requests: [{ command: "invalid", reply: "SERVER_ERROR object too large for cache" }],
        status: "complete",
        end: line.length + come,
        discard: 12 - come,
      });
    }
    const large = `set k 0 0 2000000\r\n${"x".repeat(2_000_000)}\r\nmn\r\n`;
    const found = codec.parseMemcachedRequests(ascii(large), 0, { maxValueBytes: 1_000_000 });
    expect(found).toMatchObject({
      requests: [{ command: "invalid" }, { command: "mn" }],
      end: large.length,
      discard: 0,
    });
  });

  it("are lost when a line is too long", () => {
    expect(parse(`mn\r\nget ${"k ".repeat(33_000)}`)).toMatchObject({
      requests: [{ command: "mn" }],
      status: "error",
      end: 4,
      error: { code: "MEMCACHED_LONG_LINE" },
    });
  });

  it("may be longer than the window and have more words than the index has room for", () => {
    const many = `get${" k".repeat(30_000)}\r\n`;
    const large = `set k 0 0 3000000\r\n${"x".repeat(3_000_000)}\r\n`;
    const { requests, status } = parse(`${many}${large}${many}`.repeat(2));
    expect(status).toBe("complete");
    expect(requests.map(({ command }) => command)).toEqual([
      "get",
      "set",
      "get",
      "get",
      "set",
      "get",
    ]);
  });

  it("are not written when they would be read otherwise", () => {
    const code = (request: MemcachedRequest) => codeOf(() => codec.writeMemcachedRequest(request));
    expect(code({ command: "get", keys: [ascii("a b")] })).toBe("MEMCACHED_BAD_KEY");
    expect(code({ command: "get", keys: [ascii("a\r\nflush_all\r\n")] })).toBe("MEMCACHED_BAD_KEY");
    expect(code({ command: "get", keys: [ascii("k".repeat(251))] })).toBe("MEMCACHED_BAD_KEY");
    expect(code({ command: "md", key, tokens: ["q\r\nflush_all"] })).toBe("MEMCACHED_BAD_TOKEN");
    expect(
      code({ command: "get", keys: Array.from({ length: 300 }, () => ascii("k".repeat(250))) }),
    ).toBe("MEMCACHED_LONG_LINE");
  });
});

/** Replies as they are written, and what they mean. */
const REPLIES: [bytes: string, reply: MemcachedReply][] = [
  ["STORED\r\n", { type: "status", status: "STORED" }],
  ["NOT_STORED\r\n", { type: "status", status: "NOT_STORED" }],
  ["EXISTS\r\n", { type: "status", status: "EXISTS" }],
  ["NOT_FOUND\r\n", { type: "status", status: "NOT_FOUND" }],
  ["DELETED\r\n", { type: "status", status: "DELETED" }],
  ["TOUCHED\r\n", { type: "status", status: "TOUCHED" }],
  ["OK\r\n", { type: "status", status: "OK" }],
  ["RESET\r\n", { type: "status", status: "RESET" }],
  ["MN\r\n", { type: "status", status: "MN" }],
  ["END\r\n", { type: "values", values: [] }],
  [
    "VALUE a 4294967295 4 7\r\nx\r\ny\r\nVALUE b 0 0\r\n\r\nEND\r\n",
    {
      type: "values",
      values: [
        { key: ascii("a"), flags: 4294967295, value: ascii("x\r\ny"), cas: 7n },
        { key: ascii("b"), flags: 0, value: ascii(""), cas: null },
      ],
    },
  ],
  [
    "STAT pid 5109\r\nSTAT libevent 2.1 stable\r\nEND\r\n",
    {
      type: "stats",
      stats: [
        ["pid", "5109"],
        ["libevent", "2.1 stable"],
      ],
    },
  ],
  ["18446744073709551615\r\n", { type: "number", value: (1n << 64n) - 1n }],
  ["VERSION 1.6.18\r\n", { type: "version", version: "1.6.18" }],
  ["ERROR\r\n", { type: "error", kind: "ERROR", text: "" }],
  [
    "CLIENT_ERROR bad data chunk\r\n",
    { type: "error", kind: "CLIENT_ERROR", text: "bad data chunk" },
  ],
  [
    "SERVER_ERROR out of memory\r\n",
    { type: "error", kind: "SERVER_ERROR", text: "out of memory" },
  ],
  ["HD\r\n", { type: "meta", code: "HD", tokens: [] }],
  ["EN\r\n", { type: "meta", code: "EN", tokens: [] }],
  ["NF kk O1\r\n", { type: "meta", code: "NF", tokens: ["kk", "O1"] }],
  ["NS\r\n", { type: "meta", code: "NS", tokens: [] }],
  ["EX\r\n", { type: "meta", code: "EX", tokens: [] }],
  ["VA 2 t-1 f0\r\nhi\r\n", { type: "meta-value", value: ascii("hi"), tokens: ["t-1", "f0"] }],
  ["ME k exp=-1 la=2\r\n", { type: "meta-debug", tokens: ["k", "exp=-1", "la=2"] }],
];

describe("memcached replies", () => {
  it.each(REPLIES)("%j is read and written", (bytes, reply) => {
    expect(codec.parseMemcachedReply(ascii(bytes))).toEqual({
      status: "complete",
      reply,
      end: bytes.length,
    });
    expect(text(codec.writeMemcachedReply(reply))).toBe(bytes);
    for (let cut = 0; cut < bytes.length; cut++) {
      const result = codec.parseMemcachedReply(ascii(bytes.slice(0, cut)));
      expect(result.status).toBe("incomplete");
      if (result.status === "incomplete")
        expect(cut + result.wanted).toBeLessThanOrEqual(bytes.length);
    }
  });

  it("are read one behind the other", () => {
    const all = REPLIES.map(([bytes]) => bytes).join("");
    const found = codec.parseMemcachedReplies(ascii(`${all}VALUE a 0 5\r\nab`));
    expect(found.replies).toEqual(REPLIES.map(([, reply]) => reply));
    expect(found).toMatchObject({ status: "incomplete", end: all.length, wanted: 5 });
  });

  it("may be numbers filled up with spaces, and errors in the place of values", () => {
    expect(codec.parseMemcachedReply(ascii("9   \r\n"))).toMatchObject({ reply: { value: 9n } });
    expect(
      codec.parseMemcachedReply(ascii("VALUE a 0 1\r\nx\r\nSERVER_ERROR no\r\n")),
    ).toMatchObject({
      reply: { type: "error", kind: "SERVER_ERROR" },
    });
    expect(codec.parseMemcachedReply(ascii("ERROR: shutdown not enabled\r\n"))).toMatchObject({
      reply: { kind: "ERROR", text: "shutdown not enabled" },
    });
  });

  it.each([
    ["HELLO\r\n", "MEMCACHED_BAD_WORD"],
    ["OK\0\r\n", "MEMCACHED_BAD_WORD"],
    ["VALUE a 0 1\r\nx\r\nSTORED\r\n", "MEMCACHED_BAD_WORD"],
    ["STAT a b\r\nVALUE a 0 1\r\nx\r\n", "MEMCACHED_BAD_WORD"],
    ["STORED now\r\n", "MEMCACHED_BAD_REPLY_LINE"],
    ["VALUE a 0\r\n", "MEMCACHED_BAD_REPLY_LINE"],
    ["VALUE a 0 x\r\n", "MEMCACHED_BAD_REPLY_LINE"],
    ["18446744073709551616\r\n", "MEMCACHED_BAD_REPLY_LINE"],
    ["VALUE a 0 1\r\nxyz\r\n", "MEMCACHED_NO_CRLF"],
    ["VALUE a 0 67108865\r\n", "MEMCACHED_LONG_VALUE"],
    [`VERSION ${"1".repeat(65536)}`, "MEMCACHED_LONG_LINE"],
  ])("such as %.30j are refused, and what was before them is not", (bytes, code) => {
    const found = codec.parseMemcachedReplies(ascii(`OK\r\n${bytes}`));
    expect(found).toMatchObject({
      replies: [{ status: "OK" }],
      end: 4,
      status: "error",
      error: { code },
    });
    expect(codec.parseMemcachedReply(ascii(bytes))).toMatchObject({
      status: "error",
      error: { code },
    });
  });
});
