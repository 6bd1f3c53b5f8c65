/** Consistency levels: how many replicas of a datacenter a request hears before it is answered. */

/** All levels, by number; the kernel uses the same numbers. */
export const LEVELS = ["DC_ONE", "DC_QUORUM", "DC_SAFE_QUORUM", "DC_EACH_SAFE_QUORUM"] as const;

export type ConsistencyLevel = (typeof LEVELS)[number];

/** The level of a name, whatever its case; undefined for any other text. */
export function parseLevel(text: string): ConsistencyLevel | undefined {
  const upper = text.toUpperCase();
  return LEVELS.find((level) => level === upper);
}

/** Replicas of `n` that a level hears: of the configured ones, whoever is up. */
export function neededReplicas(level: ConsistencyLevel, n: number): number {
  return level === "DC_ONE" ? 1 : Math.floor(n / 2) + 1;
}
