// COMMAND: what it tells of commands, in the shapes that clients parse.
import { describe, expect, it } from "vitest";
import { KERNEL_COMMANDS } from "../../../../src/store/kernel.ts";
import { failed, TestNode } from "./node-under-test.ts";

type Info = [
  string,
  number,
  string[],
  number,
  number,
  number,
  string[],
  string[],
  unknown[],
  Info[],
];

describe("COMMAND", () => {
  it("COUNT, LIST and INFO agree, and every command of the kernel is known to the host", () => {
    const client = new TestNode().connect();
    const all = client.run("COMMAND") as unknown as Info[];
    const names = client.run("COMMAND", "LIST") as string[];
    expect(client.run("COMMAND", "COUNT")).toBe(all.length);
    expect(names.filter((name) => !name.includes("|"))).toEqual(all.map(([name]) => name));
    for (const name of KERNEL_COMMANDS.slice(1)) expect(names).toContain(name);
    const { table } = new TestNode().served.commander;
    for (const row of table.allRows()) {
      expect([row.fullName, row.facts.summary]).toEqual([
        row.fullName,
        expect.stringMatching(/^[A-Z].*\.$/s),
      ]);
      expect(row.facts.since).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  it("INFO has Redis's ten fields", () => {
    const client = new TestNode().connect();
    expect(client.run("COMMAND", "INFO", "GET", "nothing")).toEqual([
      [
        "get",
        2,
        ["readonly", "fast"],
        1,
        1,
        1,
        ["@read", "@string", "@fast"],
        [],
        [
          [
            "flags",
            ["RO", "access"],
            "begin_search",
            ["type", "index", "spec", ["index", 1]],
            "find_keys",
            ["type", "range", "spec", ["lastkey", 0, "keystep", 1, "limit", 0]],
          ],
        ],
        [],
      ],
      null,
    ]);
    client.raw("HELLO", 3);
    expect(client.raw("COMMAND", "INFO", "ping")).toBe(
      "*1\r\n*10\r\n$4\r\nping\r\n:-1\r\n~1\r\n+fast\r\n:0\r\n:0\r\n:0\r\n~2\r\n+@fast\r\n+@connection\r\n~0\r\n~0\r\n~0\r\n",
    );
    expect(client.raw("COMMAND", "INFO", "config|get")).toMatch(
      /^\*1\r\n\*10\r\n\$10\r\nconfig\|get/,
    );
  });

  it("INFO of a command with subcommands has theirs", () => {
    const client = new TestNode().connect();
    for (const name of ["config", "object"]) {
      const [info] = client.run("COMMAND", "INFO", name) as unknown as [Info];
      expect(info[1]).toBe(-2);
      expect(info[9].map((sub) => sub[0])).toContain(`${name}|help`);
    }
  });

  it("DOCS is a map of maps", () => {
    const client = new TestNode().connect();
    expect(client.run("COMMAND", "DOCS", "select", "nothing")).toEqual([
      "select",
      [
        "summary",
        "Selects one of the databases 0 to 15.",
        "since",
        "1.0.0",
        "group",
        "connection",
        "complexity",
        "O(1)",
      ],
    ]);
    client.raw("HELLO", 3);
    expect(client.raw("COMMAND", "DOCS", "slowlog")).toMatch(
      /^%1\r\n\$7\r\nslowlog\r\n%5\r\n[\s\S]*\$11\r\nsubcommands\r\n%4\r\n\$11\r\nslowlog\|get\r\n%4\r\n/,
    );
    expect(client.raw("COMMAND", "DOCS")).toMatch(/^%\d\d+\r\n/);
  });

  it("LIST filters", () => {
    const client = new TestNode().connect();
    const list = (...words: string[]) => client.run("COMMAND", "LIST", "FILTERBY", ...words);
    expect(list("PATTERN", "MGE?")).toEqual(["mget"]);
    expect(list("PATTERN", "config*")).toEqual([
      "config",
      "config|get",
      "config|resetstat",
      "config|rewrite",
      "config|set",
      "config|help",
    ]);
    expect(list("ACLCAT", "bitmap")).toContain("bitcount");
    expect(list("ACLCAT", "nothing")).toEqual([]);
    expect(list("MODULE", "any")).toEqual([]);
    expect(list("x", "y")).toEqual(failed("ERR syntax error"));
    expect(client.run("COMMAND", "LIST", "x")).toEqual(failed("ERR syntax error"));
  });

  it.each<[string[], string[]]>([
    [["get", "a"], ["a"]],
    [
      ["mset", "a", "1", "b", "2"],
      ["a", "b"],
    ],
    [
      ["del", "a", "b", "c"],
      ["a", "b", "c"],
    ],
    [
      ["bitop", "and", "dest", "a", "b"],
      ["dest", "a", "b"],
    ],
    [["object", "encoding", "a"], ["a"]],
    [
      ["watch", "a", "b"],
      ["a", "b"],
    ],
  ])("GETKEYS finds the keys of %j", (words, keys) => {
    expect(new TestNode().connect().run("COMMAND", "GETKEYS", ...words)).toEqual(keys);
  });

  it("GETKEYSANDFLAGS says what happens to them", () => {
    const client = new TestNode().connect();
    expect(client.run("COMMAND", "GETKEYSANDFLAGS", "mget", "a", "b")).toEqual([
      ["a", ["RO", "access"]],
      ["b", ["RO", "access"]],
    ]);
    const flags = (...words: string[]) =>
      (client.run("COMMAND", "GETKEYSANDFLAGS", ...words) as [string, string[]][]).map(
        ([key, names]) => `${key} ${names.join(" ")}`,
      );
    expect(flags("set", "k", "v")).toEqual(["k OW update"]);
    expect(flags("set", "k", "v", "GET")).toEqual(["k RW access update"]);
    expect(flags("rename", "a", "b")).toEqual(["a RW access delete", "b OW update"]);
    expect(flags("bitop", "or", "d", "a", "b")).toEqual([
      "d OW update",
      "a RO access",
      "b RO access",
    ]);
    expect(flags("expire", "a", "1")).toEqual(["a RW update"]);
    expect(flags("memory", "usage", "a")).toEqual(["a RO"]);
  });

  it.each<[string[], string]>([
    [["nothing", "a"], "ERR Invalid command specified"],
    [["config", "nothing"], "ERR Invalid command specified"],
    [["ping", "a"], "ERR The command has no key arguments"],
    [["get", "a", "b"], "ERR Invalid number of arguments specified for command"],
  ])("GETKEYS %j is refused", (words, text) => {
    expect(new TestNode().connect().run("COMMAND", "GETKEYS", ...words)).toEqual(failed(text));
  });
});

describe("DEBUG", () => {
  it("PROTOCOL answers every type, as the protocol writes it", () => {
    const client = new TestNode().connect();
    const raw = (type: string) => client.raw("DEBUG", "PROTOCOL", type);
    expect(raw("double")).toBe("$5\r\n3.141\r\n");
    expect(raw("true")).toBe(":1\r\n");
    client.raw("HELLO", 3);
    expect(raw("string")).toBe("$11\r\nHello World\r\n");
    expect(raw("integer")).toBe(":12345\r\n");
    expect(raw("double")).toBe(",3.141\r\n");
    expect(raw("bignum")).toBe("(1234567999999999999999999999999999999\r\n");
    expect(raw("null")).toBe("_\r\n");
    expect(raw("array")).toBe("*3\r\n:0\r\n:1\r\n:2\r\n");
    expect(raw("set")).toBe("~3\r\n:0\r\n:1\r\n:2\r\n");
    expect(raw("map")).toBe("%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n");
    expect(raw("verbatim")).toBe("=29\r\ntxt:This is a verbatim\nstring\r\n");
    expect(raw("false")).toBe("#f\r\n");
    expect(raw("other")).toMatch(/^-ERR Wrong protocol type name/);
  });

  it("ERROR, POPULATE, and what is unknown", () => {
    const client = new TestNode().connect();
    expect(client.run("DEBUG", "ERROR", "MINE is an error")).toEqual(failed("MINE is an error"));
    expect(client.run("DEBUG", "POPULATE", 1000)).toBe("OK");
    expect(client.run("DBSIZE")).toBe(1000);
    expect(client.run("GET", "key:999")).toBe("value:999");
    expect(client.run("DEBUG", "POPULATE", 3, "p", 20)).toBe("OK");
    expect(client.run("GET", "p:2")).toBe(`value:2${"\0".repeat(13)}`);
    expect(client.run("DEBUG", "OBJECT", "nothing")).toEqual(failed("ERR no such key"));
    expect(client.run("DEBUG", "OBJECT", "key:999")).toMatch(
      /^Value at:0x[0-9a-f]+ refcount:1 encoding:embstr recordbytes:\d+ lru_seconds_idle:0$/,
    );
    expect(client.run("DEBUG", "POPULATE", -1)).toEqual(failed("ERR value is out of range"));
    expect(client.run("DEBUG", "SEGFAULT")).toEqual(
      failed("ERR unknown subcommand or wrong number of arguments for 'SEGFAULT'. Try DEBUG HELP."),
    );
    expect(client.run("DEBUG", "SLEEP")).toEqual(
      failed("ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP."),
    );
  });

  it("SET-ACTIVE-EXPIRE stops what removes expired keys by itself", async () => {
    const node = new TestNode();
    const client = node.connect();
    const expireOne = async () => {
      client.run("SET", "a", 1, "PX", 100);
      await node.runtime.advance(10_000);
      return client.run("DBSIZE");
    };
    expect(await expireOne()).toBe(0);
    expect(client.run("DEBUG", "SET-ACTIVE-EXPIRE", 0)).toBe("OK");
    expect(await expireOne()).toBe(1);
    expect(client.run("GET", "a")).toBe(null);
    expect(client.run("DEBUG", "SET-ACTIVE-EXPIRE", 1)).toBe("OK");
    expect(await expireOne()).toBe(0);
    expect(client.run("DEBUG", "SET-ACTIVE-EXPIRE", 2)).toEqual(
      failed("ERR the argument must be 0 or 1"),
    );
  });
});
