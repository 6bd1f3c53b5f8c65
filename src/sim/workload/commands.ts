/**
 * Random commands of clients. What a key holds shows in its name: r… a string register, h… a hash of registers, c… a counter, t… a
 * value that expires, x… a value that is appended to. Every value is written once.
 */
import type { Random } from "../random.ts";

/** What a run's clients do: drawn once per run. */
export interface Workload {
  readonly registers: number;
  readonly hashes: number;
  readonly fields: number;
  /** Bytes that values are padded to at most. */
  readonly valueBytes: number;
  /** Keys that commands of several keys name at most. */
  readonly severalKeys: number;
  /** How often each kind of command comes, relative to the others. */
  readonly weights: Readonly<Record<CommandKind, number>>;
}

export type CommandKind = keyof typeof KINDS;

/** Draws a workload: few keys or many, few kinds of commands or all of them, or `only` those. */
export function drawWorkload(random: Random, only?: readonly CommandKind[]): Workload {
  const weights = {} as Record<CommandKind, number>;
  const names = Object.keys(KINDS) as CommandKind[];
  // A run that does one thing much finds what a run that does everything a little does not.
  const isRare = random.between(0, 0.7);
  for (const name of names) weights[name] = random.chance(isRare) ? 0 : random.exponential(1);
  weights.set += 0.5;
  weights.get += 0.5;
  if (only !== undefined) for (const name of names) weights[name] = only.includes(name) ? 1 : 0;
  return {
    registers: random.pick([1, 2, 5, 20, 100]),
    hashes: random.pick([1, 2, 8]),
    fields: random.pick([1, 3, 10]),
    valueBytes: random.pick([0, 0, 100, 2000, 20_000]),
    severalKeys: random.pick([2, 3, 8]),
    weights,
  };
}

/** The next command; `id` is a text that no other command gets. */
export function nextCommand(workload: Workload, random: Random, id: string): readonly string[] {
  const draw = new Draw(workload, random, id);
  let left = random.between(0, sum(Object.values(workload.weights)));
  for (const [name, weight] of Object.entries(workload.weights)) {
    left -= weight;
    if (left <= 0) return KINDS[name as CommandKind](draw).map(String);
  }
  return KINDS.get(draw).map(String);
}

class Draw {
  readonly #workload: Workload;
  readonly #random: Random;
  readonly #id: string;
  #values = 0;

  constructor(workload: Workload, random: Random, id: string) {
    this.#workload = workload;
    this.#random = random;
    this.#id = id;
  }

  get register(): string {
    return `r${this.#random.below(this.#workload.registers)}`;
  }

  /** Some registers, each once. */
  get registers(): string[] {
    const count = 1 + this.#random.below(this.#workload.severalKeys);
    return [...new Set(Array.from({ length: count }, () => this.register))];
  }

  get hash(): string {
    return `h${this.#random.below(this.#workload.hashes)}`;
  }

  get field(): string {
    return `f${this.#random.below(this.#workload.fields)}`;
  }

  get fields(): string[] {
    return [...new Set([this.field, this.field])];
  }

  get counter(): string {
    return `c${this.#random.below(this.#workload.hashes)}`;
  }

  get expiring(): string {
    return `t${this.#random.below(this.#workload.registers)}`;
  }

  get appended(): string {
    return `x${this.#random.below(this.#workload.hashes)}`;
  }

  get value(): string {
    return this.#valueOf(Number.POSITIVE_INFINITY);
  }

  /** A value that is appended to others: those grow as long as a run lasts, and each change sends all of it. */
  get suffix(): string {
    return this.#valueOf(MOST_SUFFIX_BYTES);
  }

  #valueOf(mostBytes: number): string {
    const name = `${this.#id}.${this.#values++}`;
    const bytes = Math.min(mostBytes, this.#random.below(this.#workload.valueBytes + 1));
    return name.length < bytes ? `${name}_`.padEnd(bytes, "x") : name;
  }

  get milliseconds(): number {
    return 1 + Math.floor(this.#random.exponential(2000));
  }

  get small(): number {
    return this.#random.below(10);
  }
}

const MOST_SUFFIX_BYTES = 100;

type Maker = (draw: Draw) => (string | number)[];

const KINDS = {
  set: (draw) => ["SET", draw.register, draw.value],
  setIfMissing: (draw) => ["SET", draw.register, draw.value, "NX"],
  getset: (draw) => ["GETSET", draw.register, draw.value],
  get: (draw) => ["GET", draw.register],
  delete: (draw) => ["DEL", draw.register],
  unlinkSeveral: (draw) => ["UNLINK", ...draw.registers],
  mget: (draw) => ["MGET", ...draw.registers],
  mset: (draw) => ["MSET", ...draw.registers.flatMap((key) => [key, draw.value])],
  exists: (draw) => ["EXISTS", draw.register],
  existsSeveral: (draw) => ["EXISTS", ...draw.registers],
  hset: (draw) => ["HSET", draw.hash, ...draw.fields.flatMap((field) => [field, draw.value])],
  hget: (draw) => ["HGET", draw.hash, draw.field],
  hmget: (draw) => ["HMGET", draw.hash, ...draw.fields],
  hgetall: (draw) => ["HGETALL", draw.hash],
  hdel: (draw) => ["HDEL", draw.hash, ...draw.fields],
  deleteHash: (draw) => ["DEL", draw.hash],
  incr: (draw) => ["INCR", draw.counter],
  incrby: (draw) => ["INCRBY", draw.counter, draw.small],
  getCounter: (draw) => ["GET", draw.counter],
  append: (draw) => ["APPEND", draw.appended, draw.suffix],
  getAppended: (draw) => ["GET", draw.appended],
  setExpiring: (draw) => ["SET", draw.expiring, draw.value, "PX", draw.milliseconds],
  setLasting: (draw) => ["SET", draw.expiring, draw.value],
  expire: (draw) => ["PEXPIRE", draw.expiring, draw.milliseconds],
  persist: (draw) => ["PERSIST", draw.expiring],
  ttl: (draw) => ["PTTL", draw.expiring],
  getExpiring: (draw) => ["GET", draw.expiring],
  deleteExpiring: (draw) => ["DEL", draw.expiring],
  echo: (draw) => ["ECHO", draw.value],
  ping: () => ["PING"],
} as const satisfies Readonly<Record<string, Maker>>;

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
