// The pages of the C engine: log levels, the timeout factor, peers, and what is refused with the reason.
import { describe, expect, it } from "vitest";
import type { Logger, LogLevel } from "../../../../src/base/logger.ts";
import { SILENT } from "../../../../src/base/logger.ts";
import { MetricRegistry } from "../../../../src/base/metrics.ts";
import { Settings } from "../../../../src/base/settings.ts";
import { statsHandler } from "../../../../src/doors/http/stats.ts";
import { TimeoutFactor } from "../../../../src/doors/http/timeout-factor.ts";
import { ServingState } from "../../../../src/doors/serving-state.ts";
import { RingViewUnderTest } from "../../ring/ring-view.ts";

/** A log that only has a level. */
function levelled(first: LogLevel) {
  const log = {
    ...SILENT,
    level: first as LogLevel,
    setLevel: (level: LogLevel) => {
      log.level = level;
    },
  };
  return log;
}

function door({ log = SILENT as Logger, backend = false } = {}) {
  const settings = new Settings({ requestTimeoutMs: 700 });
  const state = new ServingState();
  const ring = new RingViewUnderTest();
  const changes: string[] = [];
  const handler = statsHandler({
    ...{ isDraining: () => false, metrics: new MetricRegistry(), info: () => ({}) },
    ...{ settings, ring, state, log, timeoutFactor: new TimeoutFactor(settings) },
    links: {
      hold: (link) => changes.push(`hold ${link}`),
      release: (link) => changes.push(`release ${link}`),
      reset: (link) => changes.push(`reset ${link}`),
    },
    backend: backend
      ? { isUp: true, address: "10.0.0.1:6379", error: new Error("none") as never }
      : undefined,
  });
  const ask = async (path: string) => {
    const request = new Request(`http://localhost${path}`);
    const answer = await handler(request, { isLocal: true });
    return `${answer.status} ${await answer.text()}`;
  };
  return { ask, settings, state, changes, ring };
}

describe("/peer", () => {
  it.each([
    ["down/127.0.0.2", ["hold 1"]],
    ["up/127.0.0.2:9101", ["release 1"]],
    ["reset/127.0.0.3", ["reset 2"]],
    ["down/all", ["hold 1", "hold 2"]],
  ])("%s changes the links to those members", async (path, wanted) => {
    const { ask, changes } = door();
    expect(await ask(`/peer/${path}`)).toBe("200 OK\r\n");
    expect(changes).toEqual(wanted);
  });

  it.each([
    ["down/127.0.0.9", /^400 Nothing was changed: no other member is at 127\.0\.0\.9/],
    ["down/127.0.0.2:1", /no other member is at/],
    // It is this node.
    ["down/127.0.0.1", /no other member is at/],
    ["sideways/127.0.0.2", /^400 Nothing was changed: write \/peer\/<up\|down\|reset>/],
  ])("%s is refused", async (path, wanted) => {
    const { ask, changes } = door();
    expect(await ask(`/peer/${path}`)).toMatch(wanted);
    expect(changes).toEqual([]);
  });
});

describe("the timeout factor", () => {
  it("multiplies the time that requests may take, within 1 and 10", async () => {
    const { ask, settings } = door();
    const steps: (readonly [string, number, number])[] = [
      ["5", 5, 3500],
      ["50", 10, 7000],
      ["0", 1, 700],
      ["2", 2, 1400],
    ];
    expect(await ask("/get_timeout_factor")).toBe("200 Timeout factor: 1\n");
    for (const [asked, factor, timeoutMs] of steps) {
      expect(await ask(`/set_timeout_factor/${asked}`)).toBe("200 OK\r\n");
      expect(await ask("/get_timeout_factor")).toBe(`200 Timeout factor: ${factor}\n`);
      expect(settings.get("requestTimeoutMs")).toBe(timeoutMs);
    }
    expect(await ask("/set_timeout_factor/-1")).toMatch(/^400 /);
    expect(await ask("/set_timeout_factor/x")).toMatch(/^400 /);
    expect(settings.get("requestTimeoutMs")).toBe(1400);
  });

  it("is 1 again when the time is set otherwise", async () => {
    const { ask, settings } = door();
    await ask("/set_timeout_factor/3");
    settings.set("requestTimeoutMs", 1000);
    expect(await ask("/get_timeout_factor")).toBe("200 Timeout factor: 1\n");
    await ask("/set_timeout_factor/2");
    expect(settings.get("requestTimeoutMs")).toBe(2000);
  });
});

