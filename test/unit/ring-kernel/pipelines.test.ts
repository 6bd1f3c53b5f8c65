/** Random pipelines of many clients over a ring whose links cut and delay at random: every reply right and in its place. */
import { describe, expect, test } from "vitest";
import type { Decoded } from "../store/decode-reply.ts";
import { encodeRequest } from "../store/harness.ts";
import { RandomSource } from "../store/random-source.ts";
import { ONE, QUORUM, SAFE, type WiredClient, WiredKernels } from "./wired-kernels.ts";

/** A client with keys that nobody else writes, and what it must be answered. */
class Pipeline {
  readonly client: WiredClient;
  readonly replies: Decoded[] = [];
  readonly expected: Decoded[] = [];
  readonly #values = new Map<string, string>();
  readonly #random: RandomSource;
  readonly #name: string;
  readonly #isReplica: boolean;
  readonly #isExecutor: boolean;

  constructor(
    client: WiredClient,
    random: RandomSource,
    facts: { readonly name: string; readonly isReplica: boolean; readonly isExecutor: boolean },
  ) {
    this.client = client;
    this.#random = random;
    this.#name = facts.name;
    this.#isReplica = facts.isReplica;
    this.#isExecutor = facts.isExecutor;
  }

  /** Sends a few commands in one chunk, cut at a random place. */
  send(): void {
    let text = "";
    for (let n = 1 + this.#random.below(20); n > 0; n--) text += encodeRequest(this.#next());
    const cut = this.#random.below(text.length);
    this.client.write(text.slice(0, cut)).write(text.slice(cut));
  }

  take(): void {
    this.replies.push(...this.client.replies());
  }

  /** A command; what it must be answered is noted. */
  #next(): string[] {
    const random = this.#random;
    const key = () => `${this.#name}:${random.below(5)}`;
    const value = () => {
      const length = random.chance(0.1) ? random.below(5000) : random.below(12);
      return `${random.below(1000)}`.padEnd(length, "x");
    };
    const reply = (expected: Decoded, ...words: string[]) => {
      this.expected.push(expected);
      return words;
    };
    const get = (name: string) => this.#values.get(name) ?? null;
    const a = key();
    const [b, c] = [key(), key()];
    switch (random.below(this.#isExecutor ? 13 : this.#isReplica ? 10 : 7)) {
      case 0:
      case 1: {
        const text = value();
        this.#values.set(a, text);
        return reply("OK", "set", a, text);
      }
      case 2:
      case 3:
        return reply(get(a), "get", a);
      case 4: {
        const had = this.#values.delete(a);
        return reply(had ? 1 : 0, random.chance(0.5) ? "del" : "unlink", a);
      }
      case 5:
        return reply(get(a)?.length ?? 0, "strlen", a);
      case 6:
        return random.chance(0.5) ? reply("PONG", "ping") : reply("host:nothing x", "nothing", "x");
      case 7: {
        const [text, other] = [value(), value()];
        this.#values.set(a, text);
        this.#values.set(b, other);
        return reply("OK", "mset", a, text, b, other);
      }
      case 8:
        return reply([get(a), get(b), get(c), get(a)], "mget", a, b, c, a);
      case 9:
        return reply([a, b, c].filter((name) => this.#values.has(name)).length, "exists", a, b, c);
      case 10: {
        const text = `${get(a) ?? ""}+`;
        this.#values.set(a, text);
        return reply(text.length, "append", a, "+");
      }
      case 11: {
        const before = get(a);
        this.#values.set(a, "swapped");
        return reply(before, "getset", a, "swapped");
      }
      default: {
        if (this.#values.has(a)) return reply(0, "setnx", a, "new");
        this.#values.set(a, "new");
        return reply(1, "setnx", a, "new");
      }
    }
  }
}

/** Clients of all nodes at a level send until `rounds` are over; then everything comes to rest. */
function run(seed: number, level: number, options: { nodes: number; sets?: number[][] }): void {
  const random = new RandomSource(seed);
  const ring = new WiredKernels(options);
  const sets = options.sets ?? [[0, 1, 2]];
  const pipelines = ring.nodes.flatMap((node) =>
    [0, 1].map((n) => {
      const isReplica = sets.every((set) => set.includes(node.index));
      // Above DC_ONE what an executor runs is the host's.
      const isExecutor = level === ONE && sets.every((set) => set[0] === node.index);
      const facts = { name: `${node.index}-${n}`, isReplica, isExecutor };
      return new Pipeline(node.client(level), random, facts);
    }),
  );
  for (let step = 0; step < 1500; step++) {
    if (step % 5 === 0) random.pick(pipelines).send();
    if (step % 50 === 0) ring.pass(1);
    ring.step(random);
  }
  ring.settle();
  for (const pipeline of pipelines) {
    pipeline.take();
    expect(pipeline.replies).toEqual(pipeline.expected);
    expect(pipeline.client.hasHalfReply).toBe(false);
  }
  for (const node of ring.nodes) {
    expect(node.figure("pendingSlots")).toBe(0);
    expect(node.figure("replyBytes")).toBe(0);
    expect(node.retries).toEqual([]);
  }
}

const SEEDS = [1, 2, 3, 4, 5];

describe("clients with keys of their own are answered as by one node", () => {
  test.each(SEEDS)("three replicas, DC_QUORUM, seed %i", (seed) => {
    run(seed, QUORUM, { nodes: 3 });
  });
  test.each(SEEDS)("three replicas, DC_ONE, seed %i", (seed) => {
    run(seed, ONE, { nodes: 3 });
  });
  test.each([1, 2])("five replicas, DC_QUORUM, seed %i", (seed) => {
    run(seed, QUORUM, { nodes: 5, sets: [[0, 1, 2, 3, 4]] });
  });
  test.each(SEEDS)("three replicas and two other nodes, DC_QUORUM, seed %i", (seed) => {
    run(seed, QUORUM, { nodes: 5, sets: [[1, 2, 4]] });
  });
});

/** Commands with one key or several that all clients share. */
function shared(random: RandomSource, values: { next: number }): string[] {
  const key = () => `k${random.below(6)}`;
  const value = () => `v${values.next++}`;
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return ["set", key(), value()];
    case 3:
      return ["mset", key(), value(), key(), value()];
    case 4:
      return ["del", key()];
    case 5:
      return ["mget", key(), key()];
    default:
      return ["get", key()];
  }
}

describe("clients of all nodes that share keys", () => {
  test.each(SEEDS)("leave replicas that are equal, each answered once, seed %i", (seed) => {
    const random = new RandomSource(seed * 7919);
    const ring = new WiredKernels({ nodes: 3 });
    const clients = ring.nodes.flatMap((node) =>
      [QUORUM, ONE, QUORUM].map((level) => ({ client: node.client(level), sent: 0, got: 0 })),
    );
    const values = { next: 0 };
    const skew = [0, 700, -300];
    for (let step = 0; step < 2500; step++) {
      if (step % 4 === 0) {
        const entry = random.pick(clients);
        for (let n = 1 + random.below(4); n > 0; n--) {
          entry.client.call(...shared(random, values));
          entry.sent++;
        }
      }
      // Clocks that disagree: writes meet newer ones all the time.
      if (step % 40 === 0) {
        ring.pass(1);
        for (const node of ring.nodes) node.store.setNow(ring.now + skew[node.index]!);
      }
      ring.step(random);
    }
    ring.settle();
    for (const entry of clients) {
      entry.got += entry.client.replies().length;
      expect(entry.got).toBe(entry.sent);
    }
    // What DC_ONE has left apart is brought together by reading.
    const reader = ring.node(0).client(QUORUM);
    for (let round = 0; round < 3; round++) {
      for (const node of ring.nodes) {
        const all = node.client(QUORUM);
        for (let key = 0; key < 6; key++) all.call("get", `k${key}`);
        ring.settle();
      }
    }
    for (let key = 0; key < 6; key++) {
      const stamps = new Set(ring.nodes.map((node) => node.stamp(`k${key}`)));
      expect(stamps.size, `stamps of k${key}`).toBe(1);
    }
    reader.close();
    expect(ring.nodes.some((node) => node.figure("writesRestamped") > 0)).toBe(true);
    expect(ring.nodes.some((node) => node.figure("repliesChanged") > 0)).toBe(true);
  });

  test.each(SEEDS)("are all answered when links come and go, seed %i", (seed) => {
    const random = new RandomSource(seed * 104_729);
    const ring = new WiredKernels({ nodes: 5, sets: [[0, 1, 2]], requestTimeoutMs: 300 });
    const clients = ring.nodes.flatMap((node) =>
      [QUORUM, ONE, SAFE].map((level) => ({ client: node.client(level), sent: 0 })),
    );
    const values = { next: 0 };
    for (let step = 0; step < 2500; step++) {
      if (step % 4 === 0) {
        const entry = random.pick(clients);
        entry.client.call(...shared(random, values));
        entry.sent++;
      }
      if (random.chance(0.02)) {
        const [from, to] = [random.below(5), random.below(5)];
        if (from !== to) {
          if (random.chance(0.5)) ring.cut(from, to);
          else ring.link(from, to);
        }
      }
      if (random.chance(0.01)) ring.stopped.add(random.below(5));
      if (random.chance(0.02)) ring.stopped.clear();
      if (step % 10 === 0) {
        ring.pass(1 + random.below(20));
        for (const node of ring.nodes) node.expire();
      }
      ring.step(random);
    }
    ring.stopped.clear();
    ring.settle();
    ring.pass(300);
    for (const node of ring.nodes) node.expire();
    ring.settle();
    for (const { client, sent } of clients) expect(client.replies()).toHaveLength(sent);
    for (const node of ring.nodes) {
      expect(node.figure("pendingSlots")).toBe(0);
      expect(node.figure("replyBytes")).toBe(0);
    }
  });
});
