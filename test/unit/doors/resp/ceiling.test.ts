// At the ceiling of the kernel's memory: an evicting policy makes room for what needs pages in a row, large commands and large
// values; without one, what does not fit is refused and nothing else changes.
import { describe, expect, it } from "vitest";
import { RandomSource } from "../../store/random-source.ts";
import { TestNode } from "./node-under-test.ts";

const CEILING_BYTES = 48 * 1024 * 1024;

describe("at the ceiling", () => {
  it("allkeys-lru makes room for values of any size", () => {
    const node = new TestNode({ ceilingBytes: CEILING_BYTES, maxMemoryPolicy: "allkeys-lru" });
    const client = node.connect();
    const random = new RandomSource(11);
    let written = 0;
    for (let i = 0; i < 4000; i++) {
      const size = random.pick([3, 200, 5000, 70_000, 300_000, 700_000]);
      expect(client.raw("SET", `key:${random.below(100_000)}`, "x".repeat(size))).toBe("+OK\r\n");
      written += size;
    }
    expect(written).toBeGreaterThan(4 * CEILING_BYTES);
    expect(node.served.node.store.figure("evicted")).toBeGreaterThan(1000);
    expect(node.served.node.store.memory.bytes.length).toBeLessThanOrEqual(
      CEILING_BYTES + 2 * 1024 * 1024,
    );
  });

  it("noeviction refuses what does not fit, and goes on with what does", () => {
    const node = new TestNode({ ceilingBytes: CEILING_BYTES });
    const client = node.connect();
    let kept = 0;
    while (client.raw("SET", `key:${kept}`, "x".repeat(200_000)) === "+OK\r\n") kept++;
    expect(kept * 200_000).toBeGreaterThan(CEILING_BYTES / 2);
    expect(client.raw("SET", "another", "x".repeat(200_000))).toMatch(/^-OOM /);
    expect(client.raw("GET", "another")).toBe("$-1\r\n");
    expect(client.raw("STRLEN", "key:0")).toBe(":200000\r\n");
    for (let i = 0; i < 20; i++) expect(client.raw("DEL", `key:${i}`)).toBe(":1\r\n");
    expect(client.raw("SET", "another", "x".repeat(200_000))).toBe("+OK\r\n");
    expect(client.raw("STRLEN", `key:${kept - 1}`)).toBe(":200000\r\n");
  });
});
