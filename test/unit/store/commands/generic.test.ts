/** The generic family, and FLUSHALL and its kin: every command run by the kernel, where it knows it, and by the host. */
import { beforeEach, describe, expect, test } from "vitest";
import { commands } from "../../../../src/store/commands/commands.ts";
import { Harness } from "../harness.ts";
import { RandomSource } from "../random-source.ts";
import { START_MS } from "../store-under-test.ts";

const SYNTAX = { error: "ERR syntax error" };
const NOT_AN_INTEGER = { error: "ERR value is not an integer or out of range" };
const NO_SUCH_KEY = { error: "ERR no such key" };

describe.each(["kernel", "host"] as const)("run by the %s", (runBy) => {
  let db: Harness;
  const run: Harness["run"] = (...words) => db.run(...words);

  const stampOf = (key: string): bigint => db.database.stamp(db.find(key));

  beforeEach(() => {
    db = new Harness({ runBy });
    db.setHash("hash");
    run("set", "string", "value");
  });

  test("DEL and UNLINK remove keys of any type, and count those that were there", () => {
    run("set", "k", "v");
    expect(run("del", "string", "missing", "hash", "string")).toBe(2);
    expect(run("unlink", "k")).toBe(1);
    expect(run("dbsize")).toBe(0);
    expect(db.store.objects.count).toBe(0);
  });

  test("EXISTS and TOUCH count a key each time it is named", () => {
    expect(run("exists", "string", "hash", "missing", "string")).toBe(3);
    expect(run("touch", "string", "hash", "missing", "string")).toBe(3);
  });

  test("TOUCH is an access, and EXISTS, TYPE, TTL and OBJECT are none", () => {
    db.store.setNow(START_MS + 10_000);
    run("exists", "string");
    run("type", "string");
    run("ttl", "string");
    run("object", "encoding", "string");
    expect(run("object", "idletime", "string")).toBe(10);
    run("touch", "string");
    expect(run("object", "idletime", "string")).toBe(0);
  });

  test("TYPE tells the type", () => {
    expect([run("type", "string"), run("type", "hash"), run("type", "missing")]).toEqual([
      "string",
      "hash",
      "none",
    ]);
  });

  describe("the EXPIRE family", () => {
    test.each([
      ["expire", 10, 10_000],
      ["pexpire", 10_500, 10_500],
      ["expireat", START_MS / 1000 + 10, 10_000],
      ["pexpireat", START_MS + 10_500, 10_500],
    ])("%s sets when a key expires", (name, time, after) => {
      for (const key of ["string", "hash"]) {
        const before = stampOf(key);
        expect(run(name, key, time)).toBe(1);
        expect(stampOf(key)).toBeGreaterThan(before);
        expect(run("pttl", key)).toBe(after);
        expect(run("ttl", key)).toBe(Math.floor((after + 500) / 1000));
        expect(run("pexpiretime", key)).toBe(START_MS + after);
        expect(run("expiretime", key)).toBe(Math.floor((START_MS + after + 500) / 1000));
      }
      expect(run(name, "missing", time)).toBe(0);
      db.store.setNow(START_MS + after);
      expect([run("exists", "string", "hash"), run("ttl", "string")]).toEqual([0, -2]);
    });

    test.each(["expire", "pexpire", "expireat", "pexpireat"])(
      "%s with a time that has passed removes the key",
      (name) => {
        for (const time of [0, -1, "-9223372036854775"]) {
          run("set", "k", "v");
          expect(run(name, "k", time)).toBe(1);
          expect(run("exists", "k")).toBe(0);
        }
      },
    );

    test.each([
      ["expire", ["9223372036854776", "-9223372036854776", "9223372036854775"]],
      ["pexpire", ["9223372036854775807"]],
      ["expireat", ["9223372036854776", "-9223372036854776"]],
    ] as const)("%s refuses what does not fit into 64 bits of milliseconds", (name, times) => {
      for (const time of times) {
        expect(run(name, "string", time)).toEqual({
          error: `ERR invalid expire time in '${name}' command`,
        });
      }
      expect(run(name, "string", "ten")).toEqual(NOT_AN_INTEGER);
      expect(run("ttl", "string")).toBe(-1);
    });

    test("holds the latest time that fits for one that is later", () => {
      expect(run("pexpireat", "string", "9223372036854775807")).toBe(1);
      expect(run("pexpiretime", "string")).toBe(2 ** 48 - 1);
    });

    test("with NX only where there is no expiry, with XX only where there is one", () => {
      expect(run("expire", "string", 10, "xx")).toBe(0);
      expect(run("expire", "string", 10, "NX")).toBe(1);
      expect(run("expire", "string", 20, "nx")).toBe(0);
      expect(run("expire", "string", 20, "XX")).toBe(1);
      expect(run("ttl", "string")).toBe(20);
    });

    test("with GT only later, with LT only sooner, never being the latest of all", () => {
      expect(run("expire", "string", 10, "gt")).toBe(0);
      expect(run("expire", "string", 10, "lt")).toBe(1);
      expect(run("expire", "string", 10, "lt")).toBe(0);
      expect(run("expire", "string", 10, "gt")).toBe(0);
      expect(run("expire", "string", 11, "gt")).toBe(1);
      expect(run("expire", "string", 9, "lt", "xx")).toBe(1);
      expect(run("ttl", "string")).toBe(9);
    });

    test("refuses options that do not go together, and unknown ones", () => {
      const together = "options at the same time are not compatible";
      expect(run("expire", "string", 10, "nx", "gt")).toEqual({
        error: `ERR NX and XX, GT or LT ${together}`,
      });
      expect(run("expire", "string", 10, "gt", "lt")).toEqual({
        error: `ERR GT and LT ${together}`,
      });
      expect(run("expire", "string", 10, "ge")).toEqual({ error: "ERR Unsupported option ge" });
    });

    test("PERSIST takes the expiry away", () => {
      expect(run("persist", "string")).toBe(0);
      run("expire", "string", 10);
      expect(run("persist", "string")).toBe(1);
      expect([run("ttl", "string"), run("persist", "missing")]).toEqual([-1, 0]);
    });
  });

  describe("RENAME and RENAMENX", () => {
    test("move a string with its expiry and its encoding", () => {
      run("append", "string", "s");
      run("expire", "string", 10);
      const before = stampOf("string");
      expect(run("rename", "string", "other")).toBe("OK");
      expect([run("get", "other"), run("ttl", "other"), run("exists", "string")]).toEqual([
        "values",
        10,
        0,
      ]);
      expect(run("object", "encoding", "other")).toBe("raw");
      expect(stampOf("other")).toBeGreaterThan(before);
    });

    test("move a hash itself, and let go of what was there", () => {
      const hash = db.database.object(db.find("hash"));
      run("hset", "other", "a", "b");
      expect(db.store.objects.count).toBe(2);
      expect(run("rename", "hash", "other")).toBe("OK");
      expect(db.database.object(db.find("other"))).toBe(hash);
      expect(db.store.objects.count).toBe(1);
      run("hset", "other", "field", "new");
      expect(run("hgetall", "other")).toEqual(["field", "new"]);
      expect(run("rename", "other", "string")).toBe("OK");
      expect(run("type", "string")).toBe("hash");
      run("del", "string");
      expect([db.store.objects.count, db.store.figure("liveBytes")]).toEqual([0, 0]);
    });

    test("count the bytes of a hash once", () => {
      run("del", "string");
      const before = db.store.figure("usedBytes");
      run("rename", "hash", "hsah");
      expect(db.store.figure("usedBytes")).toBe(before);
    });

    test("leave a key alone that is renamed to itself", () => {
      expect(run("rename", "hash", "hash")).toBe("OK");
      expect(run("renamenx", "hash", "hash")).toBe(0);
      expect(run("hget", "hash", "field")).toBe("value");
    });

    test("RENAMENX keeps what is there", () => {
      expect(run("renamenx", "string", "hash")).toBe(0);
      expect(run("renamenx", "string", "free")).toBe(1);
      expect(run("get", "free")).toBe("value");
    });

    test("refuse a key that is missing, even to itself", () => {
      expect(run("rename", "missing", "k")).toEqual(NO_SUCH_KEY);
      expect(run("renamenx", "missing", "missing")).toEqual(NO_SUCH_KEY);
    });

    test("work for every length, among many keys", () => {
      for (let i = 0; i < 7000; i++) run("set", `key:${i}`, "x".repeat(i % 300));
      for (let i = 0; i < 7000; i++) run("rename", `key:${i}`, `${"y".repeat(i % 50)}:${i}`);
      for (let i = 0; i < 7000; i++) {
        expect(run("get", `${"y".repeat(i % 50)}:${i}`)).toBe("x".repeat(i % 300));
      }
      expect(run("dbsize")).toBe(7002);
    });
  });

  describe("COPY", () => {
    test("copies a string with its expiry and its encoding", () => {
      run("append", "string", "s");
      run("expire", "string", 10);
      expect(run("copy", "string", "other")).toBe(1);
      run("append", "string", "!");
      expect([run("get", "other"), run("ttl", "other")]).toEqual(["values", 10]);
      expect(run("object", "encoding", "other")).toBe("raw");
    });

    test("copies a hash deeply", () => {
      run("expire", "hash", 10);
      expect(run("copy", "hash", "other")).toBe(1);
      run("hset", "hash", "field", "new");
      expect([run("hget", "other", "field"), run("ttl", "other")]).toEqual(["value", 10]);
      expect(db.store.objects.count).toBe(2);
    });

    test("overwrites only with REPLACE", () => {
      expect(run("copy", "string", "hash")).toBe(0);
      expect(run("copy", "string", "hash", "replace")).toBe(1);
      expect([run("get", "hash"), db.store.objects.count]).toEqual(["value", 0]);
      expect(run("copy", "missing", "k")).toBe(0);
    });

    test("reaches another database", () => {
      expect(run("copy", "string", "string", "db", 3)).toBe(1);
      expect(run("copy", "string", "string", "DB", 3)).toBe(0);
      expect(run("copy", "hash", "hash", "db", 15, "REPLACE")).toBe(1);
      expect(db.store.databases.map((database) => database.size)).toEqual(
        db.store.databases.map((_, index) =>
          index === 0 ? 2 : index === 3 || index === 15 ? 1 : 0,
        ),
      );
    });

    test("refuses a key onto itself, a bad database and unknown options", () => {
      const same = { error: "ERR source and destination objects are the same" };
      expect(run("copy", "string", "string")).toEqual(same);
      expect(run("copy", "string", "string", "db", 0)).toEqual(same);
      for (const index of [16, -1]) {
        expect(run("copy", "string", "k", "db", index)).toEqual({
          error: "ERR DB index is out of range",
        });
      }
      expect(run("copy", "string", "k", "db", "one")).toEqual(NOT_AN_INTEGER);
      expect(run("copy", "string", "k", "db")).toEqual(SYNTAX);
      expect(run("copy", "string", "k", "over")).toEqual(SYNTAX);
    });

    test("is refused where there is no room, and changes nothing", () => {
      run("set", "long", "x".repeat(1_000_000));
      db.store.setMaxMemory(db.store.figure("usedBytes") + 500_000, "noeviction");
      expect(run("copy", "long", "other")).toMatchObject({ error: expect.stringMatching(/^OOM /) });
      expect(run("exists", "other")).toBe(0);
    });
  });

  describe("KEYS, SCAN and RANDOMKEY", () => {
    test("KEYS tells the keys that fit", () => {
      run("mset", "abc", 1, "abd", 2, "\xff[\0", 3);
      expect(sorted(run("keys", "ab?"))).toEqual(["abc", "abd"]);
      expect(sorted(run("keys", "*"))).toEqual(["abc", "abd", "hash", "string", "\xff[\0"]);
      expect(run("keys", "\xff\\[*")).toEqual(["\xff[\0"]);
      expect(run("keys", "nothing")).toEqual([]);
    });

    test("SCAN tells every key that is there all the time, exactly once", () => {
      const random = new RandomSource(30);
      for (let i = 0; i < 10_000; i++) run("set", `steady:${i}`, i);
      const told = new Map<string, number>();
      let cursor = "0";
      let calls = 0;
      do {
        const [next, keys] = run("scan", cursor, "count", 20 + random.below(100)) as [
          string,
          string[],
        ];
        for (const key of keys) told.set(key, (told.get(key) ?? 0) + 1);
        cursor = next;
        calls++;
        for (let i = 0; i < 100; i++) run("set", `fleeting:${random.below(10_000)}`, i);
        for (let i = 0; i < 60; i++) run("del", `fleeting:${random.below(10_000)}`);
      } while (cursor !== "0");
      expect(calls).toBeGreaterThan(50);
      for (let i = 0; i < 10_000; i++) expect(told.get(`steady:${i}`)).toBe(1);
    });

    test("SCAN keeps to COUNT, and filters by MATCH and TYPE", () => {
      for (let i = 0; i < 1000; i++) run("set", `key:${i}`, i);
      const [, keys] = run("scan", "0", "count", 100) as [string, string[]];
      expect(keys.length).toBeGreaterThanOrEqual(100);
      expect(keys.length).toBeLessThan(150);
      expect(sorted(scanAll("match", "key:99?"))).toEqual(
        Array.from({ length: 10 }, (_, i) => `key:99${i}`),
      );
      expect(scanAll("type", "HASH")).toEqual(["hash"]);
      expect(scanAll("type", "zset")).toEqual([]);
      expect(scanAll("type", "string", "match", "s*")).toEqual(["string"]);
    });

    test("SCAN tells a small database at once", () => {
      const [cursor, keys] = run("scan", 0) as [string, string[]];
      expect([cursor, sorted(keys)]).toEqual(["0", ["hash", "string"]]);
    });

    test("SCAN ends soon where nearly everything was removed", () => {
      for (let i = 0; i < 40_000; i++) run("set", `key:${i}`, i);
      for (let i = 0; i < 40_000; i++) run("del", `key:${i}`);
      expect(sorted(scanAll())).toEqual(["hash", "string"]);
    });

    test("SCAN refuses a cursor that is no number, and bad options", () => {
      for (const cursor of ["one", "1x", " 1", "18446744073709551616", "1.0", "+"]) {
        expect(run("scan", cursor)).toEqual({ error: "ERR invalid cursor" });
      }
      expect(run("scan", 0, "count", 0)).toEqual(SYNTAX);
      expect(run("scan", 0, "count", "x")).toEqual(NOT_AN_INTEGER);
      expect(run("scan", 0, "count")).toEqual(SYNTAX);
      expect(run("scan", 0, "mach", "x")).toEqual(SYNTAX);
      expect(run("scan", "18446744073709551615")).toHaveLength(2);
    });

    test("RANDOMKEY tells any key", () => {
      const told = new Set(Array.from({ length: 200 }, () => run("randomkey")));
      expect([...told].sort()).toEqual(["hash", "string"]);
      run("flushall");
      expect(run("randomkey")).toBe(null);
    });

    function scanAll(...options: readonly (string | number)[]): string[] {
      const told: string[] = [];
      let cursor = "0";
      do {
        const [next, keys] = run("scan", cursor, ...options) as [string, string[]];
        told.push(...keys);
        cursor = next;
      } while (cursor !== "0");
      return told;
    }
  });

  test("DBSIZE counts, FLUSHDB empties one database and FLUSHALL all", () => {
    run("copy", "string", "string", "db", 1);
    expect(run("dbsize")).toBe(2);
    expect(run("flushdb", "async")).toBe("OK");
    expect([run("dbsize"), db.store.databases[1]!.size]).toEqual([0, 1]);
    expect(run("flushall", "SYNC")).toBe("OK");
    expect([db.store.databases[1]!.size, db.store.objects.count]).toEqual([0, 0]);
    for (const name of ["flushdb", "flushall"]) {
      expect(run(name, "later")).toEqual(SYNTAX);
      expect(run(name, "sync", "sync")).toEqual(SYNTAX);
    }
  });

  describe("OBJECT and MEMORY", () => {
    test("OBJECT ENCODING goes by value and history", () => {
      const encodingOf = (value: string) => {
        run("set", "k", value);
        return run("object", "encoding", "k");
      };
      expect(["12", "-9223372036854775808", "012", "x".repeat(44)].map(encodingOf)).toEqual([
        "int",
        "int",
        "embstr",
        "embstr",
      ]);
      expect(encodingOf("x".repeat(45))).toBe("raw");
      run("set", "k", "1");
      run("append", "k", "2");
      expect(run("object", "encoding", "k")).toBe("raw");
      expect(run("object", "encoding", "hash")).toBe("listpack");
    });

    test("OBJECT refuses what is not known, and tells nothing of a missing key", () => {
      for (const name of ["encoding", "freq", "idletime", "refcount"]) {
        expect(run("object", name, "missing")).toBe(null);
        expect(run("object", name)).toEqual({
          error: `ERR wrong number of arguments for 'object|${name}' command`,
        });
      }
      expect(run("object", "refcount", "hash")).toBe(1);
      expect(run("object", "freq", "hash")).toMatchObject({
        error: expect.stringContaining("An LFU maxmemory policy is not selected"),
      });
      expect(run("object", "size", "hash")).toEqual({
        error: "ERR unknown subcommand 'size'. Try OBJECT HELP.",
      });
      expect(run("object")).toEqual({
        error: "ERR wrong number of arguments for 'object' command",
      });
    });

    test("MEMORY USAGE grows with the value", () => {
      const before = run("memory", "usage", "hash", "samples", 0) as number;
      run("hset", "hash", "long", "x".repeat(10_000));
      expect(run("memory", "usage", "hash")).toBeGreaterThan(before + 10_000);
      run("set", "k", "x".repeat(10_000));
      expect(run("memory", "usage", "k")).toBeGreaterThan(10_000);
      expect(run("memory", "usage", "missing")).toBe(null);
      expect(run("memory", "usage", "k", "samples", -1)).toEqual(SYNTAX);
      expect(run("memory", "usage", "k", "samples")).toEqual(SYNTAX);
      expect(run("memory", "usage", "k", "samples", "x")).toEqual(NOT_AN_INTEGER);
    });

    test("MEMORY STATS tells numbers", () => {
      const stats = run("memory", "stats") as unknown[];
      expect(stats.slice(stats.indexOf("keys.count")).slice(0, 2)).toEqual(["keys.count", 2]);
      for (let i = 1; i < stats.length; i += 2) expect(stats[i]).toBeGreaterThanOrEqual(0);
    });

    test.each(["object", "memory"])("%s HELP tells about every subcommand", (name) => {
      const lines = run(name, "help") as string[];
      const { subcommands } = commands.find((command) => command.name === name)!;
      for (const subcommand of subcommands!) {
        const usage = subcommand.name.toUpperCase();
        expect(lines.some((line) => line === usage || line.startsWith(`${usage} `))).toBe(true);
      }
    });
  });
});

function sorted(keys: unknown): string[] {
  return [...(keys as string[])].sort();
}
