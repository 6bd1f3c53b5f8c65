/** The hash family, in both protocols. */
import { beforeEach, describe, expect, test } from "vitest";
import { MAX_FIELDS } from "../../../../src/store/objects/hash.ts";
import { Harness } from "../harness.ts";
import { RandomSource } from "../random-source.ts";
import { START_MS } from "../store-under-test.ts";

const WRONG_TYPE = { error: "WRONGTYPE Operation against a key holding the wrong kind of value" };
const NOT_AN_INTEGER = { error: "ERR value is not an integer or out of range" };
const NOT_A_FLOAT = { error: "ERR value is not a valid float" };
const SYNTAX = { error: "ERR syntax error" };
const OVERFLOW = { error: "ERR increment or decrement would overflow" };
const OUT_OF_RANGE = { error: "ERR value is out of range" };

describe.each([2, 3] as const)("in protocol %i", (protocol) => {
  let db: Harness;
  const run: Harness["run"] = (...words) => db.run(...words);

  beforeEach(() => {
    db = new Harness({ protocol });
    run("set", "string", "value");
  });

  test("HSET sets fields and counts new ones, HGET tells them, with any bytes", () => {
    expect(run("hset", "h", "a", "1", "b", "\0\r\n\xff", "a", "2")).toBe(2);
    expect(run("hset", "h", "\xff\0", "", "b", "3")).toBe(1);
    expect(["a", "b", "\xff\0", "c"].map((field) => run("hget", "h", field))).toEqual([
      "2",
      "3",
      "",
      null,
    ]);
    expect(run("hget", "missing", "a")).toBe(null);
  });

  test("HSET and HMSET want a value for each field", () => {
    for (const name of ["hset", "hmset"]) {
      expect(run(name, "h", "a", "1", "b")).toEqual({
        error: `ERR wrong number of arguments for '${name}' command`,
      });
    }
    expect(run("exists", "h")).toBe(0);
    expect(run("hmset", "h", "a", "1", "b", "2")).toBe("OK");
    expect(run("hlen", "h")).toBe(2);
  });

  test("values of every length come back", () => {
    for (const length of [0, 1, 63, 64, 65, 511, 512, 513, 8191, 8192, 8193, 300_000]) {
      const value = "\xe9".repeat(length);
      run("hset", "h", "f", value);
      if (run("hget", "h", "f") !== value) expect.fail(`${length} bytes`);
      expect(run("hstrlen", "h", "f")).toBe(length);
      expect(run("hvals", "h")).toEqual([value]);
    }
  });

  test("HSETNX sets a field only once", () => {
    expect([run("hsetnx", "h", "a", "1"), run("hsetnx", "h", "a", "2")]).toEqual([1, 0]);
    expect(run("hget", "h", "a")).toBe("1");
  });

  test("HMGET tells values in the order asked for, null for what is missing", () => {
    run("hset", "h", "a", "1", "b", "2");
    expect(run("hmget", "h", "b", "x", "a", "b")).toEqual(["2", null, "1", "2"]);
    expect(run("hmget", "missing", "a", "b")).toEqual([null, null]);
  });

  test("HGETALL, HKEYS, HVALS, HLEN, HEXISTS and HSTRLEN", () => {
    run("hset", "h", "a", "1", "b", "22");
    expect(run("hgetall", "h")).toEqual(["a", "1", "b", "22"]);
    expect(run("hkeys", "h")).toEqual(["a", "b"]);
    expect(run("hvals", "h")).toEqual(["1", "22"]);
    expect([run("hlen", "h"), run("hlen", "missing")]).toEqual([2, 0]);
    expect([run("hexists", "h", "a"), run("hexists", "h", "x")]).toEqual([1, 0]);
    expect([run("hstrlen", "h", "b"), run("hstrlen", "h", "x")]).toEqual([2, 0]);
    for (const name of ["hgetall", "hkeys", "hvals"]) expect(run(name, "missing")).toEqual([]);
  });

  test("HGETALL is a map in protocol 3", () => {
    run("hset", "h", "a", "1");
    expect(db.raw("hgetall", "h")).toBe(
      `${protocol === 3 ? "%1" : "*2"}\r\n$1\r\na\r\n$1\r\n1\r\n`,
    );
    expect(db.raw("hgetall", "missing")).toBe(protocol === 3 ? "%0\r\n" : "*0\r\n");
  });

  test("HDEL removes fields, and the key with the last one", () => {
    run("hset", "h", "a", "1", "b", "2");
    expect(run("hdel", "h", "a", "x", "a")).toBe(1);
    expect(run("hdel", "missing", "a")).toBe(0);
    expect(run("exists", "h")).toBe(1);
    expect(run("hdel", "h", "b")).toBe(1);
    expect([run("exists", "h"), db.store.objects.count]).toEqual([0, 0]);
  });

  test("HINCRBY adds, and refuses what is no integer or too large", () => {
    expect(run("hincrby", "h", "n", 5)).toBe(5);
    expect(run("hincrby", "h", "n", "-15")).toBe(-10);
    run("hset", "h", "max", "9223372036854775807", "text", "one", "long", "1".repeat(600));
    expect(run("hincrby", "h", "max", 1)).toEqual(OVERFLOW);
    expect(run("hincrby", "h", "max", "-9223372036854775808")).toBe(-1);
    for (const field of ["text", "long"]) {
      expect(run("hincrby", "h", field, 1)).toEqual({ error: "ERR hash value is not an integer" });
    }
    expect(run("hincrby", "h", "n", "one")).toEqual(NOT_AN_INTEGER);
    expect(run("hget", "h", "n")).toBe("-10");
  });

  test("HINCRBYFLOAT adds as Redis does, with 80 bits", () => {
    expect(run("hincrbyfloat", "h", "n", "0.1")).toBe("0.1");
    expect(run("hincrbyfloat", "h", "n", "0.2")).toBe("0.3");
    expect(run("hincrbyfloat", "h", "n", "5.0e3")).toBe("5000.29999999999999982");
    expect(run("hget", "h", "n")).toBe("5000.29999999999999982");
    run("hset", "h", "text", "one", "big", "1e4932");
    expect(run("hincrbyfloat", "h", "text", 1)).toEqual({ error: "ERR hash value is not a float" });
    expect(run("hincrbyfloat", "h", "n", "one")).toEqual(NOT_A_FLOAT);
    expect(run("hincrbyfloat", "h", "n", "inf")).toEqual({ error: "ERR value is NaN or Infinity" });
    expect(run("hincrbyfloat", "h", "big", "1e4932")).toEqual({
      error: "ERR increment would produce NaN or Infinity",
    });
  });

  test("a failed change makes no key and no stamp", () => {
    run("hset", "h", "text", "one");
    const stamp = db.database.stamp(db.find("h"));
    run("hincrby", "h", "text", 1);
    run("hincrby", "h2", "f", "one");
    run("hsetnx", "h", "text", "two");
    run("hdel", "h", "missing");
    run("hget", "h", "text");
    expect(db.database.stamp(db.find("h"))).toBe(stamp);
    expect(run("exists", "h2")).toBe(0);
    run("hset", "h", "text", "one");
    expect(db.database.stamp(db.find("h"))).toBeGreaterThan(stamp);
  });

  test("a hash that can take no more fields refuses them, and changes nothing", () => {
    run("hset", "h", "a", "1");
    Object.defineProperty(db.database.object(db.find("h")), "size", { value: MAX_FIELDS - 2 });
    for (const command of [
      ["hset", "h", "b", "2", "a", "2"],
      ["hmset", "h", "b", "2", "a", "2"],
    ]) {
      expect(run(...command)).toMatchObject({ error: expect.stringContaining("at most") });
    }
    expect([run("hget", "h", "a"), run("hexists", "h", "b")]).toEqual(["1", 0]);
  });

  test("every command refuses another type", () => {
    const commands = [
      ...["hgetall", "hkeys", "hvals", "hlen", "hrandfield"].map((name) => [name]),
      ...["hget", "hexists", "hstrlen", "hdel", "hmget", "hscan", "hrandfield"].map((name) => [
        name,
        "1",
      ]),
      ...["hset", "hsetnx", "hmset", "hincrby", "hincrbyfloat"].map((name) => [name, "1", "1"]),
    ];
    for (const [name, ...rest] of commands) {
      expect(run(name!, "string", ...rest)).toEqual(WRONG_TYPE);
    }
    run("hset", "h", "a", "1");
    for (const name of ["get", "incr", "strlen", "append"]) {
      expect(run(name, "h", ...(name === "append" ? ["x"] : []))).toEqual(WRONG_TYPE);
    }
    expect(run("hget", "h", "a")).toBe("1");
  });

  test("a hash expires as a whole, keeps its expiry when it is changed, and loses it to SET", () => {
    run("hset", "h", "a", "1");
    run("expire", "h", 10);
    run("hset", "h", "b", "2");
    run("hdel", "h", "a");
    expect(run("ttl", "h")).toBe(10);
    run("set", "h", "text");
    expect([run("ttl", "h"), db.store.objects.count]).toEqual([-1, 0]);
    run("hset", "h2", "a", "1");
    run("expire", "h2", 10);
    db.store.setNow(START_MS + 10_000);
    expect([run("hlen", "h2"), run("hset", "h2", "b", "2"), run("hgetall", "h2")]).toEqual([
      0,
      1,
      ["b", "2"],
    ]);
  });

  test("the bytes of hashes count against maxmemory, and come back", () => {
    run("flushall");
    const empty = db.store.figure("usedBytes");
    for (let i = 0; i < 1000; i++) run("hset", `h:${i % 10}`, `f:${i}`, "x".repeat(1000));
    expect(db.store.figure("usedBytes")).toBeGreaterThan(empty + 1_000_000);
    db.store.setMaxMemory(1_000_000, "noeviction");
    expect(db.store.makeRoom(1)).toBe(false);
    for (let i = 0; i < 10; i++) run("del", `h:${i}`);
    expect(db.store.figure("usedBytes")).toBe(empty);
    expect(db.store.objects.count).toBe(0);
  });

  describe("HSCAN", () => {
    test("tells a small hash at once, filtered by MATCH", () => {
      run("hset", "h", "a1", "1", "b2", "2", "a3", "3");
      expect(run("hscan", "h", 0, "match", "a*", "count", 1)).toEqual([
        "0",
        expect.arrayContaining(["a1", "1", "a3", "3"]),
      ]);
      expect(run("hscan", "missing", 0)).toEqual(["0", []]);
    });

    test("tells every field that is there all the time, whatever comes and goes", () => {
      const random = new RandomSource(31);
      for (let i = 0; i < 3000; i++) run("hset", "h", `steady:${i}`, i);
      const told = new Map<string, string>();
      let cursor = "0";
      let calls = 0;
      do {
        const [next, items] = run("hscan", "h", cursor, "count", 50) as [string, string[]];
        for (let i = 0; i < items.length; i += 2) told.set(items[i]!, items[i + 1]!);
        expect(items.length).toBe(next === "0" ? items.length : 100);
        cursor = next;
        calls++;
        for (let i = 0; i < 20; i++) run("hset", "h", `fleeting:${random.below(2000)}`, i);
        for (let i = 0; i < 20; i++) run("hdel", "h", `fleeting:${random.below(2000)}`);
      } while (cursor !== "0");
      expect(calls).toBeGreaterThan(50);
      for (let i = 0; i < 3000; i++) expect(told.get(`steady:${i}`)).toBe(`${i}`);
    });

    test("takes a cursor of nobody's, and refuses what is none", () => {
      for (let i = 0; i < 600; i++) run("hset", "h", `f:${i}`, i);
      for (const cursor of ["18446744073709551615", "601", "-1"]) {
        expect(run("hscan", "h", cursor)).toHaveLength(2);
      }
      expect(run("hscan", "h", "one")).toEqual({ error: "ERR invalid cursor" });
      expect(run("hscan", "missing", "one")).toEqual({ error: "ERR invalid cursor" });
      expect(run("hscan", "h", 0, "type", "string")).toEqual(SYNTAX);
      expect(run("hscan", "h", 0, "count", 0)).toEqual(SYNTAX);
      expect(run("hscan", "missing", 0, "count", 0)).toEqual(["0", []]);
    });
  });

  describe("HRANDFIELD", () => {
    test("tells one field, or nothing", () => {
      run("hset", "h", "a", "1", "b", "2");
      const told = new Set(Array.from({ length: 100 }, () => run("hrandfield", "h")));
      expect([...told].sort()).toEqual(["a", "b"]);
      expect(run("hrandfield", "missing")).toBe(null);
    });

    test("with a count tells different fields, at most all", () => {
      for (let i = 0; i < 100; i++) run("hset", "h", `f:${i}`, i);
      for (const count of [0, 1, 10, 33, 34, 60, 99, 100, 101, 100_000]) {
        const fields = run("hrandfield", "h", count) as string[];
        expect(fields.length).toBe(Math.min(count, 100));
        expect(new Set(fields).size).toBe(fields.length);
      }
      expect(run("hrandfield", "missing", 5)).toEqual([]);
    });

    test("with a negative count tells so many, over and over", () => {
      run("hset", "h", "a", "1", "b", "2");
      expect(run("hrandfield", "h", -50)).toHaveLength(50);
      expect(run("hrandfield", "missing", -50)).toEqual([]);
    });

    test("takes every field equally often", () => {
      for (let i = 0; i < 64; i++) run("hset", "h", `f:${i}`, i);
      for (let i = 0; i < 32; i++) run("hdel", "h", `f:${i}`);
      for (const count of [-32_000, 8, 20]) {
        const times = new Map<string, number>();
        for (let i = 0; i < (count < 0 ? 1 : 32_000 / count); i++) {
          for (const field of run("hrandfield", "h", count) as string[]) {
            times.set(field, (times.get(field) ?? 0) + 1);
          }
        }
        expect(times.size).toBe(32);
        // 1000 each, with a standard deviation of about 31.
        for (const each of times.values()) {
          expect(each).toBeGreaterThan(800);
          expect(each).toBeLessThan(1200);
        }
      }
    });

    test("WITHVALUES tells pairs, which protocol 3 keeps together", () => {
      run("hset", "h", "a", "1");
      const flat = "$1\r\na\r\n$1\r\n1\r\n";
      expect(db.raw("hrandfield", "h", 5, "WITHVALUES")).toBe(
        protocol === 3 ? `*1\r\n*2\r\n${flat}` : `*2\r\n${flat}`,
      );
      expect(db.raw("hrandfield", "missing", 5, "withvalues")).toBe("*0\r\n");
    });

    test("refuses bad counts and options", () => {
      run("hset", "h", "a", "1");
      expect(run("hrandfield", "h", "x")).toEqual(NOT_AN_INTEGER);
      expect(run("hrandfield", "h", 1, "values")).toEqual(SYNTAX);
      expect(run("hrandfield", "h", 1, "withvalues", "x")).toEqual(SYNTAX);
      expect(run("hrandfield", "h", "9223372036854775807", "withvalues")).toEqual(OUT_OF_RANGE);
      expect(run("hrandfield", "h", "-100000000")).toEqual(OUT_OF_RANGE);
      expect(run("hrandfield", "h", "-9223372036854775808")).toMatchObject({
        error: expect.stringContaining("value must between"),
      });
    });
  });
});
