// Commands of the program that embeds a node.
import { describe, expect, it } from "vitest";
import { RingletError } from "../../../src/base/errors.ts";
import type { CommandArgument, ExecuteOptions } from "../../../src/node/node-client.ts";
import { codec } from "../codec/codec-under-test.ts";
import { TestNode } from "./resp/node-under-test.ts";

const text = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);

function embedded(settings = {}) {
  const node = new TestNode(settings);
  return { node, client: node.served.embed(codec) };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RingletError) return error.code;
    throw error;
  }
  return "none";
}

describe("the client of an embedded node", () => {
  it("gets, sets and removes", async () => {
    const { client } = embedded();
    expect(await client.get("k")).toBeUndefined();
    await client.set("k", "wörld");
    expect(text(await client.get("k"))).toBe("wörld");
    await client.set("n", 12n, { expiresInMs: 5000 });
    expect(await client.execute(["PTTL", "n"])).toBe(5000);
    expect(await client.del(["k", "n", "none"])).toBe(2);
    expect(await client.del("k")).toBe(0);
    expect(await client.del([])).toBe(0);
  });

  it("answers replies as values", async () => {
    const { client } = embedded();
    await client.execute(["HSET", "h", "f", "v"]);
    const all = (await client.execute(["HGETALL", "h"])) as Map<string, Uint8Array>;
    expect([...all].map(([field, value]) => [field, text(value)])).toEqual([["f", "v"]]);
    expect(await client.execute(["MGET", "none"])).toEqual([null]);
    expect(await client.execute(["PING"])).toBe("PONG");
    expect(await client.execute(["INCRBY", "big", 2n ** 60n])).toBe(2n ** 60n);
    expect(await client.execute(["DEBUG", "PROTOCOL", "true"])).toBe(true);
  });

  it("keeps bytes as they are, whatever their size", async () => {
    const { client } = embedded();
    const value = Uint8Array.from({ length: 500_000 }, (_, i) => i & 255);
    await client.set("k", value);
    const kept = await client.get("k");
    expect(kept).toHaveLength(value.length);
    expect(kept!.every((byte, i) => byte === value[i])).toBe(true);
  });

  it("answers many callers in their order", async () => {
    const { client } = embedded();
    const replies = await Promise.all(
      Array.from({ length: 1000 }, () => client.execute(["INCR", "n"])),
    );
    expect(replies).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
  });

  it("rejects with the code word of an error reply", async () => {
    const { client } = embedded();
    await client.set("k", "text");
    expect(await codeOf(client.execute(["HGET", "k", "f"]))).toBe("WRONGTYPE");
    expect(await codeOf(client.execute(["INCR", "k"]))).toBe("ERR");
    expect(await codeOf(client.execute(["NO SUCH"]))).toBe("ERR");
  });

  it("keeps databases apart", async () => {
    const { client } = embedded();
    await client.set("k", "in 3", { database: 3 });
    expect(await client.get("k")).toBeUndefined();
    expect(text(await client.get("k", { database: 3 }))).toBe("in 3");
  });

  it("shows the node's password", async () => {
    const { client } = embedded({ password: "secret" });
    await client.set("k", "v");
    expect(text(await client.get("k"))).toBe("v");
  });

  const REFUSED: readonly [string, readonly CommandArgument[], ExecuteOptions, string][] = [
    ["commands of the connection", ["SELECT", 3], {}, "CONNECTION_STATE"],
    ["transactions", ["multi"], {}, "CONNECTION_STATE"],
    ["an empty command", [], {}, "BAD_ARGUMENT"],
    ["a database that is not there", ["GET", "k"], { database: 16 }, "BAD_ARGUMENT"],
    ["a level that is not there", ["GET", "k"], { consistency: "ALL" as never }, "BAD_ARGUMENT"],
    ["levels where there is no ring", ["GET", "k"], { consistency: "DC_QUORUM" }, "ERR"],
  ];
  it.each(REFUSED)("refuses %s", async (_, command, options, code) => {
    const { client } = embedded();
    expect(await codeOf(client.execute(command, options))).toBe(code);
    await client.set("k", "v");
  });

  it("stops waiting when it is aborted or the time is over, without losing the order of replies", async () => {
    const { node, client } = embedded();
    const control = new AbortController();
    const slow = codeOf(client.execute(["DEBUG", "SLEEP", "10"], { signal: control.signal }));
    const late = codeOf(client.execute(["GET", "k"], { timeoutMs: 100 }));
    const last = client.execute(["ECHO", "last"]);
    await node.runtime.advance(100);
    control.abort();
    expect(await slow).toBe("ABORTED");
    expect(await late).toBe("TIMEOUT");
    await node.runtime.advance(10_000);
    expect(text(await last)).toBe("last");
  });

  it("sends nothing that was aborted before", async () => {
    const { client } = embedded();
    const aborted = AbortSignal.abort();
    expect(await codeOf(client.set("k", "v", { signal: aborted }))).toBe("NOT_SENT");
    expect(await client.get("k")).toBeUndefined();
  });

  it("fails what waits when it or the node closes, and everything after", async () => {
    const { node, client } = embedded();
    const waiting = codeOf(client.execute(["DEBUG", "SLEEP", "10"]));
    await node.runtime.advance(1);
    await client[Symbol.asyncDispose]();
    expect(await waiting).toBe("CLOSED");
    expect(await codeOf(client.get("k"))).toBe("CLOSED");
    expect(node.served.clientCount).toBe(0);
    const other = node.served.embed(codec);
    const left = codeOf(other.execute(["DEBUG", "SLEEP", "10"]));
    await node.runtime.advance(1);
    await node.served.close();
    expect(await left).toBe("CLOSED");
  });
});
