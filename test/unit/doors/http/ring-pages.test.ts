// What the HTTP door tells of a ring, and who may change the node over it.
import { describe, expect, it } from "vitest";
import { SILENT } from "../../../../src/base/logger.ts";
import { MetricRegistry } from "../../../../src/base/metrics.ts";
import { Settings } from "../../../../src/base/settings.ts";
import { statsHandler } from "../../../../src/doors/http/stats.ts";
import { TimeoutFactor } from "../../../../src/doors/http/timeout-factor.ts";
import { ServingState } from "../../../../src/doors/serving-state.ts";
import type { RingView } from "../../../../src/ring/view.ts";
import { RingViewUnderTest, SINCE } from "../../ring/ring-view.ts";

function door(ring: RingView | undefined, { draining = false, token = "" } = {}) {
  const settings = new Settings({ statsToken: token });
  const state = new ServingState();
  const handler = statsHandler({
    isDraining: () => draining,
    metrics: new MetricRegistry(),
    info: () => ({}),
    ...{ settings, ring, state, log: SILENT },
    timeoutFactor: new TimeoutFactor(settings),
  });
  const ask = async (
    path: string,
    { method = "GET", headers = {} as Record<string, string>, isLocal = true } = {},
  ) => {
    const request = new Request(`http://localhost${path}`, { method, headers });
    const answer = await handler(request, { isLocal });
    return { status: answer.status, headers: answer.headers, body: await answer.text() };
  };
  return { ask, settings, state };
}

describe("/readyz", () => {
  it("is 200 on a node that is alone, and on a member that takes requests", async () => {
    for (const ring of [undefined, new RingViewUnderTest()]) {
      expect(await door(ring).ask("/readyz")).toMatchObject({ status: 200, body: "ready\n" });
    }
  });

  it("is 503 with the reason while the node closes, coordinates nothing, is fenced, or gathers its peers", async () => {
    const ring = new RingViewUnderTest();
    ring.isGathering = true;
    const gathering = await door(ring).ask("/readyz");
    expect([gathering.status, gathering.body]).toEqual([
      503,
      expect.stringMatching(/^gathering: /),
    ]);
    expect(await door(ring, { draining: true }).ask("/readyz")).toMatchObject({
      status: 503,
      body: "draining\n",
    });
    ring.isFenced = true;
    const fenced = await door(ring).ask("/readyz");
    expect([fenced.status, fenced.body]).toEqual([503, expect.stringMatching(/^fenced: /)]);
    ring.refusal = "LOADING the node has reached 1 of the 3 nodes";
    expect(await door(ring).ask("/readyz")).toMatchObject({
      status: 503,
      body: "LOADING the node has reached 1 of the 3 nodes\n",
    });
    expect((await door(ring).ask("/healthz")).status).toBe(200);
  });
});

describe("/readyz of a node that reaches no quorum of any range", () => {
  it.each([
    ["dc_one", "dc_one", 200],
    ["dc_quorum", "dc_one", 503],
    ["dc_one", "dc_quorum", 503],
    ["dc_safe_quorum", "dc_each_safe_quorum", 503],
  ] as const)("with reads at %s and writes at %s is %d", async (read, write, status) => {
    const ring = new RingViewUnderTest();
    ring.isCutOff = true;
    const { ask, settings } = door(ring);
    settings.set("readConsistency", read);
    settings.set("writeConsistency", write);
    const answer = await ask("/readyz");
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(status === 200 ? /^ready$/m : /^cut off: /);
  });
});

describe("/ring", () => {
  it("tells the topology, and how each member is", async () => {
    const { status, headers, body } = await door(new RingViewUnderTest()).ask("/ring");
    expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(JSON.parse(body)).toEqual({
      cluster: "c",
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
      hash: "murmur",
      hashTag: "{}",
      distribution: "vnode",
      coordinating: true,
      refusal: "",
      fenced: false,
      self: 0,
      members: [
        {
          index: 0,
          ...{ datacenter: "dc1", rack: "r1", address: "127.0.0.1:8101" },
          ...{ tokens: ["1383429731"], share: 1, state: "up", since: SINCE, reason: null },
          ...{ epoch: "e1", rttMs: null, clockOffsetMs: null, pendingRequests: null },
          ...{ queuedBytes: null, encrypted: null },
        },
        {
          index: 1,
          ...{ datacenter: "dc1", rack: "r2", address: "127.0.0.2:9101" },
          ...{ tokens: ["1383429731"], share: 1, state: "up", since: SINCE, reason: null },
          ...{ epoch: "e1", rttMs: 0.5, clockOffsetMs: -20, pendingRequests: 3 },
          ...{ queuedBytes: 400, encrypted: true },
        },
        {
          index: 2,
          ...{ datacenter: "dc2", rack: "r1", address: "127.0.0.3:9101" },
          ...{ tokens: ["7", "8"], share: 1, state: "down", since: SINCE, reason: "lost" },
          ...{ epoch: null, rttMs: null, clockOffsetMs: null, pendingRequests: null },
          ...{ queuedBytes: null, encrypted: null },
        },
      ],
    });
  });

  it("tells why the node takes no requests", async () => {
    const ring = new RingViewUnderTest();
    ring.refusal = "because";
    ring.isFenced = true;
    expect(JSON.parse((await door(ring).ask("/ring")).body)).toMatchObject({
      ...{ coordinating: false, refusal: "because", fenced: true },
    });
  });
});

