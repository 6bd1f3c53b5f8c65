/** The codec against the servers whose protocols it speaks: what redis-server and memcached send, and what they answer to bad input. */
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { expect, it, type TestContext } from "vitest";
import type { MemcachedRequest } from "../../src/codec/memcached-message.ts";
import type { RespValue } from "../../src/codec/resp-value.ts";
import { loadCodec } from "../../src/runtime/node/codec.ts";
import { FuzzBuffer } from "../fuzz/fuzz-buffer.ts";
import { generateWord } from "../fuzz/generate/resp-request.ts";
import { Random } from "../fuzz/random.ts";
import { freePort, started, startMemcached } from "./other-servers.ts";
import { requireProgram } from "./programs.ts";

const codec = loadCodec();
const ascii = (text: string) => Buffer.from(text, "latin1");
const PATIENCE_MS = 20_000;

async function startRedis(context: TestContext): Promise<number> {
  const port = await freePort();
  const flags = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--enable-debug-command",
    "yes",
  ];
  await started(spawn(requireProgram(context, "redis-server"), flags, { stdio: "ignore" }), port);
  return port;
}

/** Sends `bytes` and returns what comes back until `enough` says so, or the server closes. */
function talk(port: number, bytes: Uint8Array, enough: (got: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let got = Buffer.alloc(0);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(
          `no answer that is enough: ${JSON.stringify(got.toString("latin1").slice(-200))}`,
        ),
      );
    }, PATIENCE_MS);
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(got);
    };
    socket.on("data", (chunk) => {
      got = Buffer.concat([got, chunk]);
      if (enough(got)) finish();
    });
    socket.on("close", finish).on("error", finish);
    socket.write(bytes);
  });
}

const LUA =
  "{1,{2,'x'},{double=3.5},{map={a=1}},{set={a=true}},{big_number='123'},{verbatim_string={format='txt',string='hi'}},false,true}";
const COMMANDS = [
  ["SET", "k", Uint8Array.of(13, 10, 0, 255)],
  ["GET", "k"],
  ["GET", "none"],
  ["INCRBY", "n", "9223372036854775807"],
  ["RPUSH", "l", "a", "b"],
  ["LRANGE", "l", "0", "-1"],
  ["HSET", "h", "f", "v", "g", "w"],
  ["HGETALL", "h"],
  ["SADD", "s", "x", "y"],
  ["SMEMBERS", "s"],
  ["ZADD", "z", "1.5", "m", "inf", "n", "-3", "o"],
  ["ZRANGE", "z", "0", "-1", "WITHSCORES"],
  ["ZSCORE", "z", "n"],
  ["BLPOP", "none", "0.001"],
  ["MULTI"],
  ["GET", "k"],
  ["EXEC"],
  ["INFO", "server"],
  ["COMMAND"],
  ["CONFIG", "GET", "*"],
  ["EVAL", `return ${LUA}`, "0"],
  ["EVAL", `redis.setresp(3) return ${LUA}`, "0"],
  ["GET"],
  ["LRANGE", "k", "0", "1"],
  ...[
    "string",
    "integer",
    "double",
    "bignum",
    "null",
    "array",
    "set",
    "map",
    "verbatim",
    "true",
    "false",
  ].map((type) => ["DEBUG", "PROTOCOL", type]),
];

it("reads what redis-server says in RESP 2 and 3, and writes the same bytes again", async (context) => {
  const port = await startRedis(context);
  for (const protocol of [2, 3] as const) {
    const hello = ["HELLO", String(protocol)];
    const extra =
      protocol === 3
        ? [
            ["DEBUG", "PROTOCOL", "attrib"],
            ["SUBSCRIBE", "c"],
          ]
        : [];
    const commands = [["FLUSHALL"], hello, ...COMMANDS, ...extra, ["PING"]];
    const request = Buffer.concat(commands.map((args) => codec.writeRequest(args)));
    const count = commands.length;
    const got = await talk(
      port,
      request,
      (bytes) => codec.parseReplies(bytes).values.length === count,
    );
    const { values, status, end } = codec.parseReplies(got);
    expect({ status, end, count: values.length }).toEqual({
      status: "complete",
      end: got.length,
      count,
    });
    const again = Buffer.concat(values.map((value) => codec.writeReply(value, protocol)));
    expect(again.equals(got)).toBe(true);
    const types = new Set(values.flatMap(typesIn));
    expect([...types].sort()).toEqual(protocol === 2 ? RESP2_TYPES : RESP3_TYPES);
  }
});

