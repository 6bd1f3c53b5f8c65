// `ringlet dev`: runs the nodes of a ring as child processes until it is told to end, and does what is typed meanwhile.

import { relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { askRing, CannotAskError } from "../ask.ts";
import { httpGet } from "../http-get.ts";
import type { DevOptions } from "../options.ts";
import { ringText, statusText } from "../ring-text.ts";
import { StopRequest } from "../stop-request.ts";
import { textTable } from "../text-table.ts";
import { DevNode } from "./dev-node.ts";
import { ORDERS_TEXT, readOrder } from "./orders.ts";
import { DEV_HOST, planNodes, wantedPorts } from "./plan.ts";
import { findFreePorts } from "./ports.ts";

/** The nodes cannot start; the message is one line that says what to do. */
export class CannotStartError extends Error {}

/** How long the nodes may take to reach each other before the table is printed anyway, in ms. */
const RING_PATIENCE_MS = 10_000;
const RING_POLL_MS = 50;

/** Runs the nodes; resolves to the exit code when all have ended. Throws CannotStartError. */
export async function dev(options: DevOptions): Promise<number> {
  const stop = new StopRequest();
  const { ports, messages } = await findFreePorts(wantedPorts(options.nodes, options.port));
  for (const message of messages) say(message);
  // Until all are there, they log that they do not find each other.
  let isQuiet = true;
  const nodes = planNodes(ports, options.logLevel).map(
    (plan) =>
      new DevNode(plan, (line) => {
        if (!isQuiet) say(`[${plan.number}] ${line}`);
      }),
  );
  // Whatever ends this process ends them too.
  process.on("exit", () => {
    for (const node of nodes) node.kill();
  });
  await startAll(nodes, stop);
  await Promise.race([waitForRing(nodes), stop.requested]);
  if (!stop.isRequested) {
    isQuiet = false;
    say(introduction(nodes));
    takeOrders(nodes, stop);
  }
  await stop.requested;
  await Promise.all(nodes.map((node) => node.stop()));
  return 0;
}

async function startAll(nodes: readonly DevNode[], stop: StopRequest): Promise<void> {
  const ready = await Promise.all(nodes.map((node) => node.start()));
  const failed = nodes[ready.indexOf(false)];
  if (failed === undefined || stop.isRequested) return;
  await Promise.all(nodes.map((node) => node.stop()));
  throw new CannotStartError(`node ${failed.plan.number} did not start: ${failed.lastWords}`);
}

/** Resolves when every node answers requests, or has had the time to. */
async function waitForRing(nodes: readonly DevNode[]): Promise<void> {
  const deadline = performance.now() + RING_PATIENCE_MS;
  for (const { plan } of nodes) {
    while (performance.now() < deadline) {
      const stats = { host: DEV_HOST, port: plan.ports.stats };
      const answer = await httpGet(stats, "/readyz").catch(() => undefined);
      if (answer?.status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, RING_POLL_MS));
    }
  }
}

function introduction(nodes: readonly DevNode[]): string {
  const rows = nodes.map(({ plan: { number, rack, ports }, pid }) => [
    ...[String(number), rack, `${DEV_HOST}:${ports.clients}`],
    ...[`${DEV_HOST}:${ports.peers}`, `http://${DEV_HOST}:${ports.stats}`, String(pid ?? "ended")],
  ]);
  const table = textTable(["NODE", "RACK", "CLIENTS", "PEERS", "HTTP", "PID"], rows);
  const last = nodes.at(-1)!;
  const { number, ports } = last.plan;
  const [first] = nodes;
  const stats = `--stats ${DEV_HOST}:${first!.plan.ports.stats}`;
  return [
    `\n${nodes.length === 1 ? "One node runs" : `${nodes.length} nodes run, one in each rack: each holds all data`}. The data is gone when they end.\n`,
    table,
    `Connect:          redis-cli -p ${first!.plan.ports.clients}`,
    `See the ring:     ${command(["ring", ...stats.split(" ")])}`,
    `                  ${command(["status", ...stats.split(" ")])}`,
    `Kill node ${number}:      kill -9 ${last.pid}   (or type here: kill ${number})`,
    `Start it again:   type here: start ${number}; or in another terminal:`,
    `                  ${command(last.plan.args)}`,
    `                  It is on port ${ports.clients} again, and whole when status says that it is up.`,
    `\nType ${ORDERS_TEXT}. Ctrl-C ends all.`,
  ].join("\n");
}

/** A command of ringlet as a shell in this folder takes it. */
function command(args: readonly string[]): string {
  const main = relative(process.cwd(), fileURLToPath(new URL("../main.js", import.meta.url)));
  return ["node", main, ...args].map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w.,:/=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Does what is typed. The end of a terminal's input (Ctrl-D) ends all; of any other input, nothing. */
function takeOrders(nodes: readonly DevNode[], stop: StopRequest): void {
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on("line", (line) => {
    obey(line, nodes, stop).catch((error: unknown) => say(String(error)));
  });
  lines.on("close", () => {
    if (process.stdin.isTTY) stop.request("the end of the input");
  });
}

async function obey(line: string, nodes: readonly DevNode[], stop: StopRequest): Promise<void> {
  const order = readOrder(line, nodes.length);
  switch (order.kind) {
    case "nothing":
      return;
    case "wrong":
      say(order.message);
      return;
    case "quit":
      stop.request("quit");
      return;
    case "kill": {
      const node = nodes[order.node - 1]!;
      if (node.pid === undefined) say(`node ${order.node} does not run here`);
      else node.kill();
      return;
    }
    case "start": {
      const node = nodes[order.node - 1]!;
      if (node.pid !== undefined) say(`node ${order.node} runs already, as process ${node.pid}`);
      else if (await node.start()) say(`[${order.node}] runs again, as process ${node.pid}`);
      return;
    }
    case "ring":
    case "status":
      say(await tell(order.kind, nodes));
      return;
  }
}

/** What the first node that answers says. */
async function tell(what: "ring" | "status", nodes: readonly DevNode[]): Promise<string> {
  for (const { plan } of nodes) {
    try {
      const ring = await askRing({ host: DEV_HOST, port: plan.ports.stats });
      return (what === "ring" ? ringText(ring) : statusText(ring, Date.now())).trimEnd();
    } catch (error) {
      if (!(error instanceof CannotAskError)) throw error;
    }
  }
  return "no node answers";
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