describe("/cluster_describe", () => {
  it("is the page of the C engine", async () => {
    const { body } = await door(new RingViewUnderTest()).ask("/cluster_describe");
    const server = (host: string, port: number, token: number) => [
      { name: host, host, port, token },
    ];
    expect(JSON.parse(body)).toEqual({
      dcs: [
        {
          name: "dc1",
          racks: [
            { name: "r1", servers: server("127.0.0.1", 8101, 1383429731) },
            { name: "r2", servers: server("127.0.0.2", 9101, 1383429731) },
          ],
        },
        { name: "dc2", racks: [{ name: "r1", servers: server("127.0.0.3", 9101, 7) }] },
      ],
    });
  });
});

it.each(["/ring", "/cluster_describe", "/get_consistency"])(
  "%s of a node that is alone is 404, and says what makes it a member",
  async (path) => {
    expect(await door(undefined).ask(path)).toMatchObject({
      status: 404,
      body: "This node is no member of a ring: start it with --tokens.\n",
    });
  },
);

describe("consistency levels", () => {
  const change = "/set_consistency/write/dc_quorum";

  it("are told as the C engine tells them", async () => {
    const { ask, settings } = door(new RingViewUnderTest());
    settings.set("readConsistency", "dc_safe_quorum");
    expect((await ask("/get_consistency")).body).toBe(
      "Read Consistency: DC_SAFE_QUORUM\r\nWrite Consistency: DC_ONE\r\n",
    );
  });

  it.each([
    ["read", "dc_one"],
    ["read", "DC_QUORUM"],
    ["write", "dc_safe_quorum"],
    ["write", "dc_each_safe_quorum"],
  ])(
    "%s is changed to %s by POST, and by GET as tools of the C engine do",
    async (operation, level) => {
      const setting = operation === "read" ? "readConsistency" : "writeConsistency";
      for (const method of ["GET", "POST"]) {
        const { ask, settings } = door(new RingViewUnderTest());
        settings.set(setting, "dc_quorum");
        const answer = await ask(`/set_consistency/${operation}/${level}`, { method });
        expect([answer.status, answer.body]).toEqual([200, "OK\r\n"]);
        expect(settings.get(setting)).toBe(level.toLowerCase());
      }
    },
  );

  it.each(["/set_consistency/write/dc_two", "/set_consistency/erase/dc_one"])(
    "POST %s is 400, says what there is, and changes nothing",
    async (path) => {
      const { ask, settings } = door(new RingViewUnderTest());
      const answer = await ask(path, { method: "POST" });
      expect([answer.status, answer.body]).toEqual([
        400,
        "Nothing was changed: write /set_consistency/<read|write>/<dc_one|dc_quorum|dc_safe_quorum|dc_each_safe_quorum>.\n",
      ]);
      expect(settings.get("writeConsistency")).toBe("dc_one");
    },
  );

  it.each(["/set_consistency/write", "/set_consistency/write/dc_one/x", "/set_consistency//"])(
    "%s is 404",
    async (path) => {
      const answer = await door(new RingViewUnderTest()).ask(path, { method: "POST" });
      expect(answer.status).toBe(404);
    },
  );

  it("are not changed by HEAD", async () => {
    const { ask, settings } = door(new RingViewUnderTest());
    const answer = await ask(change, { method: "HEAD" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, POST"]);
    expect(settings.get("writeConsistency")).toBe("dc_one");
  });

  it.each([
    { referer: "http://evil.example/page" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "none" },
    { host: "evil.example:22222" },
  ])("are not changed by what a browser on this machine asks for: %o", async (headers) => {
    for (const method of ["GET", "POST"]) {
      const { ask, settings } = door(new RingViewUnderTest());
      const answer = await ask(change, { method, headers });
      expect([answer.status, answer.body]).toEqual([
        403,
        expect.stringContaining("only programs on"),
      ]);
      expect(settings.get("writeConsistency")).toBe("dc_one");
    }
  });

  it.each(["localhost:22222", "127.0.0.1", "10.1.2.3:80", "[::1]:22222"])(
    "are changed by a program on this machine that asks for %s",
    async (host) => {
      const answer = await door(new RingViewUnderTest()).ask(change, { headers: { host } });
      expect(answer.status).toBe(200);
    },
  );

  it.each<[string, string, { isLocal: boolean; headers?: Record<string, string> }, number, string]>(
    [
      ["another machine", "", { isLocal: false }, 403, "Nothing was changed: only programs on"],
      ["another machine, where there is a token", "t", { isLocal: false }, 403, "only programs on"],
      [
        "a page in a browser on this machine",
        "",
        { isLocal: true, headers: { origin: "http://evil.example" } },
        403,
        "only programs on",
      ],
      [
        "another machine with the token",
        "sesame",
        { isLocal: false, headers: { authorization: "Bearer sesame" } },
        200,
        "OK",
      ],
      [
        "another machine with another token",
        "sesame",
        { isLocal: false, headers: { authorization: "Bearer sesami" } },
        403,
        "this is not the token of --stats-token",
      ],
      [
        "another machine with the beginning of the token",
        "sesame",
        { isLocal: false, headers: { authorization: "Bearer sesa" } },
        403,
        "this is not the token",
      ],
      [
        "this machine with another token",
        "sesame",
        { isLocal: true, headers: { authorization: "Bearer x" } },
        403,
        "this is not the token",
      ],
      [
        "another machine with a token where there is none",
        "",
        { isLocal: false, headers: { authorization: "Bearer x" } },
        403,
        "this node has no token",
      ],
    ],
  )("from %s", async (_, token, request, status, said) => {
    const { ask, settings } = door(new RingViewUnderTest(), { token });
    const answer = await ask(change, { method: "POST", ...request });
    expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(said)]);
    expect(settings.get("writeConsistency")).toBe(status === 200 ? "dc_quorum" : "dc_one");
  });
});