describe("log levels", () => {
  it.each([
    ["/setloglevel/0", "silent"],
    ["/setloglevel/3", "error"],
    ["/setloglevel/4", "warn"],
    ["/setloglevel/5", "info"],
    ["/setloglevel/6", "info"],
    ["/setloglevel/7", "debug"],
    ["/setloglevel/11", "debug"],
    ["/setloglevel/error", "error"],
    ["/loglevelup", "debug"],
    ["/logleveldown", "warn"],
  ])("%s makes info %s", async (path, level) => {
    const log = levelled("info");
    expect(await door({ log }).ask(path)).toBe("200 OK\r\n");
    expect(log.level).toBe(level);
  });

  it("go no further than all and nothing", async () => {
    const [most, least] = [levelled("debug"), levelled("silent")];
    await door({ log: most }).ask("/loglevelup");
    await door({ log: least }).ask("/logleveldown");
    expect([most.level, least.level]).toEqual(["debug", "silent"]);
  });

  it.each(["/setloglevel/12", "/setloglevel/-1", "/setloglevel/loud"])(
    "%s is 400",
    async (path) => {
      const log = levelled("info");
      expect(await door({ log }).ask(path)).toMatch(/^400 .*write \/setloglevel\/<0-11>/);
      expect(log.level).toBe("info");
    },
  );

  it.each(["/setloglevel/7", "/loglevelup", "/logleveldown"])(
    "%s of a node whose log has none is refused with the reason",
    async (path) => {
      expect(await door().ask(path)).toMatch(/^400 .*belongs to the program/);
    },
  );
});

describe("/state", () => {
  it("is told as the C engine tells it", async () => {
    const { ask, ring } = door();
    expect(await ask("/state/get_state")).toBe("200 State: NORMAL\n");
    for (const name of ["standby", "writes_only", "resuming"]) {
      expect(await ask(`/state/${name}`)).toBe("200 OK\r\n");
      expect(await ask("/state/get_state")).toBe(`200 State: ${name.toUpperCase()}\n`);
      expect(await ask("/readyz")).toMatch(new RegExp(`^503 .*\\(${name}: an operator has set it`));
    }
    await ask("/state/normal");
    expect(await ask("/readyz")).toBe("200 ready\n");
    ring.refusal = "LOADING";
    expect(await ask("/state/get_state")).toBe("200 State: JOINING\n");
  });

  it("is refused with the reason where it is none, or cannot be kept", async () => {
    expect(await door().ask("/state/asleep")).toMatch(/^400 .*write \/state\/<normal\|standby/);
    const { ask, state } = door({ backend: true });
    expect(await ask("/state/writes_only")).toMatch(/^400 .*server at 10\.0\.0\.1:6379/);
    expect(state.name).toBe("normal");
    expect(await ask("/state/standby")).toBe("200 OK\r\n");
  });
});

it.each([
  ["/ping", "200 OK\r\n"],
  ["/read_repairs/enable", "200 Read Repairs: ENABLED\r\n"],
  [
    "/read_repairs/disable",
    "400 Nothing was changed: members that are found to differ by a read are always repaired.\n",
  ],
  [
    "/historeset",
    "400 Nothing was changed: the histograms of this node only grow; take differences of /metrics.\n",
  ],
])("%s answers", async (path, wanted) => {
  expect(await door().ask(path)).toBe(wanted);
});

it("/help lists the pages", async () => {
  const [first, ...others] = (await door().ask("/help")).trimEnd().split("\n");
  expect(first).toBe("200 /healthz");
  expect(others).toContain("/state/{normal|standby|writes_only|resuming}");
  expect(others).toContain("/help");
});
