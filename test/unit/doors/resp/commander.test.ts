// Which commands a client may run when, and what it is told otherwise: the texts are Redis 7's.
import { describe, expect, it } from "vitest";
import { failed, TestNode } from "./node-under-test.ts";

describe("a command that does not exist", () => {
  it.each<[string, string[], string]>([
    ["alone", ["foo"], "ERR unknown command 'foo', with args beginning with: "],
    [
      "with arguments",
      ["FOO", "a", "b"],
      "ERR unknown command 'FOO', with args beginning with: 'a' 'b' ",
    ],
    [
      "with a long name",
      ["x".repeat(200)],
      `ERR unknown command '${"x".repeat(128)}', with args beginning with: `,
    ],
    [
      "with a long argument, of which 128 bytes in all are repeated",
      ["foo", "a".repeat(100), "b".repeat(100), "c"],
      `ERR unknown command 'foo', with args beginning with: '${"a".repeat(100)}' '${"b".repeat(25)}' `,
    ],
    [
      "with line ends, which become spaces",
      ["fo\r\no", "a\nb"],
      "ERR unknown command 'fo  o', with args beginning with: 'a b' ",
    ],
    [
      "with a NUL, at which the text ends",
      ["fo\0o"],
      "ERR unknown command 'fo', with args beginning with: ",
    ],
    ["as a subcommand", ["client", "foo"], "ERR unknown subcommand 'foo'. Try CLIENT HELP."],
    [
      "as a subcommand by its full name",
      ["client|id"],
      "ERR unknown command 'client|id', with args beginning with: ",
    ],
  ])("is refused %s, and the connection stays open", (_, words, text) => {
    const client = new TestNode().connect();
    expect(client.run(...words)).toEqual(failed(text));
    expect(client.run("PING")).toBe("PONG");
  });
});

describe("a wrong number of arguments", () => {
  it.each<[string[], string]>([
    [["get"], "get"],
    [["GET", "a", "b"], "get"],
    [["set", "a"], "set"],
    [["ping", "a", "b"], "ping"],
    [["client"], "client"],
    [["client", "kill"], "client|kill"],
    [["config", "set", "maxmemory"], "config|set"],
    [["exec", "a"], "exec"],
  ])("in %j is refused", (words, name) => {
    const client = new TestNode().connect();
    expect(client.run(...words)).toEqual(
      failed(`ERR wrong number of arguments for '${name}' command`),
    );
  });
});

describe("a client that has not sent the password", () => {
  it("can run nothing but what has to do with that", () => {
    const client = new TestNode({ password: "secret" }).connect();
    expect(client.run("GET", "a")).toEqual(failed("NOAUTH Authentication required."));
    expect(client.run("PING")).toEqual(failed("NOAUTH Authentication required."));
    expect(client.run("MULTI")).toEqual(failed("NOAUTH Authentication required."));
    expect(client.run("EXEC")).toEqual(failed("NOAUTH Authentication required."));
    expect(client.run("foo")).toEqual(
      failed("ERR unknown command 'foo', with args beginning with: "),
    );
    expect(client.run("RESET")).toBe("RESET");
    expect(client.run("AUTH", "secret")).toBe("OK");
    expect(client.run("PING")).toBe("PONG");
    expect(client.run("QUIT")).toBe("OK");
    expect(client.closed).toBe(true);
  });
});

describe("at the memory limit", () => {
  const OOM = failed("OOM command not allowed when used memory > 'maxmemory'.");

  it("writes are refused on the host as in the kernel, reads and removals are not", () => {
    const client = new TestNode({ maxMemoryBytes: 1 }).connect();
    expect(client.run("SET", "a", "b")).toEqual(OOM);
    expect(client.run("SETRANGE", "a", 0, "b")).toEqual(OOM);
    expect(client.run("GET", "a")).toBe(null);
    expect(client.run("DEL", "a")).toBe(0);
  });

  it("a transaction that would write is refused when it is queued, or as a whole", () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("MULTI");
    expect(client.run("SET", "x", 1)).toBe("QUEUED");
    node.connect().run("CONFIG", "SET", "maxmemory", 1);
    expect(client.run("EXEC")).toEqual(
      failed(
        "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
      ),
    );
    client.run("MULTI");
    expect(client.run("SET", "x", 1)).toEqual(OOM);
    expect(client.run("EXEC")).toEqual(
      failed("EXECABORT Transaction discarded because of previous errors."),
    );
    client.run("MULTI");
    node.connect().run("CONFIG", "SET", "maxmemory", 0);
    expect(client.run("GET", "x")).toBe("QUEUED");
    expect(client.run("EXEC")).toEqual([null]);
  });
});