const RESP2_TYPES = ["array", "bulk", "error", "integer", "null", "null-array", "simple"];
const RESP3_TYPES = [
  "array",
  "attribute",
  "big-number",
  "boolean",
  "bulk",
  "double",
  "error",
  "integer",
  "map",
  "null",
  "push",
  "set",
  "simple",
  "verbatim",
];

function typesIn(value: RespValue): string[] {
  switch (value.type) {
    case "array":
    case "set":
    case "push":
      return [value.type, ...value.items.flatMap(typesIn)];
    case "map":
      return [value.type, ...value.entries.flat().flatMap(typesIn)];
    case "attribute":
      return [value.type, ...value.entries.flat().flatMap(typesIn), ...typesIn(value.value)];
    default:
      return [value.type];
  }
}

it("refuses requests with the words of redis-server", async (context) => {
  const port = await startRedis(context);
  for (const bad of [
    "*x\r\n",
    "*01\r\n",
    "*+1\r\n",
    "*-0\r\n",
    "*1 \r\n",
    "*3000000000\r\n",
    "*-9223372036854775809\r\n",
    `*${"x".repeat(70_000)}`,
    "*1\r\nx\r\n",
    "*1\r\n$-1\r\n",
    "*1\r\n$blah\r\n",
    "*1\r\n$\r\n",
    "*1\r\n$2000000000\r\n",
    `*1\r\n$${"x".repeat(70_000)}`,
    "a".repeat(70_000),
    'echo "a\r\n',
    "echo 'a'b\r\n",
  ]) {
    const answer = await talk(port, ascii(bad), (got) => got.includes(10));
    const { error } = codec.parseRequests(ascii(bad));
    expect([bad.slice(0, 20), answer.toString("latin1")]).toEqual([
      bad.slice(0, 20),
      `-ERR ${error?.message}\r\n`,
    ]);
  }
  const ignored = ascii("*0\r\n*-1\r\n*-9223372036854775808\r\n\r\nPING\r\n");
  expect((await talk(port, ignored, (got) => got.includes(10))).toString()).toBe("+PONG\r\n");
  expect(codec.parseRequests(ignored).commands).toHaveLength(1);
});

it("splits inline commands as redis-server does", async (context) => {
  const port = await startRedis(context);
  const random = new Random(3);
  const buffer = new FuzzBuffer();
  let echoed = 0;
  for (let i = 0; i < 300; i++) {
    buffer.clear();
    buffer.text("ECHO ");
    generateWord(random, buffer);
    buffer.text("\r\n");
    const line = Buffer.from(buffer.view());
    const { commands, error } = codec.parseRequests(line);
    const got = codec.parseReply(
      await talk(port, line, (bytes) => codec.parseReply(bytes).status === "complete"),
    );
    const value = got.status === "complete" ? got.value : null;
    if (error !== null) {
      expect(value).toEqual({ type: "error", text: `ERR ${error.message}` });
    } else if (commands[0]!.length === 2) {
      echoed++;
      expect(value).toEqual({ type: "bulk", bytes: commands[0]![1] });
    } else {
      expect(value).toMatchObject({
        type: "error",
        text: expect.stringMatching(/wrong number of arguments/),
      });
    }
  }
  expect(echoed).toBeGreaterThan(100);
});

