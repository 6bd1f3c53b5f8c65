// What a valid configuration asks for that this version of the node does not have. Who builds a part removes its lines here.

import type { Configuration } from "./configuration.ts";
import { BEGINNING, type Diagnostic, Findings } from "./diagnostic.ts";

/** Errors for what cannot be started, warnings for what is in vain. */
export function notServed(configuration: Configuration): Diagnostic[] {
  const { backend, entries, member, peers } = configuration;
  const findings = new Findings();
  if (backend?.kind === "memcached" && member.seeds.length > 0) {
    findings.error(
      entries.get("dyn_seeds") ?? BEGINNING,
      "dyn_seeds",
      "dyn_seeds: this version keeps the data in a memcached server only where the node is the only member: remove dyn_seeds, or write data_store: embedded, and the nodes keep the data",
    );
  }
  const inVain = [
    ["enable_gossip", peers.gossip],
    ["gos_interval", true],
    ["mbuf_size", peers.secureServerOption === "none"],
    ["conn_msg_rate", true],
    ["local_peer_connections", true],
    ["remote_peer_connections", true],
    ["read_repairs_enabled", peers.readRepairs],
  ] as const;
  for (const [key, asked] of inVain) {
    const entry = entries.get(key);
    if (entry === undefined || !asked) continue;
    findings.warn(entry, key, `${key} has no effect in this version`);
  }
  return findings.all();
}
