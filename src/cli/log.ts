// The log of a node that runs from the command line: pino, one line of JSON per event on standard error.

import { pino } from "pino";
import type { Logger, LogLevel } from "../base/logger.ts";

/** A log whose level can change while it is written. */
export interface LevelledLog extends Logger {
  readonly level: LogLevel;
  setLevel(level: LogLevel): void;
}

export function openLog(level: LogLevel): LevelledLog {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous: the last lines before the process ends are the ones that matter.
    pino.destination({ fd: process.stderr.fd, sync: true }),
  );
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
    get level() {
      return log.level as LogLevel;
    },
    setLevel: (level) => {
      log.level = level;
    },
  };
}
