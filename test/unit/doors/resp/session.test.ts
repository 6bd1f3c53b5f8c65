// What a client chooses for its connection: protocol, password, database, name; and how it ends.
import { describe, expect, it } from "vitest";
import { failed, settle, TestNode } from "./node-under-test.ts";

const WRONG_PASSWORD = failed("WRONGPASS invalid username-password pair or user is disabled.");

describe("HELLO", () => {
  it("answers what the node is, in the protocol that it chooses", () => {
    const client = new TestNode().connect();
    const fields = [
      "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n",
      "$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n",
      "$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n",
    ];
    expect(client.raw("HELLO", 3)).toBe(`%7\r\n${fields.join("")}`);
    expect(client.raw("GET", "a")).toBe("_\r\n");
    expect(client.raw("HELLO")).toMatch(/^%7/);
    expect(client.raw("HELLO", 2)).toMatch(/^\*14/);
    expect(client.raw("GET", "a")).toBe("$-1\r\n");
  });

  it("changes the protocol between the commands of one chunk", () => {
    const client = new TestNode().connect();
    client.send(["GET", "a"], ["HELLO", 3], ["GET", "a"]);
    expect(client.take()).toMatch(/^\$-1\r\n%7[\s\S]*\r\n_\r\n$/);
  });

  it.each<[(string | number)[], string]>([
    [[4], "NOPROTO unsupported protocol version"],
    [["x"], "ERR Protocol version is not an integer or out of range"],
    [[3, "foo"], "ERR Syntax error in HELLO option 'foo'"],
    [[3, "AUTH", "a"], "ERR Syntax error in HELLO option 'AUTH'"],
    [[3, "SETNAME"], "ERR Syntax error in HELLO option 'SETNAME'"],
    [
      [3, "SETNAME", "a b"],
      "ERR Client names cannot contain spaces, newlines or special characters.",
    ],
  ])("%j is refused and changes nothing", (words, text) => {
    const client = new TestNode().connect();
    expect(client.run("HELLO", ...words)).toEqual(failed(text));
    expect(client.raw("GET", "a")).toBe("$-1\r\n");
  });

  it("shows the password and names the connection", () => {
    const client = new TestNode({ password: "secret" }).connect();
    expect(client.run("HELLO", 3)).toMatchObject({
      error: expect.stringMatching(/^NOAUTH HELLO must be called with the client already/),
    });
    expect(client.run("HELLO", 3, "AUTH", "default", "wrong")).toEqual(WRONG_PASSWORD);
    expect(client.run("HELLO", 3, "AUTH", "other", "secret")).toEqual(WRONG_PASSWORD);
    client.raw("HELLO", 3, "AUTH", "default", "secret", "SETNAME", "me");
    expect(client.run("CLIENT", "GETNAME")).toBe("me");
  });
});

describe("AUTH", () => {
  it("takes the password, or the user default and the password", () => {
    const node = new TestNode({ password: "pässword" });
    const one = node.connect();
    const utf8 = Buffer.from("pässword");
    expect(one.run("AUTH", "wrong")).toEqual(WRONG_PASSWORD);
    expect(one.run("AUTH", utf8.subarray(0, 4))).toEqual(WRONG_PASSWORD);
    expect(one.run("AUTH", "")).toEqual(WRONG_PASSWORD);
    expect(one.run("GET", "a")).toEqual(failed("NOAUTH Authentication required."));
    expect(one.run("AUTH", utf8)).toBe("OK");
    expect(one.run("GET", "a")).toBe(null);
    const other = node.connect();
    expect(other.run("AUTH", "root", utf8)).toEqual(WRONG_PASSWORD);
    expect(other.run("AUTH", "default", utf8)).toBe("OK");
    expect(other.run("AUTH", "a", "b", "c")).toEqual(failed("ERR syntax error"));
  });

  it("without a password set, one argument is a mistake and two are not", () => {
    const client = new TestNode().connect();
    expect(client.run("AUTH", "x")).toMatchObject({
      error: expect.stringMatching(/^ERR AUTH <password> called without any password configured/),
    });
    expect(client.run("AUTH", "default", "x")).toBe("OK");
    expect(client.run("AUTH", "other", "x")).toEqual(WRONG_PASSWORD);
  });

  it("is needed from new clients once requirepass is set, and from nobody when it is empty again", () => {
    const node = new TestNode();
    const old = node.connect();
    expect(old.run("CONFIG", "SET", "requirepass", "p")).toBe("OK");
    expect(old.run("GET", "a")).toBe(null);
    const fresh = node.connect();
    expect(fresh.run("GET", "a")).toEqual(failed("NOAUTH Authentication required."));
    old.run("CONFIG", "SET", "requirepass", "");
    expect(fresh.run("GET", "a")).toBe(null);
  });
});

