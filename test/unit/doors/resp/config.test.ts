// CONFIG: settings by Redis's names, and what they change.
import { describe, expect, it } from "vitest";
import { failed, settle, TestNode } from "./node-under-test.ts";

const setFailed = (name: string, reason: string) =>
  failed(`ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`);

describe("CONFIG GET", () => {
  it("answers one, several, patterns, and nothing for what does not exist", async () => {
    const client = new TestNode().connect();
    await settle();
    expect(client.run("CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", "0"]);
    expect(client.run("CONFIG", "GET", "MaxMemory")).toEqual(["MaxMemory", "0"]);
    expect(client.run("CONFIG", "GET", "save", "appendonly", "nothing")).toEqual([
      "save",
      "",
      "appendonly",
      "no",
    ]);
    expect(client.run("CONFIG", "GET", "hash-max-*-entries")).toEqual([
      "hash-max-listpack-entries",
      "512",
      "hash-max-ziplist-entries",
      "512",
    ]);
    expect(client.run("CONFIG", "GET", "port")).toEqual(["port", "8102"]);
    expect(client.run("CONFIG", "GET", "drain-*")).toEqual(["drain-timeout-ms", "10000"]);
    expect(client.raw("CONFIG", "GET", "nothing")).toBe("*0\r\n");
    client.raw("HELLO", 3);
    expect(client.raw("CONFIG", "GET", "timeout")).toBe("%1\r\n$7\r\ntimeout\r\n$1\r\n0\r\n");
  });
});

