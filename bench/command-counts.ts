// How many commands a node has run, and how many of them the host did.

import type { Goal } from "./section.ts";
import type { Server } from "./servers.ts";

/** Share of the commands of a benchmark that the host may handle. */
const HOST_SHARE_LIMIT = 0.01;

export interface CommandCounts {
  readonly kernel: number;
  readonly host: number;
}

/** Those of a node so far, from /metrics. */
export async function commandsOf({ statsPort }: Server): Promise<CommandCounts> {
  const response = await fetch(`http://127.0.0.1:${statsPort}/metrics`);
  const metrics = await response.text();
  const count = (by: string) => {
    const found = new RegExp(`^ringlet_commands_total\\{by="${by}"\\} (\\d+)`, "m").exec(metrics);
    if (found === null) throw new Error(`/metrics has no ringlet_commands_total{by="${by}"}`);
    return Number(found[1]);
  };
  return { kernel: count("kernel"), host: count("host") };
}

/** Counts up what is measured with several nodes, one after the other. */
export class CommandTally {
  #kernel = 0;
  #host = 0;

  /** Adds what a node has run between two looks at it. */
  add(before: CommandCounts, after: CommandCounts): void {
    this.#kernel += after.kernel - before.kernel;
    this.#host += after.host - before.host;
  }

  get total(): number {
    return this.#kernel + this.#host;
  }

  get host(): number {
    return this.#host;
  }

  get percent(): string {
    return `${(this.#share * 100).toFixed(4)} %`;
  }

  /** The goal of the commands that were counted; `whose`: "the commands", of which node. */
  goal(whose: string): Goal {
    return {
      what: `share of ${whose} that the host handled`,
      value: this.percent,
      limit: `< ${HOST_SHARE_LIMIT * 100} %`,
      met: this.#share < HOST_SHARE_LIMIT,
    };
  }

  get #share(): number {
    return this.#host / this.total;
  }
}
