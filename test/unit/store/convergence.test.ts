/**
 * Replicas that run random commands and hear of one another's effects in any order, late, and more than once: in the end all are
 * equal, down to what no client sees.
 */
import { describe, expect, test } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import type { Argument } from "./harness.ts";
import { RandomSource } from "./random-source.ts";
import { recordFrame } from "./record-frame.ts";
import { Replica } from "./replica.ts";
import { START_MS } from "./store-under-test.ts";

const KEYS = ["a", "b", "c", "d"] as const;
const FIELDS = ["f", "g", "h"] as const;

/** A command that changes something, as often as not a hash. `ttlMs`: what keys are given to live. */
function anyWrite(random: RandomSource, ttlMs: number): Argument[] {
  const key = random.pick(KEYS);
  const field = random.pick(FIELDS);
  const ttl = 1 + random.below(ttlMs);
  switch (random.below(18)) {
    case 0:
      return ["set", key, random.below(100)];
    case 1:
      return ["set", key, random.below(100), "px", ttl];
    case 2:
      return ["append", key, "x"];
    case 3:
      return ["del", key];
    case 4:
      return ["pexpire", key, ttl];
    case 5:
      return ["pexpire", key, ttl * 2];
    case 6:
      return ["persist", key];
    case 7:
      return ["rename", key, random.pick(KEYS)];
    case 8:
      return ["copy", key, random.pick(KEYS), "replace"];
    case 9:
      return random.chance(0.1) ? ["flushdb"] : ["del", key, random.pick(KEYS)];
    case 10:
      return ["hdel", key, ...FIELDS];
    case 11:
    case 12:
      return ["hdel", key, field];
    case 13:
      return ["hincrby", key, "n", random.below(9)];
    default:
      return ["hset", key, field, random.below(100), random.pick(FIELDS), "value"];
  }
}

/** How far clocks are off: two together less than a stamp may be ahead. */
const MAX_SKEW_MS = 4000;

class Cluster {
  readonly replicas: readonly Replica[];
  readonly #random: RandomSource;
  readonly #skews: number[];
  /** Frames that a replica has not been given yet. */
  readonly #waiting: Uint8Array[][];
  readonly frames: Uint8Array[] = [];
  #now = START_MS;

  constructor(seed: number, size: number) {
    this.#random = new RandomSource(seed);
    this.replicas = Array.from({ length: size }, (_, node) => new Replica(node));
    this.#waiting = this.replicas.map(() => []);
    this.#skews = this.replicas.map(() => this.#random.below(2 * MAX_SKEW_MS) - MAX_SKEW_MS);
    this.pass(0);
  }

  /** Lets time pass: every replica's clock is off by its own. */
  pass(ms: number): void {
    this.#now += ms;
    for (const [node, { store }] of this.replicas.entries()) {
      store.setNow(this.#now + this.#skews[node]!);
    }
  }

  /** Runs one or several commands at a replica. */
  write(ttlMs: number): void {
    const node = this.#random.below(this.replicas.length);
    const count = this.#random.chance(0.2) ? 2 + this.#random.below(4) : 1;
    const commands = Array.from({ length: count }, () => anyWrite(this.#random, ttlMs));
    for (const frame of this.replicas[node]!.run(...commands)) {
      this.frames.push(frame);
      this.#waiting.forEach((queue, other) => {
        if (other !== node) queue.push(frame);
      });
    }
  }

  /** Gives some replica a frame, which may be any of those that wait for it, or one that it has been given before. */
  deliver(): void {
    const node = this.#random.below(this.replicas.length);
    const queue = this.#waiting[node]!;
    const replica = this.replicas[node]!;
    if (this.frames.length !== 0 && this.#random.chance(0.1)) {
      replica.apply(this.#random.pick(this.frames));
    } else if (queue.length !== 0) {
      replica.apply(queue.splice(this.#random.below(queue.length), 1)[0]!);
    }
  }

  deliverAll(): void {
    this.#waiting.forEach((queue, node) => {
      while (queue.length !== 0) {
        const [frame] = queue.splice(this.#random.below(queue.length), 1);
        this.replicas[node]!.apply(frame!);
      }
    });
  }

  /** Every replica tells every other all that it knows. */
  exchange(): void {
    for (const from of this.replicas) {
      for (const key of KEYS) {
        const frame = recordFrame(from.store, 0, fromLatin1(key));
        for (const to of this.replicas) if (frame !== undefined && to !== from) to.apply(frame);
      }
    }
  }

  expectEqual(seed: number): void {
    // What has expired where a clock is ahead has now expired everywhere.
    for (const { store } of this.replicas) store.setNow(this.#now + MAX_SKEW_MS);
    for (const key of KEYS) {
      const [first, ...others] = this.replicas.map((replica) => replica.state(key));
      for (const other of others) expect(other, `seed ${seed}, key ${key}`).toBe(first);
    }
    const sizes = this.replicas.map(({ harness }) => harness.run("dbsize"));
    expect(new Set(sizes).size, `seed ${seed}`).toBe(1);
  }
}

const SEEDS = 80;

describe("replicas that have heard of all effects", () => {
  test.each([2, 3])("are equal, %i of them, in whatever order", (size) => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const cluster = new Cluster(seed, size);
      const random = new RandomSource(~seed);
      for (let step = 0; step < 60; step++) {
        if (random.chance(0.4)) cluster.write(10_000_000);
        else cluster.deliver();
        if (random.chance(0.3)) cluster.pass(random.below(3));
      }
      cluster.deliverAll();
      cluster.expectEqual(seed);
    }
  });

  test("are equal when keys expire in between, after they have told each other all that they know", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const cluster = new Cluster(seed, 3);
      const random = new RandomSource(~seed);
      for (let step = 0; step < 80; step++) {
        if (random.chance(0.4)) cluster.write(20_000);
        else cluster.deliver();
        if (random.chance(0.3)) cluster.pass(random.below(5000));
        if (random.chance(0.1)) for (const { store } of cluster.replicas) store.tick();
      }
      cluster.deliverAll();
      cluster.exchange();
      cluster.expectEqual(seed);
    }
  });
});
