// CLIENT: who is connected, closing others, and holding them back.
import { describe, expect, it } from "vitest";
import { failed, settle, TestNode } from "./node-under-test.ts";

describe("CLIENT LIST and INFO", () => {
  it("show a line for each client, in Redis's fields", async () => {
    const node = new TestNode();
    const one = node.connect();
    await node.runtime.advance(5000);
    const two = node.connect();
    two.run("CLIENT", "SETNAME", "second");
    two.run("SELECT", 7);
    two.run("MULTI");
    two.run("SET", "key", "value");
    await node.runtime.advance(2000);
    const list = String(one.run("CLIENT", "LIST"));
    expect(list.split("\n")).toEqual([
      "id=1 addr=127.0.0.1:50000 laddr=127.0.0.1:8102 fd=-1 name= age=7 idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=26 qbuf-free=0 argv-mem=10 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=26 events=r cmd=client|list user=default redir=-1 resp=2 lib-name= lib-ver=",
      "id=2 addr=127.0.0.1:50001 laddr=127.0.0.1:8102 fd=-1 name=second age=2 idle=2 flags=x db=7 sub=0 psub=0 ssub=0 multi=1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=11 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=11 events=r cmd=multi user=default redir=-1 resp=2 lib-name= lib-ver=",
      "",
    ]);
    expect(one.run("CLIENT", "INFO")).toMatch(/^id=1 .* cmd=client\|info .*\n$/);
    one.raw("HELLO", 3);
    expect(one.raw("CLIENT", "INFO")).toMatch(/^=\d+\r\ntxt:id=1 /);
  });

  it("LIST takes a type, or ids", () => {
    const node = new TestNode();
    const client = node.connect();
    node.connect();
    const ids = (text: unknown) => [...String(text).matchAll(/^id=(\d+)/gm)].map((m) => m[1]);
    expect(ids(client.run("CLIENT", "LIST", "TYPE", "normal"))).toEqual(["1", "2"]);
    expect(ids(client.run("CLIENT", "LIST", "TYPE", "pubsub"))).toEqual([]);
    expect(ids(client.run("CLIENT", "LIST", "ID", 2, 77, 1))).toEqual(["2", "1"]);
    const refused: [string[], string][] = [
      [["TYPE", "x"], "ERR Unknown client type 'x'"],
      [["ID"], "ERR syntax error"],
      [["ID", "x"], "ERR Invalid client ID"],
      [["TYPE", "normal", "x"], "ERR syntax error"],
      [["x"], "ERR syntax error"],
    ];
    for (const [words, text] of refused) {
      expect(client.run("CLIENT", "LIST", ...words)).toEqual(failed(text));
    }
  });
});

describe("CLIENT names", () => {
  it("are printable and have no spaces", () => {
    const client = new TestNode().connect();
    expect(client.run("CLIENT", "ID")).toBe(1);
    expect(client.run("CLIENT", "GETNAME")).toBe(null);
    expect(client.run("CLIENT", "SETNAME", "a b")).toEqual(
      failed("ERR Client names cannot contain spaces, newlines or special characters."),
    );
    expect(client.run("CLIENT", "SETNAME", "me")).toBe("OK");
    expect(client.run("CLIENT", "GETNAME")).toBe("me");
    expect(client.run("CLIENT", "SETNAME", "")).toBe("OK");
    expect(client.run("CLIENT", "GETNAME")).toBe(null);
    expect(client.run("CLIENT", "SETINFO", "LIB-VER", "1.0\n")).toEqual(
      failed("ERR lib-ver cannot contain spaces, newlines or special characters."),
    );
    expect(client.run("CLIENT", "SETINFO", "colour", "red")).toEqual(
      failed("ERR Unrecognized option 'colour'"),
    );
  });
});

