// Ports of this machine that nobody listens on.

import { createServer } from "node:net";
import { DEV_HOST, type NodePorts } from "./plan.ts";

export interface FreePorts {
  readonly ports: readonly NodePorts[];
  /** One line for each port that was in use. */
  readonly messages: readonly string[];
}

/** The wanted ports, where they are free, and free ones in the places of the others. */
export async function findFreePorts(wanted: readonly NodePorts[]): Promise<FreePorts> {
  const messages: string[] = [];
  const taken = new Set<number>();
  const find = async (port: number, what: string): Promise<number> => {
    let free = taken.has(port) || port > 65_535 ? 0 : await tryPort(port);
    while (free === 0 || taken.has(free)) free = await tryPort(0);
    taken.add(free);
    if (free !== port) messages.push(`port ${port} is in use; ${what} ${free} instead`);
    return free;
  };
  const ports: NodePorts[] = [];
  for (const [i, { clients, peers, stats }] of wanted.entries()) {
    const node = `node ${i + 1}`;
    ports.push({
      clients: await find(clients, `clients of ${node} connect to`),
      peers: await find(peers, `peers of ${node} connect to`),
      stats: await find(stats, `HTTP of ${node} is on`),
    });
  }
  return { ports, messages };
}

/** Listens for a moment; the port, or 0 where that cannot be done. */
function tryPort(port: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(0));
    server.listen({ host: DEV_HOST, port }, () => {
      const address = server.address();
      const found = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(found));
    });
  });
}
