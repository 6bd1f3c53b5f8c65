/** Where the engine says what an operator should know. A message is a whole sentence; `fields` are for machines. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** From which level on messages are kept, and what changes that; left out where it does not change. */
  readonly level?: LogLevel;
  setLevel?(level: LogLevel): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** A logger that says nothing. */
export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** From all of it to none of it. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];
