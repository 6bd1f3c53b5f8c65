/** Which member a peer is by its hello, or why it is refused. */
import type { HelloFacts } from "../link/link.ts";
import type { Member, Topology } from "./topology.ts";

export type Admission = { readonly link: number } | { readonly refusal: string };

/** Where the members of a cluster keep the data: in the node, or in a server behind it. */
export type KeptBy = "node" | "server";

/**
 * Compares what a peer says of itself with the configuration of this node. A refusal says what differs, for the logs of both;
 * `own`: the time here, how far the two clocks may be apart, and where this node keeps the data.
 */
export function admitPeer(
  topology: Topology,
  facts: HelloFacts,
  own: { readonly now: number; readonly maxAheadMs: number; readonly keptBy: KeptBy },
): Admission {
  const where = `${facts.datacenter}/${facts.rack} with the tokens ${facts.tokens.join(",")}`;
  if (facts.cluster !== topology.cluster) {
    return {
      refusal: `it belongs to the cluster ${JSON.stringify(facts.cluster)}, this node to ${JSON.stringify(topology.cluster)}`,
    };
  }
  const rackMates = topology.members.filter(
    ({ datacenter, rack }) => datacenter === facts.datacenter && rack === facts.rack,
  );
  const member = rackMates.find((mate) => hasTokens(mate, facts.tokens));
  if (member === topology.self) {
    return { refusal: `it says that it is ${where}, which is this node: the tokens collide` };
  }
  if (member === undefined) {
    const shared = rackMates.find((mate) =>
      facts.tokens.some((token) => mate.tokenTexts.includes(token)),
    );
    return {
      refusal:
        shared === undefined
          ? `${where} is no member in the configuration of this node`
          : `${where} collides with the tokens ${shared.tokenTexts.join(",")} of the same rack in the configuration of this node`,
    };
  }
  if (facts.state.topology !== topology.digest) {
    return {
      refusal: `its configuration of the cluster (members, tokens, hash, tag or distribution) differs from that of this node`,
    };
  }
  if ((facts.state.keptBy ?? "node") !== own.keptBy) {
    return {
      refusal: `what keeps its data (data_store) differs: a server behind each node, or the nodes themselves, for all members of a cluster`,
    };
  }
  const aheadMs = facts.now - own.now;
  if (Math.abs(aheadMs) > own.maxAheadMs) {
    const direction = aheadMs > 0 ? "ahead of" : "behind";
    return {
      refusal: `its clock is ${Math.abs(Math.round(aheadMs))} ms ${direction} the clock of this node, and at most ${own.maxAheadMs} ms are allowed`,
    };
  }
  return { link: member.index };
}

function hasTokens({ tokenTexts }: Member, tokens: readonly string[]): boolean {
  return (
    tokenTexts.length === tokens.length &&
    tokenTexts.every((token, index) => token === tokens[index])
  );
}
