// A process of its own that sends a PING every millisecond on one connection to each of the ports in its arguments, and
// measures the round trips. It says "ready", begins anew at the message "begin", and answers "report" with one ProbeReport per port.

import { open } from "./servers.ts";

export interface ProbeReport {
  readonly count: number;
  readonly longestMs: number;
  /** 99.9 of a hundred round trips took no longer. */
  readonly p999Ms: number;
}

const PERIOD_MS = 1;
const PING = "PING\r\n";
/** Round trips are counted in steps of this, up to a second. */
const STEP_MS = 0.01;
const STEPS = 100_000;

class Probe {
  readonly #counts = new Uint32Array(STEPS);
  #count = 0;
  #longestMs = 0;
  #sentAt: number | undefined;

  begin(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#longestMs = 0;
  }

  /** Whether a PING is to be sent now: the one before has been answered. */
  send(now: number): boolean {
    if (this.#sentAt !== undefined) return false;
    this.#sentAt = now;
    return true;
  }

  answered(now: number): void {
    const tookMs = now - this.#sentAt!;
    this.#sentAt = undefined;
    this.#count++;
    this.#longestMs = Math.max(this.#longestMs, tookMs);
    this.#counts[Math.min(STEPS - 1, Math.floor(tookMs / STEP_MS))]!++;
  }

  /** A PING without an answer counts with the time it has waited. */
  report(now: number): ProbeReport {
    if (this.#sentAt !== undefined) this.#longestMs = Math.max(this.#longestMs, now - this.#sentAt);
    let left = this.#count / 1000;
    let step = STEPS;
    while (step > 0 && left >= 1) left -= this.#counts[--step]!;
    return { count: this.#count, longestMs: this.#longestMs, p999Ms: step * STEP_MS };
  }
}

const probes: Probe[] = [];
const sockets = await Promise.all(process.argv.slice(2).map((port) => open(Number(port))));
for (const socket of sockets) {
  const probe = new Probe();
  probes.push(probe);
  socket.on("data", () => probe.answered(performance.now()));
}
setInterval(() => {
  for (const [i, socket] of sockets.entries()) {
    if (probes[i]!.send(performance.now())) socket.write(PING);
  }
}, PERIOD_MS);
process.on("message", (message) => {
  if (message === "begin") for (const probe of probes) probe.begin();
  else process.send!(probes.map((probe) => probe.report(performance.now())));
});
// The benchmark has gone.
process.on("disconnect", () => process.exit());
process.send!("ready");