describe("SELECT", () => {
  it("chooses one of 16 databases", () => {
    const client = new TestNode().connect();
    client.run("SET", "a", 0);
    expect(client.run("SELECT", 15)).toBe("OK");
    expect(client.run("GET", "a")).toBe(null);
    client.run("SETRANGE", "b", 0, "x");
    client.send(["SELECT", 0], ["GET", "a"], ["GET", "b"], ["SELECT", 15], ["GET", "b"]);
    expect(client.take()).toBe("+OK\r\n$1\r\n0\r\n$-1\r\n+OK\r\n$1\r\nx\r\n");
  });

  it.each([
    [16, "ERR DB index is out of range"],
    [-1, "ERR DB index is out of range"],
    ["x", "ERR value is not an integer or out of range"],
    [99999999999, "ERR value is out of range, value must between -2147483648 and 2147483647"],
  ])("refuses %s", (index, text) => {
    const client = new TestNode().connect();
    expect(client.run("SELECT", index)).toEqual(failed(text));
  });
});

describe("RESET", () => {
  it("sets everything back but the library", () => {
    const node = new TestNode();
    const client = node.connect();
    client.raw("HELLO", 3);
    client.run("SELECT", 3);
    client.run("CLIENT", "SETNAME", "me");
    client.run("CLIENT", "SETINFO", "LIB-NAME", "lib");
    client.run("CLIENT", "NO-EVICT", "ON");
    client.run("CLIENT", "NO-TOUCH", "ON");
    client.run("WATCH", "a");
    client.run("MULTI");
    client.run("SET", "a", 1);
    expect(client.run("RESET")).toBe("RESET");
    expect(client.run("EXEC")).toEqual(failed("ERR EXEC without MULTI"));
    expect(client.raw("GET", "a")).toBe("$-1\r\n");
    const line = String(client.run("CLIENT", "INFO"));
    expect(line).toMatch(/ name= .* flags=N db=0 .* multi=-1 .* resp=2 lib-name=lib lib-ver=\n$/);
  });

  it("takes the password back", () => {
    const client = new TestNode({ password: "p" }).connect();
    client.run("AUTH", "p");
    client.run("RESET");
    expect(client.run("GET", "a")).toEqual(failed("NOAUTH Authentication required."));
  });
});

describe("QUIT", () => {
  it("is answered, and what is behind it is not run", () => {
    const node = new TestNode();
    const client = node.connect();
    client.send(["SET", "a", 1], ["QUIT"], ["SET", "a", 2]);
    expect(client.take()).toBe("+OK\r\n+OK\r\n");
    expect(client.closed).toBe(true);
    expect(node.connect().run("GET", "a")).toBe("1");
  });
});