describe("CLIENT KILL", () => {
  it("by address closes that client, and itself after the answer", () => {
    const node = new TestNode();
    const client = node.connect();
    const other = node.connect();
    expect(client.run("CLIENT", "KILL", "1.2.3.4:5")).toEqual(failed("ERR No such client"));
    expect(client.run("CLIENT", "KILL", other.remoteAddress)).toBe("OK");
    expect(other.closed).toBe(true);
    expect(client.run("CLIENT", "KILL", client.remoteAddress)).toBe("OK");
    expect(client.closed).toBe(true);
  });

  it("by filters closes those that fit all of them, and spares itself unless told not to", () => {
    const node = new TestNode();
    const client = node.connect();
    const others = [node.connect(), node.connect(), node.connect()] as const;
    const closed = () => others.map((other) => other.closed);
    expect(client.run("CLIENT", "KILL", "ID", 1)).toBe(0);
    expect(client.run("CLIENT", "KILL", "ID", 2, "ADDR", others[1].remoteAddress)).toBe(0);
    expect(client.run("CLIENT", "KILL", "ID", 2, "ADDR", others[0].remoteAddress)).toBe(1);
    expect(closed()).toEqual([true, false, false]);
    expect(client.run("CLIENT", "KILL", "TYPE", "pubsub")).toBe(0);
    expect(client.run("CLIENT", "KILL", "LADDR", "127.0.0.1:8102", "USER", "default")).toBe(2);
    expect(closed()).toEqual([true, true, true]);
    expect(client.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")).toBe(1);
    expect(client.closed).toBe(true);
  });

  it.each<[(string | number)[], string]>([
    [["ID", 0], "ERR client-id should be greater than 0"],
    [["ID", "x"], "ERR client-id should be greater than 0"],
    [["TYPE", "x"], "ERR Unknown client type 'x'"],
    [["USER", "x"], "ERR No such user 'x'"],
    [["SKIPME", "x"], "ERR syntax error"],
    [["x", "y"], "ERR syntax error"],
    [["ID", 1, "ADDR"], "ERR syntax error"],
  ])("%j is refused", (words, text) => {
    expect(new TestNode().connect().run("CLIENT", "KILL", ...words)).toEqual(failed(text));
  });
});

describe("CLIENT PAUSE", () => {
  it("holds every command back, in order, also of clients that come later", async () => {
    const node = new TestNode();
    const one = node.connect();
    const two = node.connect();
    expect(one.run("CLIENT", "PAUSE", 1000)).toBe("OK");
    one.send(["SET", "a", 1], ["GET", "a"]);
    two.send(["PING"]);
    const three = node.connect();
    three.send(["SET", "b", 2]);
    await node.runtime.advance(999);
    expect([one.take(), two.take(), three.take()]).toEqual(["", "", ""]);
    await node.runtime.advance(1);
    expect([one.take(), two.take(), three.take()]).toEqual([
      "+OK\r\n$1\r\n1\r\n",
      "+PONG\r\n",
      "+OK\r\n",
    ]);
    const before = node.served.commander.statistics.hostCommands.total;
    three.run("GET", "b");
    expect(node.served.commander.statistics.hostCommands.total).toBe(before);
  });

  it("lets nothing expire while it lasts, though what has expired is not seen", async () => {
    const node = new TestNode();
    const one = node.connect();
    one.run("SET", "a", 1, "PX", 50);
    one.run("CLIENT", "PAUSE", 100_000, "WRITE");
    await node.runtime.advance(500);
    expect(one.run("GET", "a")).toBe(null);
    expect(one.run("INFO", "stats")).toContain("expired_keys:0\r\n");
    expect(one.run("DBSIZE")).toBe(1);
    one.run("CLIENT", "UNPAUSE");
    await node.runtime.advance(500);
    expect(one.run("INFO", "stats")).toContain("expired_keys:1\r\n");
    expect(one.run("DBSIZE")).toBe(0);
  });

  it("WRITE lets reads through, and UNPAUSE ends it", async () => {
    const node = new TestNode();
    const one = node.connect();
    const two = node.connect();
    one.run("SET", "a", 1);
    one.run("CLIENT", "PAUSE", 100_000, "WRITE");
    expect(one.run("GET", "a")).toBe("1");
    one.send(["INCR", "a"]);
    expect(one.take()).toBe("");
    expect(two.run("INFO", "clients")).toContain("blocked_clients:1\r\n");
    expect(two.run("CLIENT", "UNBLOCK", 1)).toBe(0);
    expect(two.run("CLIENT", "UNPAUSE")).toBe("OK");
    await settle();
    expect(one.read()).toBe(2);
  });

  it("gets longer and stricter, never shorter or looser", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("CLIENT", "PAUSE", 1000, "WRITE");
    client.run("CLIENT", "PAUSE", 10, "ALL");
    client.send(["PING"]);
    await node.runtime.advance(999);
    expect(client.take()).toBe("");
    await node.runtime.advance(1);
    expect(client.take()).toBe("+PONG\r\n");
  });

  it("does not run the command of a client that has gone", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("CLIENT", "PAUSE", 100);
    client.send(["SET", "a", 1]);
    client.hangUp();
    await node.runtime.advance(200);
    expect(node.connect().run("GET", "a")).toBe(null);
  });

  it("holds a command that waits itself: it waits after the pause", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("CLIENT", "PAUSE", 100);
    client.send(["DEBUG", "SLEEP", 1], ["PING"]);
    await node.runtime.advance(1000);
    expect(client.take()).toBe("");
    await node.runtime.advance(100);
    expect(client.take()).toBe("+OK\r\n+PONG\r\n");
  });

  it.each<[(string | number)[], string]>([
    [["x"], "ERR timeout is not an integer or out of range"],
    [[-1], "ERR timeout is negative"],
    [[10, "x"], "ERR CLIENT PAUSE mode must be WRITE or ALL"],
  ])("%j is refused", (words, text) => {
    expect(new TestNode().connect().run("CLIENT", "PAUSE", ...words)).toEqual(failed(text));
  });
});

describe("client-side caching", () => {
  it("is refused, not accepted without effect", () => {
    const client = new TestNode().connect();
    expect(client.run("CLIENT", "TRACKING", "ON")).toEqual(
      failed("ERR CLIENT TRACKING is not supported by ringlet; turn client-side caching off"),
    );
    expect(client.run("CLIENT", "TRACKING", "OFF")).toBe("OK");
    expect(client.run("CLIENT", "CACHING", "YES")).toEqual(
      failed("ERR CLIENT CACHING is not supported by ringlet"),
    );
    expect(client.run("CLIENT", "GETREDIR")).toBe(-1);
    expect(client.run("CLIENT", "TRACKINGINFO")).toEqual([
      "flags",
      ["off"],
      "redirect",
      -1,
      "prefixes",
      [],
    ]);
  });
});

describe("DEBUG SLEEP", () => {
  it("has its own client wait, and no other", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.send(["DEBUG", "SLEEP", "0.5"], ["PING"]);
    expect(node.connect().run("PING")).toBe("PONG");
    await node.runtime.advance(499);
    expect(client.take()).toBe("");
    await node.runtime.advance(1);
    expect(client.take()).toBe("+OK\r\n+PONG\r\n");
    expect(client.run("DEBUG", "SLEEP", 0)).toBe("OK");
    expect(client.run("DEBUG", "SLEEP", "x")).toEqual(failed("ERR value is not a valid float"));
  });
});
