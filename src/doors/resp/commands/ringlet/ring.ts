// RINGLET RING: who owns what.

import { memberName } from "../../../../ring/member.ts";
import type { RingPort } from "../../../../ring/port.ts";
import type { Member } from "../../../../ring/topology.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { RINGLET, ringOf } from "./family.ts";

export const ring: SessionCommand = subcommand(
  RINGLET,
  {
    name: "ring",
    arity: 2,
    since: "1.0.0",
    summary: "Answers a line for each member of the cluster: where it is, its tokens, how it is.",
  },
  (call) => {
    const { ring: driver } = ringOf(call);
    const { members } = driver.topology;
    call.reply.array(members.length);
    for (const member of members) call.reply.bulk(lineOf(driver, member));
  },
);

/** Most tokens that a line shows. */
const SHOWN_TOKENS = 8;

function lineOf(driver: RingPort, member: Member): string {
  const shown = member.tokenTexts.slice(0, SHOWN_TOKENS).join(",");
  const more = member.tokens.length - SHOWN_TOKENS;
  const tokens = more > 0 ? `${shown} and ${more} more` : shown;
  return `${memberName(member)} tokens ${tokens}: ${stateOf(driver, member)}`;
}

/** How a member is, as this node sees it. */
export function stateOf(driver: RingPort, member: Member): string {
  const self = member === driver.topology.self ? "this node, " : "";
  if (driver.version1(member) === "up") return "up, a node of the C engine: catch-up: off";
  if (!driver.isUp(member)) return "down";
  return `${self}${driver.isReadable(member) ? "up" : "up, catching up"}`;
}