describe("CONFIG SET", () => {
  it("takes every parameter's own value back", () => {
    const client = new TestNode().connect();
    const all = client.run("CONFIG", "GET", "*") as string[];
    expect(all.length).toBeGreaterThan(40);
    for (let i = 0; i < all.length; i += 2) {
      expect([all[i], client.run("CONFIG", "SET", all[i]!, all[i + 1]!)]).toEqual([all[i], "OK"]);
    }
    expect(client.run("CONFIG", "GET", "*")).toEqual(all);
  });

  it("changes several, all or none", () => {
    const client = new TestNode().connect();
    expect(client.run("CONFIG", "SET", "maxmemory", "100mb", "timeout", 60)).toBe("OK");
    const now = () => client.run("CONFIG", "GET", "maxmemory", "timeout");
    expect(now()).toEqual(["maxmemory", "104857600", "timeout", "60"]);
    expect(client.run("CONFIG", "SET", "maxmemory", "1gb", "timeout", "x")).toEqual(
      setFailed("timeout", "argument couldn't be parsed into an integer"),
    );
    expect(client.run("CONFIG", "SET", "maxmemory", "1gb", "nothing", 1)).toEqual(
      failed("ERR Unknown option or number of arguments for CONFIG SET - 'nothing'"),
    );
    expect(client.run("CONFIG", "SET", "maxmemory", 1, "MAXMEMORY", 2)).toEqual(
      setFailed("MAXMEMORY", "duplicate parameter"),
    );
    expect(
      client.run("CONFIG", "SET", "hash-max-listpack-value", 1, "hash-max-ziplist-value", 2),
    ).toEqual(setFailed("hash-max-ziplist-value", "duplicate parameter"));
    expect(now()).toEqual(["maxmemory", "104857600", "timeout", "60"]);
  });

  it.each<[string, string | number, string]>([
    ["maxmemory", "x", "argument must be a memory value"],
    ["maxmemory", -1, "argument must be a memory value"],
    [
      "maxmemory-policy",
      "allkeys-lfu",
      "argument(s) must be one of the following: noeviction, allkeys-lru, volatile-lru, allkeys-random, volatile-random, volatile-ttl",
    ],
    ["maxclients", 0, "argument must be between 1 and 1000000 inclusive"],
    ["timeout", -1, "argument must be between 0 and 2147483647 inclusive"],
    ["proto-max-bulk-len", 10, "argument must be between 1048576 and 536870912 inclusive"],
    ["protected-mode", "maybe", "argument must be 'yes' or 'no'"],
    ["memory-ceiling", "100mb", "it can only be set when the node starts"],
    ["save", "900 1", "this node keeps its data in memory only"],
    ["appendonly", "yes", "this node keeps its data in memory only"],
    ["databases", 20, "can't set immutable config: there are always 16"],
    ["port", 1234, "a node listens where it was told when it was started"],
    [
      "client-output-buffer-limit",
      "normal 1",
      "Wrong number of arguments in buffer limit configuration.",
    ],
    [
      "client-output-buffer-limit",
      "normal 1 0 x",
      "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
    ],
    [
      "client-output-buffer-limit",
      "foo 1 0 0",
      "Invalid client class specified in buffer limit configuration.",
    ],
    [
      "client-output-buffer-limit",
      "normal 2mb 1mb 10",
      "ringlet has hard limits only: the soft one must be 0",
    ],
  ])("refuses %s %j and says why", (name, value, reason) => {
    const client = new TestNode().connect();
    expect(client.run("CONFIG", "SET", name, value)).toEqual(setFailed(name, reason));
  });

  it("refuses a password that is no text", () => {
    const client = new TestNode().connect();
    expect(client.run("CONFIG", "SET", "requirepass", Uint8Array.of(0xff))).toEqual(
      setFailed("requirepass", "argument must be text in UTF-8"),
    );
  });

  it("has effect: maxmemory and its policy", () => {
    const client = new TestNode().connect();
    client.run("CONFIG", "SET", "maxmemory", "3mb", "maxmemory-policy", "allkeys-lru");
    for (let i = 0; i < 100; i++) {
      expect(client.run("SET", `key:${i}`, "x".repeat(100_000))).toBe("OK");
    }
    expect(client.run("INFO", "stats")).toMatch(/evicted_keys:[1-9]/);
    client.run("CONFIG", "SET", "maxmemory-policy", "noeviction");
    let refused = 0;
    for (let i = 0; i < 40; i++) {
      if (client.run("SET", `more:${i}`, "x".repeat(100_000)) !== "OK") refused++;
    }
    expect(refused).toBeGreaterThan(0);
  });

  it("has effect: proto-max-bulk-len", () => {
    const client = new TestNode().connect();
    client.run("CONFIG", "SET", "proto-max-bulk-len", "1mb");
    expect(client.run("SETRANGE", "a", 1024 * 1024, "x")).toEqual(
      failed("ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
    );
    client.sendBytes(`*2\r\n$3\r\nGET\r\n$${1024 * 1024 + 1}\r\n`);
    expect(client.read()).toEqual(failed("ERR Protocol error: invalid bulk length"));
    expect(client.closed).toBe(true);
  });

  it("has effect: hash-max-listpack-entries and -value", () => {
    const client = new TestNode().connect();
    const encoding = (key: string) => client.run("OBJECT", "ENCODING", key);
    client.run("CONFIG", "SET", "hash-max-listpack-entries", 2, "hash-max-listpack-value", 8);
    client.run("HSET", "a", "f", "v", "g", "v");
    expect(encoding("a")).toBe("listpack");
    client.run("HSET", "a", "h", "v");
    expect(encoding("a")).toBe("hashtable");
    client.run("HSET", "b", "f", "longer than 8");
    expect(encoding("b")).toBe("hashtable");
  });

  it("has effect: maxclients, timeout", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("CONFIG", "SET", "maxclients", 1);
    const refused = node.connect();
    expect(refused.take()).toBe("-ERR max number of clients reached\r\n");
    expect(refused.closed).toBe(true);
    expect(client.run("INFO", "stats")).toContain("rejected_connections:1\r\n");
    client.run("CONFIG", "SET", "maxclients", 2, "timeout", 10);
    const idle = node.connect();
    await node.runtime.advance(9000);
    client.run("PING");
    await node.runtime.advance(2000);
    expect([client.closed, idle.closed]).toEqual([false, true]);
  });
});

describe("CONFIG REWRITE and RESETSTAT", () => {
  it("the first is refused, the second is not", () => {
    const client = new TestNode().connect();
    expect(client.run("CONFIG", "REWRITE")).toEqual(
      failed("ERR The server is running without a config file"),
    );
    expect(client.run("CONFIG", "RESETSTAT")).toBe("OK");
  });
});

describe("CLIENT NO-TOUCH", () => {
  it("leaves idle times alone, in the kernel and on the host, but for TOUCH", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("SET", "a", "x");
    client.run("HSET", "h", "f", "v");
    await node.runtime.advance(20_000);
    const idle = (key: string) => client.run("OBJECT", "IDLETIME", key);
    client.run("CLIENT", "NO-TOUCH", "ON");
    client.run("GET", "a");
    client.run("GETRANGE", "a", 0, 1);
    client.run("HGET", "h", "f");
    expect([idle("a"), idle("h")]).toEqual([20, 20]);
    client.run("TOUCH", "a");
    client.send(["MULTI"], ["TOUCH", "h"], ["EXEC"]);
    client.take();
    expect([idle("a"), idle("h")]).toEqual([0, 0]);
    await node.runtime.advance(20_000);
    client.run("CLIENT", "NO-TOUCH", "OFF");
    client.run("HGET", "h", "f");
    client.run("GET", "a");
    expect([idle("a"), idle("h")]).toEqual([0, 0]);
  });
});
