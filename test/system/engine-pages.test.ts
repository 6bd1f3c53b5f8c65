// The pages of the C engine over a real socket: a state holds for every client at once, levels for the log, factors for waits.
import { connect } from "node:net";
import { hostname } from "node:os";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";

import { type RunningNode, startNode } from "./harness.ts";
import { until } from "./until.ts";

async function page({ statsUrl }: RunningNode, path: string): Promise<string> {
  const answer = await fetch(`${statsUrl}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

function client({ host, port }: { host: string; port: number }): Redis {
  const redis = new Redis({ host, port });
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** What a memcached client is answered that closes behind its commands. */
function memcached(port: number, commands: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let text = "";
    socket.setEncoding("utf8").on("data", (more) => {
      text += more;
    });
    socket.on("close", () => resolve(text));
    socket.write(`${commands}quit\r\n`);
  });
}

const REFUSED = /^ERR Dynomite: Dynomite's current state does not allow this request \(/;

describe("/state", () => {
  it("holds for clients that are connected, for new ones, and for memcached clients", async () => {
    const flags = ["--stats-listen", "127.0.0.1:0", "--memcached-listen", "127.0.0.1:0"];
    const node = await startNode({ flags });
    const memcachedPort = Number(/memcached on \S+?:(\d+)/.exec(node.stdout)?.[1]);
    const before = client(node);
    expect(await before.set("k", "1")).toBe("OK");
    const outcomes = async () => {
      const after = client(node);
      const texts: string[] = [];
      for (const redis of [before, after]) {
        for (const call of [() => redis.get("k"), () => redis.incr("k"), () => redis.ping()]) {
          texts.push(
            await call().then(
              () => "ran",
              (error: Error) => (REFUSED.test(error.message) ? "refused" : error.message),
            ),
          );
        }
      }
      const answers = await memcached(memcachedPort, "get k\r\nset m 0 0 1\r\nx\r\ngat 0 m\r\n");
      const refused = answers.match(/SERVER_ERROR Dynomite: Dynomite's current state/g) ?? [];
      return [...texts, `${refused.length} of 3`];
    };
    const [ran, refused] = ["ran", "refused"];
    expect(await outcomes()).toEqual([ran, ran, ran, ran, ran, ran, "0 of 3"]);
    expect(await page(node, "/state/standby")).toBe("200 OK\r\n");
    expect(await outcomes()).toEqual([refused, refused, ran, refused, refused, ran, "3 of 3"]);
    for (const state of ["writes_only", "resuming"]) {
      expect(await page(node, `/state/${state}`)).toBe("200 OK\r\n");
      expect(await page(node, "/state/get_state")).toBe(`200 State: ${state.toUpperCase()}\n`);
      expect(await outcomes()).toEqual([refused, ran, ran, refused, ran, ran, "2 of 3"]);
    }
    expect(await page(node, "/readyz")).toMatch(/^503 /);
    expect(await page(node, "/state/normal")).toBe("200 OK\r\n");
    expect(await outcomes()).toEqual([ran, ran, ran, ran, ran, ran, "0 of 3"]);
    expect(await page(node, "/readyz")).toBe("200 ready\n");
  });

  it("breaks a transaction, also one that was queued before", async () => {
    const node = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
    const redis = client(node);
    await redis.call("MULTI");
    await redis.call("SET", "k", "1");
    await page(node, "/state/standby");
    await expect(redis.call("EXEC")).rejects.toThrow(/^EXECABORT .*current state/);
    await page(node, "/state/normal");
    expect(await redis.get("k")).toBe(null);
  });
});

it("/info has the fields of the C engine beside ours", async () => {
  const node = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
  const redis = client(node);
  await redis.set("k", "1");
  await redis.get("k");
  await redis.get("missing");
  await redis.hset("h", "f", "v");
  const info = JSON.parse((await page(node, "/info")).replace("200 ", ""));
  expect(info).toMatchObject({
    ...{ service: "ringlet", source: hostname(), rack: "localrack", dc: "localdc" },
    uptime: expect.any(Number),
    dyn_o_mite: {
      ...{ client_connections: 1, client_read_requests: 2, client_write_requests: 2 },
      embedded: {
        ...{ read_requests: 2, write_requests: 2, redis_req_get: 2, redis_req_set: 1 },
        ...{ redis_req_hashes: 1, redis_req_other: 0 },
      },
    },
    server: { ringlet_version: info.version },
  });
  expect(Math.abs(info.timestamp * 1000 - Date.now())).toBeLessThan(60_000);
});

it("the log level changes while the node runs", async () => {
  const node = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
  const states = () => node.stderr.match(/The state of the node was set/g)?.length ?? 0;
  expect(await page(node, "/logleveldown")).toBe("200 OK\r\n");
  await page(node, "/state/standby");
  expect(await page(node, "/setloglevel/6")).toBe("200 OK\r\n");
  await page(node, "/state/normal");
  await until(
    async () => states() > 0,
    () => node.stderr,
  );
  expect(states()).toBe(1);
  expect(node.stderr).toContain('"state":"normal"');
});

it("the timeout factor multiplies request-timeout-ms", async () => {
  const flags = ["--stats-listen", "127.0.0.1:0", "--request-timeout-ms", "300"];
  const node = await startNode({ flags });
  expect(await page(node, "/set_timeout_factor/4")).toBe("200 OK\r\n");
  expect(await client(node).config("GET", "request-timeout-ms")).toEqual([
    "request-timeout-ms",
    "1200",
  ]);
  expect(await page(node, "/get_timeout_factor")).toBe("200 Timeout factor: 4\n");
});

it("a page of a browser changes nothing", async () => {
  const node = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
  for (const headers of [{ referer: "http://a.example/" }, { "sec-fetch-site": "cross-site" }]) {
    const answer = await fetch(`${node.statsUrl}/state/standby`, { headers });
    expect(answer.status).toBe(403);
  }
  expect(await page(node, "/state/get_state")).toBe("200 State: NORMAL\n");
});
