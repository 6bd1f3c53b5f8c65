/** Which member a peer is by its hello, or why it is refused. */
import type { HelloFacts } from "../link/link.ts";
import type { Member, Topology } from "./topology.ts";

export type Admission = { readonly link: number } | { readonly refusal: string };

/**
 * Compares what a peer says of itself with the configuration of this node. A refusal says what differs, for the logs of both;
 * `maxAheadMs`: how far the two clocks may be apart.
 */
export function admitPeer(
  topology: Topology,
  facts: HelloFacts,
  clock: { readonly now: number; readonly maxAheadMs: number },
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
  const aheadMs = facts.now - clock.now;
  if (Math.abs(aheadMs) > clock.maxAheadMs) {
    const direction = aheadMs > 0 ? "ahead of" : "behind";
    return {
      refusal: `its clock is ${Math.abs(Math.round(aheadMs))} ms ${direction} the clock of this node, and at most ${clock.maxAheadMs} ms are allowed`,
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
