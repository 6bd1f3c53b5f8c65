// MULTI, EXEC, DISCARD, WATCH, UNWATCH.
import { describe, expect, it } from "vitest";
import { failed, settle, TestNode } from "./node-under-test.ts";

const ABORTED = failed("EXECABORT Transaction discarded because of previous errors.");

describe("EXEC", () => {
  it("answers what each command answers, of the kernel and of the host", () => {
    const client = new TestNode().connect();
    expect(client.run("MULTI")).toBe("OK");
    for (const words of [
      ["SET", "a", "x"],
      ["INCR", "a"],
      ["SETRANGE", "a", "1", "yz"],
      ["GET", "a"],
      ["CLIENT", "GETNAME"],
      ["GET", "missing"],
      ["SELECT", "99"],
      ["DEL", "a", "missing"],
    ]) {
      expect(client.run(...words)).toBe("QUEUED");
    }
    expect(client.run("EXEC")).toEqual([
      "OK",
      failed("ERR value is not an integer or out of range"),
      3,
      "xyz",
      null,
      null,
      failed("ERR DB index is out of range"),
      1,
    ]);
    expect(client.run("EXEC")).toEqual(failed("ERR EXEC without MULTI"));
  });

  it("runs nothing before it, and goes through the kernel again after it", () => {
    const node = new TestNode();
    const client = node.connect();
    client.send(["MULTI"], ["SET", "a", 1]);
    expect(node.connect().run("GET", "a")).toBe(null);
    client.run("EXEC");
    const before = node.served.commander.statistics.hostCommands.total;
    client.run("GET", "a");
    expect(node.served.commander.statistics.hostCommands.total).toBe(before);
  });

  it("works in one chunk, in the database and the protocol that it chooses itself", () => {
    const client = new TestNode().connect();
    client.send(
      ["MULTI"],
      ["SELECT", 5],
      ["SET", "a", "five"],
      ["HELLO", 3],
      ["GET", "missing"],
      ["EXEC"],
      ["GET", "a"],
    );
    const replies = client.take();
    expect(replies).toMatch(/^\+OK\r\n(\+QUEUED\r\n){4}\*4\r\n\+OK\r\n\+OK\r\n%7\r\n/);
    expect(replies).toMatch(/\*0\r\n_\r\n\$4\r\nfive\r\n$/);
  });

  it("carries values that are larger than any buffer, and commands with very many arguments", () => {
    const client = new TestNode().connect();
    const big = "x".repeat(3_000_000);
    client.send(["MULTI"], ["SET", "big", big], ["GET", "big"], ["STRLEN", "big"]);
    const keys = Array.from({ length: 100_000 }, (_, index) => `k${index}`);
    client.send(["DEL", ...keys], ["EXEC"]);
    for (let i = 0; i < 5; i++) client.read();
    expect(client.read()).toEqual(["OK", big, 3_000_000, 0]);
  });

  it("is refused when a command was wrong as it was queued", () => {
    const client = new TestNode().connect();
    for (const wrong of [["foo"], ["GET"], ["CLIENT", "foo"], ["SHUTDOWN"]]) {
      client.run("MULTI");
      expect(client.run("SET", "a", 1)).toBe("QUEUED");
      expect(client.run(...wrong)).toMatchObject({ error: expect.stringMatching(/^ERR/) });
      expect(client.run("SET", "a", 2)).toBe("QUEUED");
      expect(client.run("EXEC")).toEqual(ABORTED);
    }
    expect(client.run("GET", "a")).toBe(null);
  });

  it("is not refused because of MULTI or WATCH inside, which are only errors themselves", () => {
    const client = new TestNode().connect();
    client.run("MULTI");
    expect(client.run("MULTI")).toEqual(failed("ERR MULTI calls can not be nested"));
    expect(client.run("WATCH", "a")).toEqual(failed("ERR WATCH inside MULTI is not allowed"));
    expect(client.run("EXEC")).toEqual([]);
  });

  it("with arguments ends the transaction", () => {
    const client = new TestNode().connect();
    client.run("MULTI");
    expect(client.run("EXEC", "now")).toEqual(
      failed(
        "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
      ),
    );
    expect(client.run("PING")).toBe("PONG");
  });

  it("does not wait", () => {
    const client = new TestNode().connect();
    client.send(["MULTI"], ["WAIT", 1, 0], ["DEBUG", "SLEEP", 1], ["EXEC"]);
    for (let i = 0; i < 3; i++) client.read();
    expect(client.read()).toEqual([0, failed("ERR DEBUG SLEEP is not possible in a transaction")]);
  });

  it("is refused when the queue is longer than a request may be, and the memory is given back", () => {
    const node = new TestNode({ maxRequestBytes: 1024 * 1024 });
    const client = node.connect();
    const value = "x".repeat(300_000);
    client.run("MULTI");
    for (let i = 0; i < 3; i++) expect(client.run("SET", "a", value)).toBe("QUEUED");
    expect(client.run("SET", "a", value)).toEqual(
      failed(
        "ERR the transaction is longer than 1048576 bytes (client-query-buffer-limit); nothing of it was run",
      ),
    );
    expect(client.run("SET", "a", "1")).toBe("QUEUED");
    expect(node.connect().run("CLIENT", "LIST")).toMatch(/id=1 .* multi=0 .* multi-mem=0 /);
    expect(client.run("EXEC")).toEqual(ABORTED);
    expect(client.run("GET", "a")).toBe(null);
  });
});

