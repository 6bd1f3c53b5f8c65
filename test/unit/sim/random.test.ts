// The seeded source of random numbers: it repeats, it splits by name, and its numbers have the distributions that they should.
import { describe, expect, it } from "vitest";
import { hashBytes, hashText, Random } from "../../../src/sim/random.ts";

const drawn = (random: Random, count = 20) => Array.from({ length: count }, () => random.u32());

describe("Random", () => {
  it("repeats itself for the same seed, and differs for another", () => {
    expect(drawn(new Random("a"))).toEqual(drawn(new Random("a")));
    expect(drawn(new Random("a"))).not.toEqual(drawn(new Random("b")));
  });

  it("gives a name the same numbers whatever was drawn before", () => {
    const one = new Random("a");
    const other = new Random("a");
    drawn(other, 7);
    expect(drawn(other.fork("x"))).toEqual(drawn(one.fork("x")));
    expect(drawn(one.fork("x"))).not.toEqual(drawn(one.fork("y")));
    expect(drawn(one.fork("x").fork("y"))).not.toEqual(drawn(one.fork("y").fork("x")));
  });

  it("fills its bits evenly", () => {
    const ones = new Array<number>(32).fill(0);
    for (const word of drawn(new Random("bits"), 20_000)) {
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (word >>> bit) & 1;
    }
    for (const count of ones) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it("draws whole numbers below a bound, each as often", () => {
    const random = new Random("below");
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 14_000; i++) counts[random.below(7)]!++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(250);
  });

  it("draws waiting times with the mean and the spread of an exponential distribution", () => {
    const random = new Random("exponential");
    const times = Array.from({ length: 40_000 }, () => random.exponential(10));
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    expect(mean).toBeGreaterThan(9.7);
    expect(mean).toBeLessThan(10.3);
    const late = times.filter((time) => time > 10 * Math.LN10).length / times.length;
    expect(late).toBeGreaterThan(0.09);
    expect(late).toBeLessThan(0.11);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
  });

  it("shuffles without losing or doubling, in every order", () => {
    const random = new Random("shuffle");
    const orders = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const order = random.shuffled([1, 2, 3, 4]);
      expect([...order].sort()).toEqual([1, 2, 3, 4]);
      orders.add(order.join());
    }
    expect(orders.size).toBe(24);
  });
});

describe("hashes of the trace", () => {
  it("tell texts and bytes apart that differ in one place, in order or in length", () => {
    const texts = ["", "a", "b", "ab", "ba", "abc", "abd", "\0", "\0\0"];
    expect(new Set(texts.map((text) => hashText(text, 0))).size).toBe(texts.length);
    const bytes = texts.map((text) => hashBytes(new TextEncoder().encode(text), 0));
    expect(new Set(bytes).size).toBe(texts.length);
  });
});
