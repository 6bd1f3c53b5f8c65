/** Why a connection did not become a session: what is counted, and what an operator reads. */
import type { ConnectionFailure } from "./connection.ts";
import { printable } from "./control-frame.ts";
import { countOne, type LinkCounters } from "./counters.ts";
import type { HelloFacts } from "./link.ts";

export interface FailureWords {
  /** What the words are about; the next words about the same are no news. */
  readonly reason: string;
  readonly message: string;
}

/** Counts a failure. */
export function countFailure(counters: LinkCounters, failure: ConnectionFailure): void {
  switch (failure.kind) {
    case "refusing":
      countOne(counters.refusals, failure.refusal.code);
      return;
    case "refused":
      countOne(counters.refusalsByPeers, failure.refusal.code);
      return;
    case "version1":
      countOne(counters.handshakeFailures, "PEER_VERSION_1");
      return;
    case "broken":
      countOne(counters.handshakeFailures, "BROKEN");
      counters.framesRejected++;
      return;
    case "timeout":
      countOne(counters.handshakeFailures, "TIMEOUT");
      return;
    case "lost":
      countOne(counters.handshakeFailures, "LOST");
      return;
  }
}

/**
 * What to say of a failure. `at`: where the peer is; `isDialled`: whether this node made the connection. Undefined for what is no
 * news: both nodes dialled at once, or somebody only looked whether a node listens.
 */
export function describeFailure(
  failure: ConnectionFailure,
  at: string,
  isDialled: boolean,
): FailureWords | undefined {
  switch (failure.kind) {
    case "refusing": {
      const { code } = failure.refusal;
      if (code === "DUPLICATE") return undefined;
      // It may quote what the peer said of itself.
      const text = printable(failure.refusal.text);
      const who = failure.hello === undefined ? "" : `${nameOf(failure.hello.facts)} `;
      return words(code + text, `Refused the peer ${who}at ${at} (${code}): ${text}.`);
    }
    case "refused": {
      const { code, text } = failure.refusal;
      if (code === "DUPLICATE") return undefined;
      // Whoever connects may write here what it likes: only what this node has dialled can be news by its words.
      const reason = isDialled ? `by it: ${code} ${text}` : `by it: ${code}`;
      return words(reason, `The peer at ${at} refused this node (${code}): ${text}.`);
    }
    case "version1":
      return words(
        "PEER_VERSION_1",
        `Closed the connection with ${at} (PEER_VERSION_1): it speaks framing version 1 only, or is no node, and this build serves version 2.`,
      );
    case "broken":
      return words(failure.reason, `Closed the connection with ${at}: ${failure.reason}.`);
    case "timeout":
      return words("timeout", `Closed the connection with ${at}: its handshake took too long.`);
    case "lost":
      if (!isDialled) return undefined;
      return words("lost", `The connection with ${at} broke in the handshake.`);
  }
}

/** A node as logs name it. */
export function nameOf({ datacenter, rack, tokens }: HelloFacts): string {
  return printable(`${datacenter}/${rack}/${tokens[0] ?? "no token"}`);
}

/** The host of "host:port": peers dial from another port each time. */
export function hostOf(address: string): string {
  const colon = address.lastIndexOf(":");
  return colon === -1 ? address : address.slice(0, colon);
}

function words(reason: string, message: string): FailureWords {
  return { reason, message };
}
