/** The string family: every command run by the kernel, where it knows it, and by the host. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Harness } from "../harness.ts";
import { START_MS } from "../store-under-test.ts";

const WRONG_TYPE = { error: "WRONGTYPE Operation against a key holding the wrong kind of value" };
const NOT_AN_INTEGER = { error: "ERR value is not an integer or out of range" };
const NOT_A_FLOAT = { error: "ERR value is not a valid float" };
const SYNTAX = { error: "ERR syntax error" };
const TOO_LONG = { error: "ERR string exceeds maximum allowed size (proto-max-bulk-len)" };
const invalidExpiry = (name: string) => ({
  error: `ERR invalid expire time in '${name}' command`,
});
const wrongArity = (name: string) => ({
  error: `ERR wrong number of arguments for '${name}' command`,
});

const MIB = 1024 * 1024;

describe.each(["kernel", "host"] as const)("run by the %s", (runBy) => {
  let db: Harness;
  const run: Harness["run"] = (...words) => db.run(...words);

  /** When a key expires, in ms from the beginning of the test; 0: never. */
  function expiresIn(key: string): number {
    const expiry = db.database.expiry(db.find(key));
    return expiry === 0 ? 0 : expiry - START_MS;
  }

  beforeEach(() => {
    db = new Harness({ runBy, maxBulkBytes: MIB });
    db.setHash("hash");
  });

  test("GET and SET keep any bytes", () => {
    expect(run("get", "k")).toBe(null);
    for (const value of ["", "value", "\0\r\n\xff", "x".repeat(MIB)]) {
      expect(run("set", "k", value)).toBe("OK");
      expect(run("get", "k")).toBe(value);
    }
    expect(run("get", "hash")).toEqual(WRONG_TYPE);
    expect(run("get")).toEqual(wrongArity("get"));
  });

  test("SET overwrites any type and forgets the expiry", () => {
    expect(run("set", "hash", "v", "ex", 10)).toBe("OK");
    expect(expiresIn("hash")).toBe(10_000);
    expect(run("set", "hash", "w")).toBe("OK");
    expect([run("get", "hash"), expiresIn("hash")]).toEqual(["w", 0]);
  });

  test("SET NX and XX write where the key is missing, or is not", () => {
    expect(run("set", "k", "1", "xx")).toBe(null);
    expect(run("set", "k", "2", "nx")).toBe("OK");
    expect(run("set", "k", "3", "NX")).toBe(null);
    expect(run("set", "k", "4", "Xx")).toBe("OK");
    expect(run("get", "k")).toBe("4");
    expect(run("set", "k", "5", "nx", "xx")).toEqual(SYNTAX);
  });

  test("SET GET replies the value before, whether it writes or not", () => {
    expect(run("set", "k", "1", "get")).toBe(null);
    expect(run("set", "k", "2", "get")).toBe("1");
    expect(run("set", "k", "3", "get", "nx")).toBe("2");
    expect(run("set", "none", "3", "xx", "get")).toBe(null);
    expect([run("get", "k"), run("get", "none")]).toEqual(["2", null]);
    expect(run("set", "hash", "3", "get")).toEqual(WRONG_TYPE);
  });

  test("SET takes an expiry in four forms", () => {
    const at = START_MS + 90_000;
    const forms = [
      ["ex", 90],
      ["px", 90_000],
      ["exat", at / 1000],
      ["pxat", at],
    ] as const;
    for (const [word, time] of forms) {
      expect(run("set", "k", "v", word, time)).toBe("OK");
      expect(expiresIn("k")).toBe(90_000);
    }
    expect(run("set", "k", "w", "keepttl")).toBe("OK");
    expect(expiresIn("k")).toBe(90_000);
    db.store.setNow(at);
    expect(run("get", "k")).toBe(null);
  });

  test("SET with a time that has passed leaves nothing", () => {
    run("set", "k", "v");
    expect(run("set", "k", "w", "pxat", 1)).toBe("OK");
    expect(run("get", "k")).toBe(null);
  });

  test("SET takes one form of expiry, the last of its kind, and none with KEEPTTL", () => {
    expect(run("set", "k", "v", "ex", 10, "ex", 20)).toBe("OK");
    expect(expiresIn("k")).toBe(20_000);
    expect(run("set", "k", "v", "ex", 10, "px", 20)).toEqual(SYNTAX);
    expect(run("set", "k", "v", "keepttl", "ex", 10)).toEqual(SYNTAX);
    expect(run("set", "k", "v", "ex", 10, "keepttl")).toEqual(SYNTAX);
    expect(run("set", "k", "v", "ex")).toEqual(SYNTAX);
    expect(run("set", "k", "v", "persist")).toEqual(SYNTAX);
  });

  test("an expiry must be positive and within 64 bits of milliseconds", () => {
    for (const time of ["0", "-1", "9223372036854776", "9223372036854775807"]) {
      expect(run("set", "k", "v", "ex", time)).toEqual(invalidExpiry("set"));
      expect(run("SETEX", "k", time, "v")).toEqual(invalidExpiry("setex"));
    }
    expect(run("psetex", "k", "9223372036854775807", "v")).toEqual(invalidExpiry("psetex"));
    expect(run("psetex", "k", "1.5", "v")).toEqual(NOT_AN_INTEGER);
    expect(run("get", "k")).toBe(null);
  });

  test("an expiry later than an entry can hold is held as the latest", () => {
    expect(run("set", "k", "v", "pxat", "9223372036854775807")).toBe("OK");
    expect(expiresIn("k") + START_MS).toBe(2 ** 48 - 1);
  });

  test("SETEX and PSETEX set an expiry", () => {
    expect(run("setex", "k", 5, "v")).toBe("OK");
    expect([run("get", "k"), expiresIn("k")]).toEqual(["v", 5000]);
    expect(run("psetex", "k", 5, "w")).toBe("OK");
    expect([run("get", "k"), expiresIn("k")]).toEqual(["w", 5]);
  });

  test("SETNX writes only where the key is missing", () => {
    expect([run("setnx", "k", "1"), run("setnx", "k", "2"), run("get", "k")]).toEqual([1, 0, "1"]);
    expect(run("setnx", "hash", "1")).toBe(0);
  });

  test("GETSET replies the value before and forgets the expiry", () => {
    expect(run("getset", "k", "1")).toBe(null);
    run("set", "k", "1", "ex", 10);
    expect([run("getset", "k", "2"), run("get", "k"), expiresIn("k")]).toEqual(["1", "2", 0]);
    expect(run("getset", "hash", "2")).toEqual(WRONG_TYPE);
  });

  test("GETDEL replies the value and removes the key", () => {
    run("set", "k", "1");
    expect([run("getdel", "k"), run("getdel", "k"), run("get", "k")]).toEqual(["1", null, null]);
    expect(run("getdel", "hash")).toEqual(WRONG_TYPE);
    expect(db.find("hash")).not.toBe(0);
  });

  test("GETEX changes when the key expires", () => {
    expect(run("getex", "k", "ex", "0")).toBe(null);
    run("set", "k", "v");
    expect([run("getex", "k", "EX", 7), expiresIn("k")]).toEqual(["v", 7000]);
    expect([run("getex", "k"), expiresIn("k")]).toEqual(["v", 7000]);
    expect([run("getex", "k", "persist"), expiresIn("k")]).toEqual(["v", 0]);
    expect(run("getex", "k", "ex", "0")).toEqual(invalidExpiry("getex"));
    expect(run("getex", "k", "persist", "ex", 7)).toEqual(SYNTAX);
    expect(run("getex", "k", "nx")).toEqual(SYNTAX);
    expect(run("getex", "hash", "ex", "0")).toEqual(WRONG_TYPE);
    expect([run("getex", "k", "exat", 1), run("get", "k")]).toEqual(["v", null]);
  });

  test("MGET replies null for what is missing or no string", () => {
    run("mset", "a", "1", "b", "2");
    expect(run("mget", "a", "none", "hash", "b", "a")).toEqual(["1", null, null, "2", "1"]);
  });

  test("MSET writes all pairs, the last one of equal keys", () => {
    expect(run("mset", "a", "1", "hash", "2", "a", "3")).toBe("OK");
    expect(run("mget", "a", "hash")).toEqual(["3", "2"]);
    expect(run("mset", "a", "1", "b")).toEqual(wrongArity("mset"));
  });

  test("MSETNX writes all pairs or none", () => {
    expect(run("msetnx", "a", "1", "a", "2")).toBe(1);
    expect(run("msetnx", "b", "1", "hash", "2")).toBe(0);
    expect(run("mget", "a", "b")).toEqual(["2", null]);
    expect(run("msetnx", "a", "1", "b")).toEqual(wrongArity("msetnx"));
  });

  test("APPEND appends, keeps the expiry and replies the length", () => {
    expect(run("append", "k", "ab")).toBe(2);
    run("set", "k", "ab", "ex", 10);
    expect(run("append", "k", "c".repeat(1000))).toBe(1002);
    expect([run("get", "k"), expiresIn("k")]).toEqual([`ab${"c".repeat(1000)}`, 10_000]);
    expect(run("append", "k", "c".repeat(MIB - 1001))).toEqual(TOO_LONG);
    expect(run("append", "k", "c".repeat(MIB - 1002))).toBe(MIB);
    expect(run("append", "hash", "c")).toEqual(WRONG_TYPE);
  });

  test("STRLEN counts bytes", () => {
    run("set", "k", "\0\xff");
    expect([run("strlen", "k"), run("strlen", "none")]).toEqual([2, 0]);
    expect(run("strlen", "hash")).toEqual(WRONG_TYPE);
  });

  test("GETRANGE cuts at both ends; SUBSTR is the same", () => {
    run("set", "k", "This is a string");
    for (const name of ["getrange", "substr"]) {
      expect(run(name, "k", 0, 3)).toBe("This");
      expect(run(name, "k", -3, -1)).toBe("ing");
      expect(run(name, "k", 0, -1)).toBe("This is a string");
      expect(run(name, "k", 10, 100)).toBe("string");
      expect(run(name, "k", -100, 0)).toBe("T");
      expect(run(name, "k", 5, 4)).toBe("");
      expect(run(name, "k", -100, -101)).toBe("");
      expect(run(name, "k", "9223372036854775807", "-9223372036854775808")).toBe("");
      expect(run(name, "none", 0, -1)).toBe("");
      expect(run(name, "hash", 0, -1)).toEqual(WRONG_TYPE);
      expect(run(name, "hash", 0, "x")).toEqual(NOT_AN_INTEGER);
    }
  });

  test("SETRANGE overwrites and fills a gap with zeros", () => {
    expect(run("setrange", "k", 3, "")).toBe(0);
    expect(db.find("k")).toBe(0);
    expect(run("setrange", "k", 3, "ab")).toBe(5);
    run("set", "l", "Hello World", "ex", 10);
    expect([run("setrange", "l", 6, "Redis"), expiresIn("l")]).toEqual([11, 10_000]);
    expect(run("mget", "k", "l")).toEqual(["\0\0\0ab", "Hello Redis"]);
    expect(run("setrange", "l", 99, "")).toBe(11);
    expect(run("setrange", "l", -1, "x")).toEqual({ error: "ERR offset is out of range" });
    expect(run("setrange", "l", MIB, "x")).toEqual(TOO_LONG);
    expect(run("setrange", "l", "9223372036854775807", "x")).toEqual(TOO_LONG);
    expect(run("setrange", "l", MIB - 1, "x")).toBe(MIB);
    expect(run("setrange", "hash", 0, "x")).toEqual(WRONG_TYPE);
  });

  test("INCR and its kind count in 64 bits", () => {
    expect([run("incr", "n"), run("incrby", "n", 9), run("decr", "n")]).toEqual([1, 10, 9]);
    expect(run("decrby", "n", "-9223372036854775798")).toBe(9223372036854775807n);
    const overflow = { error: "ERR increment or decrement would overflow" };
    expect(run("incr", "n")).toEqual(overflow);
    expect(run("incrby", "n", -1)).toBe(9223372036854775806n);
    expect(run("decrby", "n", "-9223372036854775808")).toEqual({
      error: "ERR decrement would overflow",
    });
    run("set", "n", "-9223372036854775808");
    expect(run("decr", "n")).toEqual(overflow);
    expect(run("incrby", "n", "9223372036854775807")).toBe(-1);
  });

  test("INCR takes only what is an integer, and keeps the expiry", () => {
    for (const value of ["", " 1", "01", "1.0", "+1", "-0", "9223372036854775808", "ten"]) {
      run("set", "n", value);
      expect(run("incr", "n")).toEqual(NOT_AN_INTEGER);
      expect(run("incrby", "m", value)).toEqual(NOT_AN_INTEGER);
    }
    run("set", "n", "1", "ex", 10);
    expect([run("incr", "n"), expiresIn("n")]).toEqual([2, 10_000]);
    expect(run("incr", "hash")).toEqual(WRONG_TYPE);
  });

  test("INCRBYFLOAT adds as Redis does, and keeps the expiry", () => {
    run("set", "f", "10.50", "ex", 10);
    expect([run("incrbyfloat", "f", "0.1"), expiresIn("f")]).toEqual(["10.6", 10_000]);
    expect(run("incrbyfloat", "f", "-5")).toBe("5.6");
    expect(run("incrbyfloat", "none", "3.0e3")).toBe("3000");
    expect(run("incrbyfloat", "f", "1 ")).toEqual(NOT_A_FLOAT);
    expect(run("incrbyfloat", "f", "inf")).toEqual({
      error: "ERR increment would produce NaN or Infinity",
    });
    run("set", "f", "x".repeat(MIB));
    expect(run("incrbyfloat", "f", "1")).toEqual(NOT_A_FLOAT);
    expect(run("incrbyfloat", "hash", "1")).toEqual(WRONG_TYPE);
  });

  test("LCS finds the common subsequence, its length, or its places", () => {
    run("mset", "a", "ohmytext", "b", "mynewtext");
    expect(run("lcs", "a", "b")).toBe("mytext");
    expect(run("lcs", "a", "b", "LEN")).toBe(6);
    const text = [
      [4, 7],
      [5, 8],
    ];
    const my = [
      [2, 3],
      [0, 1],
    ];
    expect(run("lcs", "a", "b", "idx")).toEqual(["matches", [text, my], "len", 6]);
    expect(run("lcs", "a", "b", "idx", "minmatchlen", 3, "withmatchlen")).toEqual([
      "matches",
      [[...text, 4]],
      "len",
      6,
    ]);
    expect(run("lcs", "a", "b", "idx", "minmatchlen", 4)).toEqual(["matches", [text], "len", 6]);
    expect(run("lcs", "a", "none")).toBe("");
    // Which one of several, as redis-server has it.
    run("mset", "a", "abcab", "b", "bacba");
    expect(run("lcs", "a", "b")).toBe("bab");
    expect(run("lcs", "none", "none", "idx")).toEqual(["matches", [], "len", 0]);
  });

  test("LCS says what is wrong", () => {
    run("mset", "a", "x".repeat(600), "b", "x".repeat(600));
    expect(run("lcs", "a", "b", "len", "idx")).toEqual({
      error: "ERR If you want both the length and indexes, please just use IDX.",
    });
    expect(run("lcs", "a", "b", "minmatchlen")).toEqual(SYNTAX);
    expect(run("lcs", "a", "b", "minmatchlen", "x")).toEqual(NOT_AN_INTEGER);
    expect(run("lcs", "a", "hash", "what")).toEqual({
      error: "ERR The specified keys must contain string values",
    });
    expect(run("lcs", "a", "b", "len")).toEqual({
      error: "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
    });
  });

  test("values larger than the kernel's output reply in full", () => {
    const [large, other] = ["a", "b"].map((letter) => letter.repeat(300_000)) as [string, string];
    run("mset", "k", large, "l", other);
    expect(run("mget", "k", "none", "l")).toEqual([large, null, other]);
    expect(run("set", "k", other, "get")).toBe(large);
    expect(run("getset", "k", large)).toBe(other);
    expect(run("set", "k", other, "get", "nx", "keepttl")).toBe(large);
    expect(run("get", "k")).toBe(large);
    expect(run("getdel", "k")).toBe(large);
    expect(run("get", "k")).toBe(null);
  });

  test("a write at the memory limit is refused and changes nothing", () => {
    run("set", "k", "v");
    db.store.setMaxMemory(db.store.figure("usedBytes") + 100_000, "noeviction");
    const refused = { error: "OOM command not allowed when used memory > 'maxmemory'." };
    expect(run("mset", "k", "w", "l", "x".repeat(200_000))).toEqual(refused);
    expect(run("mget", "k", "l")).toEqual(["v", null]);
  });
});

