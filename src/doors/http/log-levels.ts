// The log levels of the C engine, 0 (emergencies) to 11 (everything), as those that a node has.

import { LOG_LEVELS, type LogLevel } from "../../base/logger.ts";

/** From the C engine's 0 on; the last one holds for all above. */
const LEVELS_OF_C: readonly LogLevel[] = [
  ...(["silent", "error", "error", "error", "warn", "info", "info"] as const),
  "debug",
];

/** Largest level of the C engine. */
const MAX_LEVEL = 11;

/** The level that a number of the C engine, or one of our own names, stands for; undefined: none. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const name = LOG_LEVELS.find((level) => level === text.toLowerCase());
  if (name !== undefined) return name;
  if (!/^\d{1,2}$/.test(text) || Number(text) > MAX_LEVEL) return undefined;
  return LEVELS_OF_C[Math.min(Number(text), LEVELS_OF_C.length - 1)]!;
}

/** The next level that says more (`by` 1) or less (-1); the last one where there is none. */
export function neighbourOf(level: LogLevel, by: 1 | -1): LogLevel {
  // They are listed from all to nothing.
  const index = LOG_LEVELS.indexOf(level) - by;
  return LOG_LEVELS[Math.min(Math.max(0, index), LOG_LEVELS.length - 1)]!;
}