describe("small commands", () => {
  it("answer as Redis does", async () => {
    const node = new TestNode();
    const client = node.connect();
    expect(client.run("ROLE")).toEqual(["master", 0, []]);
    expect(client.run("TIME")).toEqual(["1700000000", "0"]);
    await node.runtime.advance(1234);
    expect(client.run("TIME")).toEqual(["1700000001", "234000"]);
    expect(client.run("MODULE", "LIST")).toEqual([]);
    expect(client.run("SLOWLOG", "GET")).toEqual([]);
    expect(client.run("SLOWLOG", "GET", -2)).toEqual(
      failed("ERR count should be greater than or equal to -1"),
    );
    expect(client.run("SLOWLOG", "LEN")).toBe(0);
    expect(client.run("SLOWLOG", "RESET")).toBe("OK");
    expect(client.run("LATENCY", "LATEST")).toEqual([]);
    expect(client.run("LATENCY", "HISTORY", "command")).toEqual([]);
    expect(client.run("LATENCY", "RESET")).toBe(0);
    expect(client.run("ACL", "WHOAMI")).toBe("default");
    expect(client.run("ACL", "USERS")).toEqual(["default"]);
    expect(client.run("ACL", "CAT", "nothing")).toEqual(failed("ERR Unknown category 'nothing'"));
    expect(client.run("ACL", "CAT", "transaction")).toEqual([
      "discard",
      "exec",
      "multi",
      "unwatch",
      "watch",
    ]);
    expect(client.run("CLUSTER", "INFO")).toEqual(
      failed("ERR This instance has cluster support disabled"),
    );
    expect(client.run("FUNCTION", "LIST")).toEqual([]);
    expect(client.run("FUNCTION", "FLUSH")).toBe("OK");
    expect(client.run("FUNCTION", "FLUSH", "later")).toEqual(
      failed("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"),
    );
    expect(client.run("SLOWLOG", "HELP")).toContain(
      "SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    );
  });

  it("PING and ECHO answer the same from the host as from the kernel", () => {
    const client = new TestNode().connect();
    client.send(["MULTI"], ["PING"], ["PING", "x"], ["ECHO", "y"], ["EXEC"]);
    expect(client.take()).toBe(
      "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+PONG\r\n$1\r\nx\r\n$1\r\ny\r\n",
    );
    const big = "x".repeat(1_000_000);
    expect(client.run("ECHO", big)).toBe(big);
    expect(client.run("PING", big)).toBe(big);
  });
});

describe("SHUTDOWN", () => {
  it("asks the node to close, once it is clear that nothing is to be saved", () => {
    const node = new TestNode();
    const client = node.connect();
    expect(client.run("SHUTDOWN", "SAVE")).toEqual(
      failed("ERR nothing can be saved: this node keeps its data in memory only"),
    );
    expect(client.run("SHUTDOWN", "NOSAVE", "SAVE")).toEqual(failed("ERR syntax error"));
    expect(client.run("SHUTDOWN", "now", "please")).toEqual(failed("ERR syntax error"));
    expect(client.run("SHUTDOWN", "ABORT")).toEqual(failed("ERR No shutdown in progress."));
    client.run("MULTI");
    expect(client.run("SHUTDOWN")).toEqual(failed("ERR Command not allowed inside a transaction"));
    client.run("DISCARD");
    expect(node.shutdowns).toBe(0);
    expect(client.raw("SHUTDOWN", "NOSAVE")).toBe("");
    expect(client.closed).toBe(true);
    expect(node.shutdowns).toBe(1);
  });
});

describe("WAIT", () => {
  it("answers 0 at once when no replica is asked for, else after the timeout", async () => {
    const node = new TestNode();
    const client = node.connect();
    expect(client.run("WAIT", 0, 0)).toBe(0);
    client.send(["WAIT", 1, 500], ["PING"]);
    await node.runtime.advance(499);
    expect(client.take()).toBe("");
    expect(node.connect().run("INFO", "clients")).toContain("blocked_clients:1\r\n");
    await node.runtime.advance(1);
    expect(client.take()).toBe(":0\r\n+PONG\r\n");
    expect(node.connect().run("INFO", "clients")).toContain("blocked_clients:0\r\n");
  });

  it("ends sooner by CLIENT UNBLOCK, and with the connection", async () => {
    const node = new TestNode();
    const client = node.connect();
    const other = node.connect();
    client.send(["WAIT", 1, 0]);
    await node.runtime.advance(1_000_000);
    expect(client.take()).toBe("");
    expect(other.run("CLIENT", "LIST")).toMatch(/id=1 .* flags=b /);
    expect(other.run("CLIENT", "UNBLOCK", 1)).toBe(1);
    expect(other.run("CLIENT", "UNBLOCK", 1)).toBe(0);
    await settle();
    expect(client.read()).toBe(0);
    client.send(["WAIT", 1, 0]);
    expect(other.run("CLIENT", "UNBLOCK", 1, "ERROR")).toBe(1);
    await settle();
    expect(client.read()).toEqual(failed("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
    client.send(["WAIT", 1, 0]);
    client.hangUp();
    expect(other.run("INFO", "clients")).toContain("blocked_clients:0\r\n");
    expect(other.run("CLIENT", "UNBLOCK", 1, "foo")).toEqual(
      failed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
    );
  });

  it.each([
    [["x", 0], "ERR value is not an integer or out of range"],
    [[1, "x"], "ERR timeout is not an integer or out of range"],
    [[1, -1], "ERR timeout is negative"],
  ])("refuses %j", (words, text) => {
    expect(new TestNode().connect().run("WAIT", ...words)).toEqual(failed(text));
  });
});