test("the kernel's APPEND begins anew where it evicts the very key", () => {
  const db = new Harness();
  db.run("set", "k", "a".repeat(150_000));
  db.store.setMaxMemory(db.store.figure("usedBytes") + 600_000, "allkeys-random");
  expect(db.run("append", "k", "b".repeat(200_000))).toBe(200_000);
  expect(db.run("get", "k")).toBe("b".repeat(200_000));
});

test("the kernel's APPEND needs no room where the value has some behind it", () => {
  const db = new Harness();
  db.run("set", "k", "a".repeat(100_000));
  db.run("append", "k", "a".repeat(100));
  db.store.setMaxMemory(db.store.figure("usedBytes") + 1000, "noeviction");
  expect(db.run("append", "k", "a".repeat(50_000))).toBe(150_100);
});

test("a longest common subsequence is one, and none is longer", () => {
  const db = new Harness();
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 9 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      db.run("mset", "a", a, "b", b);
      const found = db.run("lcs", "a", "b") as string;
      const both = subsequences(a).filter((part) => isSubsequence(part, b));
      expect(both).toContain(found);
      expect(found.length).toBe(Math.max(...both.map((part) => part.length)));
      expect(db.run("lcs", "a", "b", "len")).toBe(found.length);
    }),
  );
});

function subsequences(text: string): string[] {
  let all = [""];
  for (const letter of text) all = all.concat(all.map((part) => part + letter));
  return all;
}

function isSubsequence(part: string, text: string): boolean {
  let at = 0;
  for (const letter of text) if (letter === part[at]) at++;
  return at === part.length;
}
