// Asking a seed source for the members: again and again for a while, as a whole site may be starting. They are asked for at the start of
// a node only; members do not change while it runs.

import { RingletError } from "../base/errors.ts";
import { formatHostPort } from "../base/host-port.ts";
import type { Logger } from "../base/logger.ts";
import type { Runtime } from "../base/runtime.ts";
import { parseSeed, shown } from "../ring/seed.ts";
import type { SeedSource } from "./seed-source.ts";

/** How a runtime asks; both reject when there is no answer. */
export interface SeedLookup {
  /** The body of the answer to GET, which must have status 200. */
  http(source: Extract<SeedSource, { kind: "http" }>): Promise<string>;
  /** The texts of the TXT records. */
  dns(source: Extract<SeedSource, { kind: "dns" }>): Promise<readonly string[]>;
}

export interface SeedAsking {
  readonly lookup: SeedLookup;
  readonly runtime: Pick<Runtime, "after">;
  readonly log: Logger;
}

/** Waits before the source is asked again. */
const WAITS_MS = [500, 1000, 2000, 4000, 8000] as const;

/**
 * The members that a source names, in the form of seeds. Throws RingletError SEEDS_UNAVAILABLE when it did not answer, six times within
 * some 16 s and the time that each attempt takes, and BAD_SEED when what it answered names no members: asking again would not help.
 */
export async function askSeeds(
  source: SeedSource,
  { lookup, runtime, log }: SeedAsking,
): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return readSeeds(await ask(source, lookup), source);
    } catch (error) {
      if (error instanceof RingletError && error.code === "BAD_SEED") throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const waitMs = WAITS_MS[attempt];
      if (waitMs === undefined) {
        throw new RingletError(
          "SEEDS_UNAVAILABLE",
          `${nameOf(source)} does not say who the members are (${reason}): see that it does, or write them under dyn_seeds with dyn_seed_provider: simple_provider`,
          { cause: error },
        );
      }
      log.warn("The members cannot be asked for yet; this node starts when they can.", {
        source: nameOf(source),
        reason,
        againInMs: waitMs,
      });
      await new Promise<void>((resolve) => runtime.after(waitMs, resolve));
    }
  }
}

async function ask(source: SeedSource, lookup: SeedLookup): Promise<readonly string[]> {
  switch (source.kind) {
    case "http":
      return [await lookup.http(source)];
    case "dns":
      return lookup.dns(source);
  }
}

/** The seeds of texts that separate them by | or white space. */
function readSeeds(texts: readonly string[], source: SeedSource): string[] {
  const seeds = texts.flatMap((text) => text.split(/[|\s]+/)).filter((seed) => seed !== "");
  if (seeds.length === 0) throw new Error("the answer names nobody");
  for (const seed of seeds) {
    try {
      parseSeed(seed);
    } catch (error) {
      throw new RingletError(
        "BAD_SEED",
        `${nameOf(source)} answered ${shown(texts.join(" "))}, in which ${shown(seed)} names no member: it must say host:port:rack:datacenter:tokens of each, separated by |`,
        { cause: error },
      );
    }
  }
  return seeds;
}

/** A source in messages. */
function nameOf(source: SeedSource): string {
  switch (source.kind) {
    case "http":
      return `http://${formatHostPort(source.server)}${source.path}`;
    case "dns":
      return source.server === undefined
        ? `the TXT record of ${source.name}`
        : `the TXT record of ${source.name} at ${formatHostPort(source.server)}`;
  }
}
