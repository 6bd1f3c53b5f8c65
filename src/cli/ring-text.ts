// What `ringlet ring` and `ringlet status` print.

import type { MemberDescription, RingDescription } from "../ring/view.ts";
import { textTable } from "./text-table.ts";

/** Who owns what. A rack holds everything once, so its shares add up to 100 %. */
export function ringText(ring: RingDescription): string {
  const tag = ring.hashTag === "" ? "" : `, hash tag ${ring.hashTag}`;
  const racks = new Set(ring.members.map(({ datacenter, rack }) => `${datacenter} ${rack}`));
  const head = `${ring.cluster}: ${count(ring.members.length, "member")} in ${count(racks.size, "rack")}, ${ring.distribution}, hash ${ring.hash}${tag}\n`;
  const rows = ring.members.map((member) => [
    ...[member.datacenter, member.rack, nameOf(member, ring)],
    ...[tokensOf(member), `${(member.share * 100).toFixed(1)} %`, member.state],
  ]);
  return `${head}\n${textTable(["DATACENTER", "RACK", "MEMBER", "TOKENS", "SHARE", "STATE"], rows)}`;
}

/** How each member is, as the node that was asked sees it; `now` in ms since the epoch. */
export function statusText(ring: RingDescription, now: number): string {
  const head = `${ring.cluster}, as ${ring.members[ring.self]?.address} sees it: ${coordination(ring)}\n`;
  const rows = ring.members.map((member) => [
    ...[nameOf(member, ring), member.rack, member.datacenter, member.state],
    ...[age(now - member.since), millis(member.rttMs), offset(member.clockOffsetMs)],
    ...[plain(member.pendingRequests), plain(member.queuedBytes), member.reason ?? ""],
  ]);
  const columns = ["MEMBER", "RACK", "DATACENTER", "STATE", "FOR", "RTT", "CLOCK", "PENDING"];
  return `${head}\n${textTable([...columns, "QUEUED", "REASON"], rows)}${legend(ring)}`;
}

function coordination({ coordinating, refusal, fenced }: RingDescription): string {
  if (!coordinating) return `it takes no requests: ${refusal}`;
  return fenced
    ? "it takes requests, and asks other replicas until it has copied its ranges"
    : "it takes requests";
}

function legend({ members }: RingDescription): string {
  return members.some(({ state }) => state === "fenced")
    ? "\nfenced: the member lacks its last state; it takes writes, answers no reads, and copies its ranges.\n"
    : "";
}

function nameOf({ index, address }: MemberDescription, { self }: RingDescription): string {
  return index === self ? `${address} (this)` : address;
}

/** All of a few tokens, the first of many. */
function tokensOf({ tokens }: MemberDescription): string {
  const few = tokens.slice(0, 2).join(",");
  return tokens.length <= 2 ? few : `${few} and ${tokens.length - 2} more`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function plain(value: number | null): string {
  return value === null ? "-" : String(value);
}

function millis(value: number | null): string {
  return value === null ? "-" : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

function offset(value: number | null): string {
  if (value === null) return "-";
  const text = Math.abs(value).toFixed(0);
  return text === "0" ? "0 ms" : `${value < 0 ? "-" : "+"}${text} ms`;
}

/** A time in the largest unit that it fills. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
