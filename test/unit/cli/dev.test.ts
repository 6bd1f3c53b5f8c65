// The parts of `ringlet dev` that do nothing by themselves: its plan, the orders that it takes, the lines of logs.
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { readableLog } from "../../../src/cli/dev/log-line.ts";
import { readOrder } from "../../../src/cli/dev/orders.ts";
import { planNodes, wantedPorts } from "../../../src/cli/dev/plan.ts";
import { findFreePorts } from "../../../src/cli/dev/ports.ts";
import { readInvocation } from "../../../src/cli/options.ts";
import { buildTopology } from "../../../src/ring/topology.ts";

describe("the plan", () => {
  it.each([1, 2, 3, 28])("of %i nodes is one cluster with a rack for each", (count) => {
    const plans = planNodes(wantedPorts(count, 8102), "warn");
    const topologies = plans.map(({ args }) => {
      const invocation = readInvocation(args, {});
      if (invocation.command !== "serve") throw new Error("no node");
      return buildTopology(invocation.options.cluster!.options);
    });
    expect(new Set(topologies.map(({ digest }) => digest)).size).toBe(1);
    expect(topologies[0]!.datacenters[0]!.racks.length).toBe(count);
    expect(new Set(topologies.map(({ self }) => self.index)).size).toBe(count);
  });

  it("of three nodes has the ports of the documentation, and reads and writes at a quorum", () => {
    const plans = planNodes(wantedPorts(3, 8102), "warn");
    expect(plans.map(({ ports }) => ports)).toEqual([
      { clients: 8102, peers: 8112, stats: 22_222 },
      { clients: 8103, peers: 8113, stats: 22_223 },
      { clients: 8104, peers: 8114, stats: 22_224 },
    ]);
    for (const { args } of plans) {
      const invocation = readInvocation(args, {});
      expect(invocation).toMatchObject({
        options: { settings: { readConsistency: "dc_quorum", writeConsistency: "dc_quorum" } },
      });
    }
  });

  it("gives no port twice, however many nodes", () => {
    const ports = wantedPorts(28, 8102).flatMap(({ clients, peers, stats }) => [
      clients,
      peers,
      stats,
    ]);
    expect(new Set(ports).size).toBe(3 * 28);
  });
});

describe("ports", () => {
  it("that are in use are replaced by free ones, and the user is told", async () => {
    const holder = createServer();
    onTestFinished(() => void holder.close());
    const port = await new Promise<number>((resolve) => {
      holder.listen(0, "127.0.0.1", () => {
        const address = holder.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const { ports, messages } = await findFreePorts([
      { clients: port, peers: port, stats: 65_536 },
    ]);
    const [{ clients, peers, stats }] = ports as [(typeof ports)[number]];
    expect(new Set([clients, peers, stats, port]).size).toBe(4);
    expect(messages).toEqual([
      `port ${port} is in use; clients of node 1 connect to ${clients} instead`,
      `port ${port} is in use; peers of node 1 connect to ${peers} instead`,
      `port 65536 is in use; HTTP of node 1 is on ${stats} instead`,
    ]);
  });
});

describe("an order", () => {
  it.each([
    ["start 2", { kind: "start", node: 2 }],
    ["  KILL   1 ", { kind: "kill", node: 1 }],
    ["status", { kind: "status" }],
    ["ring", { kind: "ring" }],
    ["quit", { kind: "quit" }],
    ["exit", { kind: "quit" }],
    ["", { kind: "nothing" }],
    ["   ", { kind: "nothing" }],
  ])("%j", (line, order) => {
    expect(readOrder(line, 3)).toEqual(order);
  });

  it.each([
    ["kill", "kill which one? Type kill and a number from 1 to 3."],
    ["kill 4", "kill which one? Type kill and a number from 1 to 3."],
    ["start 0", "start which one? Type start and a number from 1 to 3."],
    ["start 1.5", "start which one? Type start and a number from 1 to 3."],
    ["start 1 2", "Not understood. Type status, ring, kill <node>, start <node> or quit."],
    ["quit now", "Not understood."],
    ["stop", "Not understood."],
  ])("that is none gets told so: %j", (line, message) => {
    const order = readOrder(line, 3);
    expect(order.kind === "wrong" ? order.message : order.kind).toContain(message);
  });
});

describe("a line of a log", () => {
  it.each([
    [
      '{"level":"warn","time":"2026-01-01T00:00:00.000Z","node":"a","left":2,"msg":"It is so."}',
      "warn: It is so. (node a, left 2)",
    ],
    ['{"level":"info","time":"t","msg":"Stopped."}', "info: Stopped."],
    ["ringlet: no", "ringlet: no"],
    ['{"a":1}', '{"a":1}'],
    ["null", "null"],
    ["{", "{"],
  ])("%j", (line, text) => {
    expect(readableLog(line)).toBe(text);
  });
});
