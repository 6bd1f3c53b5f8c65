import { describe, expect, it } from "vitest";
import { SILENT } from "../../../../src/base/logger.ts";
import { type MetricFamily, MetricRegistry } from "../../../../src/base/metrics.ts";
import { Settings } from "../../../../src/base/settings.ts";
import { statsHandler } from "../../../../src/doors/http/stats.ts";
import { TimeoutFactor } from "../../../../src/doors/http/timeout-factor.ts";
import { ServingState } from "../../../../src/doors/serving-state.ts";
import { Histogram } from "../../../reference/histogram.ts";
import { parseOpenMetrics } from "../../../reference/open-metrics.ts";

const CLIENTS: MetricFamily = {
  name: "ringlet_clients",
  type: "gauge",
  help: "Clients now.",
  read: () => 3,
};

function door({ families = [CLIENTS], draining = false, info = (): unknown => ({}) } = {}) {
  const metrics = new MetricRegistry();
  for (const family of families) metrics.add(family);
  const settings = new Settings();
  const handler = statsHandler({
    ...{ isDraining: () => draining, metrics, info, settings },
    ...{ ring: undefined, state: new ServingState(), log: SILENT },
    timeoutFactor: new TimeoutFactor(settings),
  });
  return (path: string, method = "GET") =>
    handler(new Request(`http://localhost${path}`, { method }), { isLocal: true });
}

describe("/healthz", () => {
  it("is 200 ok while the node takes clients", async () => {
    const answer = await door()("/healthz");
    expect([answer.status, await answer.text()]).toEqual([200, "ok\n"]);
  });

  it("is 503 draining while the node closes", async () => {
    const answer = await door({ draining: true })("/healthz");
    expect([answer.status, await answer.text()]).toEqual([503, "draining\n"]);
  });
});

describe("/info", () => {
  it("is what the source tells, as JSON", async () => {
    const answer = await door({ info: () => ({ server: { version: "1" } }) })("/info");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.json()).toEqual({ server: { version: "1" } });
  });

  it("says so when the source fails, and the door goes on", async () => {
    const get = door({
      info: () => {
        throw new Error("no facts");
      },
    });
    const answer = await get("/info");
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain("no facts");
    expect((await get("/healthz")).status).toBe(200);
  });
});

describe("any other request", () => {
  it("to an unknown path is 404 and names the paths there are", async () => {
    const answer = await door()("/metric");
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe(
      "There is nothing at /metric; there are /healthz, /readyz, /metrics, /info, /ring, /ping, /cluster_describe, /get_consistency, /set_consistency/{read|write}/{level}, /state/get_state, /state/{normal|standby|writes_only|resuming}, /peer/{up|down|reset}/{address|all}, /get_timeout_factor, /set_timeout_factor/{1-10}, /loglevelup, /logleveldown, /setloglevel/{0-11}, /read_repairs/{enable|disable}, /historeset, /help.\n",
    );
  });

  it("with another method is 405 and names the methods there are", async () => {
    const answer = await door()("/metrics", "POST");
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("GET, HEAD");
    expect(await answer.text()).toBe("/metrics answers GET and HEAD, not POST.\n");
  });

  it("with HEAD is answered like GET", async () => {
    expect((await door()("/metrics", "HEAD")).status).toBe(200);
  });
});

describe("/metrics", () => {
  async function families(...list: MetricFamily[]) {
    const answer = await door({ families: list })("/metrics");
    expect(answer.headers.get("content-type")).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    return parseOpenMetrics(await answer.text());
  }

  it("is an empty exposition without families", async () => {
    expect((await families()).size).toBe(0);
  });

  it("gives counters, gauges and infos by the specification", async () => {
    const parsed = await families(
      {
        name: "ringlet_received_bytes",
        type: "counter",
        unit: "bytes",
        help: "Bytes received.",
        read: () => 2 ** 53 - 1,
      },
      CLIENTS,
      {
        name: "ringlet_build",
        type: "info",
        help: "The build.",
        read: () => [{ labels: { version: "0.1.0" }, value: 1 }],
      },
    );
    expect(Object.fromEntries(parsed)).toEqual({
      ringlet_received_bytes: {
        type: "counter",
        unit: "bytes",
        help: "Bytes received.",
        samples: [{ name: "ringlet_received_bytes_total", labels: {}, value: 2 ** 53 - 1 }],
      },
      ringlet_clients: {
        type: "gauge",
        unit: "",
        help: "Clients now.",
        samples: [{ name: "ringlet_clients", labels: {}, value: 3 }],
      },
      ringlet_build: {
        type: "info",
        unit: "",
        help: "The build.",
        samples: [{ name: "ringlet_build_info", labels: { version: "0.1.0" }, value: 1 }],
      },
    });
  });

  it("keeps text that must be escaped, and numbers that are not whole", async () => {
    const text = 'a "quote", a \\ and\na line\\n';
    const values = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e300, 0.1, -5];
    const parsed = await families({
      name: "ringlet_odd",
      type: "gauge",
      help: text,
      read: () => values.map((value, at) => ({ labels: { text, at: String(at) }, value })),
    });
    const odd = parsed.get("ringlet_odd")!;
    expect(odd.help).toBe(text);
    expect(odd.samples.map((sample) => sample.value)).toEqual(values);
    expect(odd.samples.map((sample) => sample.labels.text)).toEqual(values.map(() => text));
  });

  it("gives histograms with buckets that hold those before them, a count and a sum", async () => {
    const quick = new Histogram();
    for (const ms of [0, 0.064, 0.065, 1, 1, 999, 20_000]) quick.record(ms);
    const parsed = await families({
      name: "ringlet_latency_seconds",
      type: "histogram",
      unit: "seconds",
      help: "Latency.",
      read: () => [
        { labels: { level: "dc_one" }, counts: quick },
        { labels: { level: "dc_quorum" }, counts: new Histogram() },
      ],
    });
    const { samples } = parsed.get("ringlet_latency_seconds")!;
    const of = (level: string, name: string) =>
      samples.filter((sample) => sample.labels.level === level && sample.name.endsWith(name));
    const buckets = of("dc_one", "_bucket").map(({ labels, value }) => [labels.le, value]);
    expect(buckets.length).toBe(19);
    expect(Object.fromEntries(buckets)).toMatchObject({
      "0.000064": 2,
      "0.000128": 3,
      "0.000512": 3,
      "0.001024": 5,
      "0.524288": 5,
      "1.048576": 6,
      "8.388608": 6,
      "+Inf": 7,
    });
    expect(of("dc_one", "_count")[0]!.value).toBe(7);
    expect(of("dc_one", "_sum")[0]!.value).toBeCloseTo(21.001129, 9);
    expect(of("dc_quorum", "_count")[0]!.value).toBe(0);
  });

  it("reads the families anew for every request", async () => {
    let clients = 0;
    const get = door({ families: [{ ...CLIENTS, read: () => ++clients }] });
    await get("/metrics");
    expect(await (await get("/metrics")).text()).toContain("\nringlet_clients 2\n");
  });
});