describe("what was counted", () => {
  it("is shown by INFO commandstats and errorstats, and begins again at CONFIG RESETSTAT", () => {
    const client = new TestNode().connect();
    client.run("SET", "a", "x");
    client.run("GET", "a");
    client.run("GET", "a");
    client.run("SETRANGE", "a", "x", "y");
    client.run("SETRANGE", "a");
    client.run("foo");
    const stats = String(client.run("INFO", "commandstats"));
    expect(stats).toContain("cmdstat_get:calls=2,");
    expect(stats).toContain("cmdstat_set:calls=1,");
    expect(stats).toMatch(/cmdstat_setrange:calls=1,.*,rejected_calls=1,failed_calls=1\r\n/);
    expect(client.run("INFO", "errorstats")).toContain("errorstat_ERR:count=3\r\n");
    client.run("CONFIG", "RESETSTAT");
    const after = String(client.run("INFO", "everything"));
    expect(after).not.toContain("cmdstat_get");
    expect(after).not.toContain("errorstat_ERR");
    expect(after).toContain("total_commands_processed:1\r\n");
  });
});

describe("errors that the kernel answers", () => {
  it("are counted by command and by code word, refused writes apart from failed calls", () => {
    const client = new TestNode().connect();
    client.run("HSET", "h", "f", "v");
    client.run("SET", "a", "x");
    client.run("INCR", "a");
    client.run("GET", "h");
    client.run("GET", "a");
    client.run("CONFIG", "SET", "maxmemory", 1);
    client.run("SET", "b", "x");
    const info = String(client.run("INFO", "commandstats", "errorstats", "stats", "persistence"));
    expect(info).toMatch(/cmdstat_incr:calls=1,.*,rejected_calls=0,failed_calls=1\r\n/);
    expect(info).toMatch(/cmdstat_get:calls=2,.*,rejected_calls=0,failed_calls=1\r\n/);
    expect(info).toMatch(/cmdstat_set:calls=1,.*,rejected_calls=1,failed_calls=0\r\n/);
    expect(info).toContain("errorstat_ERR:count=1\r\n");
    expect(info).toContain("errorstat_WRONGTYPE:count=1\r\n");
    expect(info).toContain("errorstat_OOM:count=1\r\n");
    expect(info).toContain("total_error_replies:3\r\n");
    expect(info).toContain("rdb_changes_since_last_save:2\r\n");
    client.run("CONFIG", "RESETSTAT");
    expect(client.run("INFO", "errorstats")).toBe("# Errorstats\r\n");
    expect(client.run("INFO", "commandstats")).not.toContain("cmdstat_incr");
  });
});

describe("CLIENT REPLY", () => {
  it("OFF runs commands without answering, ON answers again", () => {
    const client = new TestNode().connect();
    expect(client.raw("CLIENT", "REPLY", "OFF")).toBe("");
    expect(client.raw("SET", "a", 1)).toBe("");
    expect(client.raw("foo")).toBe("");
    expect(client.raw("CLIENT", "REPLY", "SKIP")).toBe("");
    expect(client.raw("INCR", "a")).toBe("");
    expect(client.run("CLIENT", "REPLY", "ON")).toBe("OK");
    expect(client.run("GET", "a")).toBe("2");
  });

  it("SKIP drops one reply, in one chunk too", () => {
    const client = new TestNode().connect();
    client.send(["CLIENT", "REPLY", "SKIP"], ["SET", "a", 1], ["GET", "a"], ["PING"]);
    expect(client.take()).toBe("$1\r\n1\r\n+PONG\r\n");
    client.send(["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "SKIP"], ["PING"], ["ECHO", "a"]);
    expect(client.take()).toBe("$1\r\na\r\n");
    client.send(["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "ON"], ["PING"]);
    expect(client.take()).toBe("+OK\r\n+PONG\r\n");
  });

  it("OFF drops the replies of a transaction, and one that comes later", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.send(
      ["CLIENT", "REPLY", "OFF"],
      ["MULTI"],
      ["SET", "a", 5],
      ["EXEC"],
      ["DEBUG", "SLEEP", "0.1"],
      ["CLIENT", "REPLY", "ON"],
      ["GET", "a"],
    );
    expect(client.take()).toBe("");
    await node.runtime.advance(200);
    expect(client.take()).toBe("+OK\r\n$1\r\n5\r\n");
  });
});

describe("a command that fails for a reason of our own", () => {
  it("is answered with an error, and the node goes on", () => {
    const node = new TestNode();
    const client = node.connect();
    node.cpuSeconds = () => {
      throw new Error("nobody knows");
    };
    const reply = client.run("INFO");
    expect(reply).toMatchObject({ error: expect.stringMatching(/^ERR internal error in 'info'/) });
    expect(client.run("PING")).toBe("PONG");
  });
});
