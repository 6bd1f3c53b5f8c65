// The nodes of `ringlet dev`: a ring of one datacenter on this machine, one node in each rack, so that each holds all data.

import { formatHostPort } from "../../base/host-port.ts";
import type { LogLevel } from "../../base/logger.ts";

/** Where every node of it is. */
export const DEV_HOST = "127.0.0.1";
/** Name of the cluster, so that no other one is joined by accident. */
export const DEV_CLUSTER = "dev";
/** How far the port for peers is from the one for clients. */
export const PEER_PORT_OFFSET = 10;
/** The first node's port for HTTP: where `ringlet ring` and `ringlet status` ask. */
export const FIRST_STATS_PORT = 22_222;

export interface NodePorts {
  readonly clients: number;
  readonly peers: number;
  readonly stats: number;
}

export interface PlannedNode {
  /** From 1. */
  readonly number: number;
  readonly rack: string;
  readonly ports: NodePorts;
  /** The arguments of `ringlet` that run it. */
  readonly args: readonly string[];
}

/** The ports that the nodes would like to have. */
export function wantedPorts(nodes: number, firstPort: number): NodePorts[] {
  // More than ten nodes would have peers where other nodes have clients.
  const offset = Math.max(PEER_PORT_OFFSET, nodes);
  return Array.from({ length: nodes }, (_, i) => ({
    clients: firstPort + i,
    peers: firstPort + offset + i,
    stats: FIRST_STATS_PORT + i,
  }));
}

export function planNodes(allPorts: readonly NodePorts[], logLevel: LogLevel): PlannedNode[] {
  const count = allPorts.length;
  const token = (i: number) => String(Math.floor((i * 2 ** 32) / count));
  const rack = (i: number) => `rack${i + 1}`;
  const at = (port: number) => formatHostPort({ host: DEV_HOST, port });
  const seeds = allPorts.map(({ peers }, i) => `${at(peers)}:${rack(i)}:localdc:${token(i)}`);
  // What a quorum has acknowledged is there when one node is killed.
  const level = count >= 3 ? "dc_quorum" : "dc_one";
  return allPorts.map((ports, i) => ({
    number: i + 1,
    rack: rack(i),
    ports,
    args: [
      "serve",
      ...["--listen", at(ports.clients), "--stats-listen", at(ports.stats)],
      ...["--cluster-name", DEV_CLUSTER, "--datacenter", "localdc", "--rack", rack(i)],
      ...["--tokens", token(i), "--dyn-listen", at(ports.peers), "--dyn-seeds", seeds.join(",")],
      ...["--read-consistency", level, "--write-consistency", level, "--log-level", logLevel],
    ],
  }));
}