describe("a family", () => {
  it.each([
    ["clients", "is not snake case behind ringlet_"],
    ["ringlet_Clients", "is not snake case behind ringlet_"],
    ["ringlet_clients_total", "ends as only a sample may"],
  ])("named %s is refused", (name, reason) => {
    const metrics = new MetricRegistry();
    expect(() => metrics.add({ ...CLIENTS, name })).toThrow(`metric family ${name} ${reason}`);
  });

  it("is refused without its unit, and a second time", () => {
    const metrics = new MetricRegistry();
    expect(() => metrics.add({ ...CLIENTS, type: "gauge", unit: "bytes" })).toThrow("lacks _bytes");
    metrics.add(CLIENTS);
    expect(() => metrics.add(CLIENTS)).toThrow("is there already");
  });
});

function histogram(...samples: string[]): string {
  const lines = samples.map((sample) => `ringlet_a${sample}\n`).join("");
  return `# TYPE ringlet_a histogram\n${lines}# EOF\n`;
}

describe("the tests' reader of OpenMetrics refuses", () => {
  it.each([
    ["a text without an end", "ringlet_a 1\n"],
    ["a sample that nothing describes", "ringlet_a 1\n# EOF\n"],
    ["a counter without _total", "# TYPE ringlet_a counter\nringlet_a 1\n# EOF\n"],
    ["a negative counter", "# TYPE ringlet_a counter\nringlet_a_total -1\n# EOF\n"],
    ["an unescaped quote", '# TYPE ringlet_a gauge\nringlet_a{b="c"d"} 1\n# EOF\n'],
    ["a sample that is there twice", "# TYPE ringlet_a gauge\nringlet_a 1\nringlet_a 1\n# EOF\n"],
    ["a family without its unit", "# TYPE ringlet_a gauge\n# UNIT ringlet_a bytes\n# EOF\n"],
    [
      "a family in two parts",
      "# TYPE ringlet_a gauge\n# TYPE ringlet_b gauge\n# HELP ringlet_a x\n# EOF\n",
    ],
    ["a histogram without +Inf", histogram('_bucket{le="1.0"} 1', "_count 1", "_sum 1")],
    [
      "a histogram whose buckets fall",
      histogram('_bucket{le="1.0"} 2', '_bucket{le="+Inf"} 1', "_count 1", "_sum 1"),
    ],
    [
      "a histogram whose bounds fall",
      histogram(
        '_bucket{le="2.0"} 1',
        '_bucket{le="1.0"} 1',
        '_bucket{le="+Inf"} 1',
        "_count 1",
        "_sum 1",
      ),
    ],
    ["a histogram with another count", histogram('_bucket{le="+Inf"} 1', "_count 2", "_sum 1")],
    ["a histogram without a sum", histogram('_bucket{le="+Inf"} 1', "_count 1")],
    [
      "a histogram with a bound without a point",
      histogram('_bucket{le="1"} 1', '_bucket{le="+Inf"} 1', "_count 1", "_sum 1"),
    ],
    ["two spaces", "# TYPE ringlet_a gauge\nringlet_a  1\n# EOF\n"],
    ["an empty line", "# TYPE ringlet_a gauge\n\nringlet_a 1\n# EOF\n"],
  ])("%s", (_, exposition) => {
    expect(() => parseOpenMetrics(exposition)).toThrow();
  });
});
