// Counts the answers of replicas that come as promises.

import type { QuorumOutcome } from "../port.ts";

/** What a replica says: it holds what it was asked or told about, holds something newer, or has not done it. */
export type Said = "held" | "stale" | "failed";

/**
 * Resolves when `need` replicas hold it, or cannot any more. `holds`: one that holds something newer counts. The answers must not
 * reject.
 */
export function quorumOf(
  answers: readonly Promise<Said>[],
  need: number,
  holds = false,
): Promise<QuorumOutcome> {
  return new Promise((resolve) => {
    let got = 0;
    let left = answers.length;
    let stale = false;
    const decide = () => {
      if (got >= need || got + left < need) resolve({ ok: got >= need, got, need, stale });
    };
    for (const answer of answers) {
      void answer.then((said) => {
        left--;
        if (said === "stale") stale = true;
        if (said === "held" || (said === "stale" && holds)) got++;
        decide();
      });
    }
    decide();
  });
}
