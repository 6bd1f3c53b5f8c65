// A process of its own that sends a PING every millisecond on one connection to each server, and measures the round trips.
// Arguments: port and process id of each server. It says "ready", begins anew at the message "begin", and answers "report" with
// one ProbeReport per server.

import type { Socket } from "node:net";
import { waitedForCoreMs } from "./process-figures.ts";
import { open } from "./servers.ts";

export interface ProbeReport {
  readonly longestMs: number;
  /**
   * The longest one without the time in which the server or this process was ready to run but had no core: that time is the
   * machine's, not the server's.
   */
  readonly longestRunningMs: number;
  /** 99.9 of a hundred round trips took no longer. */
  readonly p999Ms: number;
}

const PERIOD_MS = 1;
const PING = "PING\r\n";
/** Round trips are counted in steps of this, up to a second. */
const STEP_MS = 0.01;
const STEPS = 100_000;

class Probe {
  readonly #pid: number;
  readonly #counts = new Uint32Array(STEPS);
  #count = 0;
  #longestMs = 0;
  #longestRunningMs = 0;
  #sentAt: number | undefined;
  /** When the PING was sent: what this process and the server had waited for a core by then. */
  #waitedMs = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  begin(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#longestMs = 0;
    this.#longestRunningMs = 0;
  }

  /** Whether a PING is to be sent now: the one before has been answered. */
  send(): boolean {
    if (this.#sentAt !== undefined) return false;
    this.#waitedMs = this.#waited();
    this.#sentAt = performance.now();
    return true;
  }

  answered(): void {
    const tookMs = performance.now() - this.#sentAt!;
    this.#note(tookMs);
    this.#sentAt = undefined;
    this.#count++;
    this.#counts[Math.min(STEPS - 1, Math.floor(tookMs / STEP_MS))]!++;
  }

  report(): ProbeReport {
    // A PING without an answer counts with the time it has waited.
    if (this.#sentAt !== undefined) this.#note(performance.now() - this.#sentAt);
    let left = this.#count / 1000;
    let step = STEPS;
    while (step > 0 && left >= 1) left -= this.#counts[--step]!;
    return {
      longestMs: this.#longestMs,
      longestRunningMs: this.#longestRunningMs,
      p999Ms: step * STEP_MS,
    };
  }

  #note(tookMs: number): void {
    const runningMs = Math.max(0, tookMs - (this.#waited() - this.#waitedMs));
    this.#longestMs = Math.max(this.#longestMs, tookMs);
    this.#longestRunningMs = Math.max(this.#longestRunningMs, runningMs);
  }

  #waited(): number {
    return waitedForCoreMs(process.pid) + waitedForCoreMs(this.#pid);
  }
}

const probes: Probe[] = [];
const sockets: Socket[] = [];
const numbers = process.argv.slice(2).map(Number);
for (let i = 0; i < numbers.length; i += 2) {
  const socket = await open(numbers[i]!);
  const probe = new Probe(numbers[i + 1]!);
  socket.on("data", () => probe.answered());
  sockets.push(socket);
  probes.push(probe);
}
setInterval(() => {
  for (const [i, socket] of sockets.entries()) {
    if (probes[i]!.send()) socket.write(PING);
  }
}, PERIOD_MS);
process.on("message", (message) => {
  if (message === "begin") for (const probe of probes) probe.begin();
  else process.send!(probes.map((probe) => probe.report()));
});
// The benchmark has gone.
process.on("disconnect", () => process.exit());
process.send!("ready");
