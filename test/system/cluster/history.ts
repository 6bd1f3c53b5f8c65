// Clients that write while members come and go, and remember outside of the cluster what was answered.
import { Redis } from "ioredis";
import { expect, onTestFinished } from "vitest";
import { decodeReply } from "../../unit/store/decode-reply.ts";
import type { ClusterMember } from "../cluster-harness.ts";
import { until } from "../until.ts";

/** Keys of each writer. */
const KEYS = 200;
/** Writes of a writer that are under way at a time. */
const AT_ONCE = 20;

/** An ioredis client of one member that gives up rather than to connect again. */
export async function connectRedis(
  { port }: ClusterMember,
  options: Record<string, unknown> = {},
): Promise<Redis> {
  const client = new Redis({
    port,
    host: "127.0.0.1",
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    ...options,
  });
  // What went wrong is in the answers.
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  await client.connect();
  return client;
}

/** Sets keys of its own to ever greater numbers, each key again and again. */
export class Writer {
  readonly #client: Redis;
  readonly #keys: readonly string[];
  /** By key: the greatest number that was sent, and that was acknowledged. */
  readonly #sent = new Map<string, number>();
  readonly #acknowledged = new Map<string, number>();
  readonly errors: Error[] = [];
  acknowledgements = 0;
  #stopped = false;
  #done: Promise<void> = Promise.resolve();

  private constructor(client: Redis, name: string) {
    this.#client = client;
    this.#keys = Array.from({ length: KEYS }, (_, i) => `${name}:${i}`);
  }

  /** Begins to write over a client of `member`; `name` begins the names of its keys. */
  static async start(member: ClusterMember, name: string): Promise<Writer> {
    const writer = new Writer(await connectRedis(member), name);
    onTestFinished(() => {
      writer.#stopped = true;
    });
    writer.#done = writer.#write();
    return writer;
  }

  /** Waits until so many more writes have been acknowledged. */
  async more(count = 500): Promise<void> {
    const wanted = this.acknowledgements + count;
    await until(
      () => this.acknowledgements >= wanted,
      () => `a writer does not get on: ${this.errors.at(-1)}`,
    );
  }

  /** Writes no more; resolves when all that was sent has been answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  /** Holds what a member itself has against the history: no acknowledged write is lost, and no value is there that nobody sent. */
  async check(member: ClusterMember): Promise<void> {
    const [reply] = await member.sendAtOne(["MGET", ...this.#keys]);
    const values = decodeReply(reply!) as (string | null)[];
    const wrong = this.#keys.flatMap((key, i) => {
      const [sent, acknowledged] = [this.#sent.get(key) ?? 0, this.#acknowledged.get(key) ?? 0];
      const value = Number(values[i]);
      return value >= acknowledged && value <= sent ? [] : [{ key, value, acknowledged, sent }];
    });
    expect(wrong).toEqual([]);
  }

  async #write(): Promise<void> {
    for (let number = 1; !this.#stopped; number++) {
      for (let first = 0; first < KEYS && !this.#stopped; first += AT_ONCE) {
        await Promise.all(
          this.#keys.slice(first, first + AT_ONCE).map((key) => this.#set(key, number)),
        );
        if (this.#client.status === "end") return;
      }
    }
  }

  async #set(key: string, number: number): Promise<void> {
    this.#sent.set(key, number);
    try {
      expect(await this.#client.set(key, number)).toBe("OK");
      this.#acknowledged.set(key, number);
      this.acknowledgements++;
    } catch (error) {
      this.errors.push(error as Error);
    }
  }
}
