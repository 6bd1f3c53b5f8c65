// INFO ring: the cluster as this node sees it.

import type { RingPort } from "../../../../ring/port.ts";
import type { Line, Section } from "./section.ts";

export const ring: Section = {
  title: "Ring",
  byDefault: true,
  lines: (host) =>
    host.ring === undefined
      ? [["ring_enabled", 0]]
      : [["ring_enabled", 1], ...ringLines(host.ring.ring)],
};

/** What there is to say of a node in its cluster. */
export function ringLines(driver: RingPort): readonly Line[] {
  const { cluster, members, self, distribution, hash } = driver.topology;
  const ofC = members.filter((member) => driver.version1(member) === "up");
  const replicas = members.filter(({ datacenter }) => datacenter === self.datacenter);
  return [
    ["cluster", cluster],
    ["datacenter", self.datacenter],
    ["rack", self.rack],
    ["tokens", self.tokens.length],
    ["hash", hash],
    ["distribution", distribution],
    ["replicas_per_datacenter", new Set(replicas.map(({ rack }) => rack)).size],
    ["members", members.length],
    ["members_up", members.filter((member) => driver.isUp(member)).length + ofC.length],
    ["members_of_c_engine", ofC.length],
    ["members_readable", members.filter((member) => driver.isReadable(member)).length],
    ["fenced", driver.isFenced ? 1 : 0],
    ["coordinating", driver.refusal === undefined ? 1 : 0],
    ["epoch", driver.epoch],
  ];
}