describe("DISCARD", () => {
  it("forgets what was queued and what was watched", () => {
    const node = new TestNode();
    const client = node.connect();
    expect(client.run("DISCARD")).toEqual(failed("ERR DISCARD without MULTI"));
    client.run("WATCH", "a");
    client.run("MULTI");
    client.run("SET", "b", 1);
    expect(client.run("DISCARD")).toBe("OK");
    expect(client.run("GET", "b")).toBe(null);
    node.connect().run("SET", "a", 1);
    client.run("MULTI");
    expect(client.run("EXEC")).toEqual([]);
  });
});

describe("WATCH", () => {
  /** EXEC's answer for a client that watched `a`, when another did `change` in between. */
  function execAfter(
    change: readonly (readonly (string | number)[])[],
    before: readonly (string | number)[] = ["SET", "a", 1],
  ) {
    const node = new TestNode();
    const client = node.connect();
    const other = node.connect();
    client.run(...before);
    client.run("WATCH", "a", "b");
    for (const words of change) other.run(...words);
    client.run("MULTI");
    client.run("PING");
    return client.run("EXEC");
  }

  it.each<[string, (string | number)[][]]>([
    ["written", [["SET", "a", 1]]],
    ["removed", [["DEL", "a"]]],
    ["changed by the host", [["SETRANGE", "a", 0, "x"]]],
    ["changed in one field", [["BITFIELD", "a", "SET", "u8", 0, 50]]],
    ["given an expiry", [["EXPIRE", "a", 100]]],
    [
      "removed and written again",
      [
        ["DEL", "a"],
        ["SET", "a", 1],
      ],
    ],
    ["removed with its database", [["FLUSHALL"]]],
    ["written, the second one", [["SET", "b", 1]]],
  ])("stops EXEC when the key was %s", (_, change) => {
    expect(execAfter(change)).toBe(null);
  });

  it.each<[string, (string | number)[][]]>([
    [
      "only read",
      [
        ["GET", "a"],
        ["STRLEN", "a"],
      ],
    ],
    [
      "set to what it was, bit by bit",
      [
        ["SETBIT", "a", 2, 1],
        ["BITFIELD", "a", "SET", "u8", 0, 49, "INCRBY", "i8", 0, 0],
      ],
    ],
    [
      "written in another database",
      [
        ["SELECT", 3],
        ["SET", "a", 2],
      ],
    ],
    [
      "missing, and made and removed again",
      [
        ["SET", "b", 1],
        ["DEL", "b"],
      ],
    ],
  ])("does not stop EXEC when the key was %s", (_, change) => {
    expect(execAfter(change)).toEqual(["PONG"]);
  });

  it("stops EXEC when the client itself has written before MULTI", () => {
    const client = new TestNode().connect();
    client.run("WATCH", "a");
    client.run("SET", "a", 1);
    client.run("MULTI");
    expect(client.raw("EXEC")).toBe("*-1\r\n");
    client.raw("HELLO", 3);
    client.run("WATCH", "a");
    client.run("SET", "a", 2);
    client.run("MULTI");
    expect(client.raw("EXEC")).toBe("_\r\n");
  });

  it("stops EXEC when the key has expired since, but not when it had before", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("SET", "a", 1, "PX", 100);
    client.run("WATCH", "a");
    await node.runtime.advance(150);
    client.run("MULTI");
    expect(client.run("EXEC")).toBe(null);
    client.run("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    client.run("SET", "a", 1, "PX", 100);
    await node.runtime.advance(150);
    client.run("WATCH", "a");
    node.connect().run("GET", "a");
    client.run("MULTI");
    expect(client.run("EXEC")).toEqual([]);
  });

  it("remembers the database, binary keys, and the first state when asked twice", () => {
    const node = new TestNode();
    const client = node.connect();
    const other = node.connect();
    const key = Uint8Array.of(0, 255, 13, 10, 58);
    client.run("SELECT", 2);
    client.run("SET", key, 1);
    client.run("WATCH", key);
    other.run("SELECT", 2);
    other.run("SET", key, 2);
    client.run("WATCH", key);
    client.run("SELECT", 0);
    client.run("MULTI");
    expect(client.run("EXEC")).toBe(null);
  });

  it("ends with EXEC and with UNWATCH", () => {
    const node = new TestNode();
    const client = node.connect();
    const other = node.connect();
    client.run("WATCH", "a");
    client.run("MULTI");
    client.run("EXEC");
    other.run("SET", "a", 1);
    client.run("MULTI");
    expect(client.run("EXEC")).toEqual([]);
    client.run("WATCH", "a");
    other.run("SET", "a", 2);
    expect(client.run("UNWATCH")).toBe("OK");
    client.run("MULTI");
    expect(client.run("EXEC")).toEqual([]);
  });
});

describe("a transaction while clients are paused", () => {
  it("is queued, waits at EXEC when it writes, and is run whole then", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("MULTI");
    client.run("SET", "a", 1);
    node.connect().run("CLIENT", "PAUSE", 1000, "WRITE");
    client.send(["EXEC"], ["GET", "a"]);
    await node.runtime.advance(900);
    expect(client.take()).toBe("");
    await node.runtime.advance(200);
    await settle();
    expect(client.take()).toBe("*1\r\n+OK\r\n$1\r\n1\r\n");
  });
});