it("reads what memcached says to what the codec writes", async (context) => {
  const port = await startMemcached(context);
  const key = ascii("k");
  const n = ascii("n");
  const value = ascii("\r\nEND\r\n\0\xff");
  const item = { key, flags: 3, exptime: 0, value, noreply: false } as const;
  const requests: MemcachedRequest[] = [
    { command: "set", ...item },
    { command: "gets", keys: [key, n] },
    { command: "add", ...item },
    { command: "replace", ...item },
    { command: "append", ...item },
    { command: "cas", ...item, cas: 1n },
    { command: "get", keys: [key] },
    { command: "incr", key: n, delta: 1n, noreply: false },
    { command: "set", ...item, key: n, value: ascii("10") },
    { command: "incr", key: n, delta: 5n, noreply: false },
    { command: "decr", key: n, delta: 6n, noreply: false },
    { command: "incr", key, delta: 1n, noreply: false },
    { command: "touch", key: n, exptime: 100, noreply: false },
    { command: "gat", exptime: 50, keys: [n] },
    { command: "mg", key, tokens: ["v", "t", "f", "k", "s"] },
    { command: "mg", key: ascii("none"), tokens: ["v"] },
    { command: "ms", key: ascii("q"), value, tokens: ["T60"] },
    { command: "me", key: ascii("q"), tokens: [] },
    { command: "ma", key: n, tokens: ["v"] },
    { command: "md", key: ascii("q"), tokens: ["q"] },
    { command: "md", key: ascii("q"), tokens: [] },
    { command: "stats", tokens: [] },
    { command: "stats", tokens: ["reset"] },
    { command: "version" },
    { command: "verbosity", level: 0, noreply: false },
    { command: "delete", key, noreply: false },
    { command: "delete", key, noreply: false },
    { command: "flush_all", delay: 0, noreply: false },
    { command: "mn" },
  ];
  const bytes = Buffer.concat(requests.map((request) => codec.writeMemcachedRequest(request)));
  const got = await talk(port, bytes, (answer) => answer.toString("latin1").endsWith("MN\r\n"));
  const { replies, status, end } = codec.parseMemcachedReplies(got);
  expect({ status, end }).toEqual({ status: "complete", end: got.length });
  const said = replies.map((reply) => {
    switch (reply.type) {
      case "status":
        return reply.status;
      case "meta":
        return reply.code;
      case "error":
        return reply.kind;
      case "number":
        return reply.value;
      case "values":
        return reply.values.map(({ flags, value: { length } }) => [flags, length]);
      default:
        return reply.type;
    }
  });
  expect(said).toEqual([
    "STORED",
    [[3, 9]],
    "NOT_STORED",
    "STORED",
    "STORED",
    "EXISTS",
    [[3, 18]],
    "NOT_FOUND",
    "STORED",
    15n,
    9n,
    "CLIENT_ERROR",
    "TOUCHED",
    [[3, 2]],
    "meta-value",
    "EN",
    "HD",
    "meta-debug",
    "meta-value",
    // "md q" keeps quiet where it has found the key.
    "NF",
    "stats",
    "RESET",
    "version",
    "OK",
    "DELETED",
    "NOT_FOUND",
    "OK",
    "MN",
  ]);
});

it("answers invalid lines as memcached does", async (context) => {
  const port = await startMemcached(context);
  const long = "k".repeat(251);
  for (const line of [
    "get",
    "",
    "GET k",
    "foo",
    "set k 0 0",
    "set k -1 0 1",
    "set k 0 0 x",
    "set k 0 0 -1",
    "cas k 0 0 1 -5",
    "cas k 0 0 1 18446744073709551616",
    `get ${long}`,
    `set ${long} 0 0 0`,
    "incr k",
    "incr k x",
    "incr k -1",
    "incr k 18446744073709551616",
    "incr k 1 noreply x",
    "touch k x",
    "delete k 1",
    "delete k foo",
    "delete",
    "flush_all x",
    "verbosity",
    "verbosity x",
    "mg",
    `mg ${long} v`,
    "ms k x",
    "set k 0 0 1\r\nabc",
  ]) {
    const bytes = ascii(`${line}\r\n`);
    const answer = await talk(port, Buffer.concat([bytes, ascii("mn\r\n")]), (got) =>
      got.includes("MN\r\n"),
    );
    const [invalid] = codec.parseMemcachedRequests(bytes).requests;
    const [first] = answer.toString("latin1").split("\r\n");
    expect([line, invalid?.command === "invalid" ? invalid.reply : invalid]).toEqual([line, first]);
  }
});
