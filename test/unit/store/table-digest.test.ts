/** The digest of a database: equal for replicas that hold the same, another one for anything that differs. */
import { describe, expect, test } from "vitest";
import { applyFrame } from "../../../src/store/apply.ts";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import type { EmbeddedStore } from "../../../src/store/embedded-store.ts";
import { tableDigest } from "../../../src/store/table-digest.ts";
import { Harness } from "./harness.ts";
import { recordFrame } from "./record-frame.ts";
import { START_MS } from "./store-under-test.ts";

const replica = (): Harness => new Harness({ tombstones: true });

/** Gives `to` what `from` knows of keys of database 0. */
function copy(from: EmbeddedStore, to: EmbeddedStore, ...keys: string[]): void {
  for (const key of keys) {
    expect(applyFrame(to, recordFrame(from, 0, fromLatin1(key))!)).toMatch(/applied|merged/);
  }
}

function digestOf({ store }: Harness, database = 0): bigint {
  return tableDigest(store, database);
}

describe("the digest of a database", () => {
  test("is 0 for an empty one, and for one that holds only tombstones", () => {
    const one = replica();
    expect(digestOf(one)).toBe(0n);
    one.run("SET", "a", "1");
    expect(digestOf(one)).not.toBe(0n);
    expect(digestOf(one, 1)).toBe(0n);
    one.run("DEL", "a");
    expect(digestOf(one)).toBe(0n);
  });

  test("is that of every replica, in whatever order things came", () => {
    const [one, other] = [replica(), replica()];
    one.run("SET", "a", "1");
    one.run("SET", "b", "2", "PX", "5000");
    one.run("HSET", "h", "f", "v", "g", "w");
    one.run("HDEL", "h", "g");
    copy(one.store, other.store, "h", "b", "a");
    expect(digestOf(other)).toBe(digestOf(one));
  });

  test.each([
    ["another value", ["SET", "a", "2"]],
    ["the same value of another write", ["SET", "a", "1"]],
    ["an expiry", ["PEXPIREAT", "a", String(START_MS + 1000)]],
    ["one more key", ["SET", "b", "1"]],
    ["one key less", ["DEL", "a"]],
    ["another field of a hash", ["HSET", "h", "g", "v"]],
    ["another value of a field", ["HSET", "h", "f", "w"]],
  ])("differs for %s", (_, command) => {
    const [one, other] = [replica(), replica()];
    one.run("SET", "a", "1");
    one.run("HSET", "h", "f", "v");
    copy(one.store, other.store, "a", "h");
    expect(digestOf(other)).toBe(digestOf(one));
    other.run(...(command as [string, ...string[]]));
    expect(digestOf(other)).not.toBe(digestOf(one));
  });

  test("does not count what has expired", () => {
    const one = replica();
    one.run("SET", "a", "1", "PX", "100");
    one.run("HSET", "h", "f", "v");
    one.run("PEXPIRE", "h", "100");
    expect(digestOf(one)).not.toBe(0n);
    one.store.setNow(START_MS + 100);
    expect(digestOf(one)).toBe(0n);
  });

  test("is the sum of those of its parts", () => {
    const [one, other, both] = [replica(), replica(), replica()];
    one.run("SET", "a", "1");
    one.run("HSET", "h", "f", "v");
    other.run("SET", "b", "2");
    copy(one.store, both.store, "a", "h");
    copy(other.store, both.store, "b");
    expect(digestOf(both)).toBe(BigInt.asUintN(64, digestOf(one) + digestOf(other)));
  });
});
