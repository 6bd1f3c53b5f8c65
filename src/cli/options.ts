// The options of `ringlet serve`: one table of flags, made of the command line's own and of every setting that has a flag,
// and the reading of flags and environment variables by it.

import { parseArgs } from "node:util";
import { type HostPort, parseHostPort } from "../base/host-port.ts";
import {
  parseSetting,
  SETTINGS,
  type Setting,
  SettingError,
  type SettingName,
  type SettingValues,
  settingNames,
} from "../base/settings.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

/** What a command line asks for. */
export type Invocation =
  | { readonly command: "help" }
  | { readonly command: "version" }
  | { readonly command: "serve"; readonly options: ServeOptions };

export interface ServeOptions {
  /** Where Redis clients are listened for. */
  readonly listen: HostPort;
  /** Where HTTP requests for health, metrics and facts are listened for; undefined: nowhere. */
  readonly stats: HostPort | undefined;
  readonly logLevel: LogLevel;
  /** The settings that differ from their defaults. */
  readonly settings: Partial<SettingValues>;
}

/** The command line or a variable is not understood; the message is one line that says what to do. */
export class UsageError extends Error {}

/** One flag: `--name <value>`, or the variable RINGLET_NAME. */
export interface Flag {
  readonly name: string;
  /** What stands for the value in the help text. */
  readonly value: string;
  readonly description: string;
  /** What holds without the flag, for the help text. */
  readonly default: string;
}

/** The flags of the command line itself. */
const OWN_FLAGS = [
  {
    name: "listen",
    value: "host:port",
    description: "Where Redis clients connect. Port 0 takes any free port.",
    default: "127.0.0.1:8102",
  },
  {
    name: "stats-listen",
    value: "host:port",
    description: "Where HTTP serves /healthz, /metrics (OpenMetrics) and /info (JSON).",
    default: "off",
  },
  {
    name: "log-level",
    value: LOG_LEVELS.join("|"),
    description: "What is logged, as lines of JSON on standard error.",
    default: "info",
  },
] as const satisfies readonly Flag[];

type OwnFlagName = (typeof OWN_FLAGS)[number]["name"];

/** Every flag of `ringlet serve`, in the order of the help text. */
export const FLAGS: readonly Flag[] = [
  ...OWN_FLAGS,
  ...settingNames.flatMap((name) => settingFlag(SETTINGS[name])),
];

/** The environment variable that does what a flag does. */
export function variableOf(flag: string): string {
  return `RINGLET_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * Reads a command line (without the program's name) and the environment. A flag wins over its variable; an empty variable
 * counts as not set. Throws UsageError.
 */
export function readInvocation(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Invocation {
  const { command, given } = readTokens(args);
  if (given.has("help") || command === "help") return { command: "help" };
  if (given.has("version")) return { command: "version" };
  if (command === undefined) {
    throw new UsageError(
      "say what to do: `ringlet serve` runs a node, `ringlet --help` tells more",
    );
  }
  if (command !== "serve") {
    throw new UsageError(`there is no command ${command}; there is serve (see ringlet --help)`);
  }
  return { command: "serve", options: readOptions(given, environment) };
}

interface Tokens {
  readonly command: string | undefined;
  readonly given: ReadonlyMap<string, string>;
}

function readTokens(args: readonly string[]): Tokens {
  const options = Object.fromEntries([
    ...FLAGS.map(({ name }) => [name, { type: "string" }] as const),
    ["help", { type: "boolean", short: "h" }] as const,
    ["version", { type: "boolean", short: "v" }] as const,
  ]);
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let command: string | undefined;
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (command !== undefined) {
        throw new UsageError(`${token.value} is one word too many; values follow flags`);
      }
      command = token.value;
    } else if (token.kind === "option") {
      given.set(token.name, readOptionToken(token));
    }
  }
  return { command, given };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readOptionToken({ name, rawName, value, inlineValue }: OptionToken): string {
  if (name === "help" || name === "version") {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return "";
  }
  const flag = FLAGS.find((known) => known.name === name);
  if (flag === undefined) {
    throw new UsageError(`there is no flag ${rawName}; ringlet serve --help lists them all`);
  }
  // `--listen --maxmemory 1gb`: the value was forgotten, and the next flag must not be taken for it.
  if (value === undefined || (value.startsWith("--") && inlineValue !== true)) {
    throw new UsageError(`--${name} needs a value: --${name} <${flag.value}>`);
  }
  return value;
}

function readOptions(
  given: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): ServeOptions {
  const find = (flag: string): Given | undefined => {
    const value = given.get(flag);
    if (value !== undefined) return { from: `--${flag}`, value };
    const inherited = environment[variableOf(flag)];
    if (inherited === undefined || inherited === "") return undefined;
    return { from: variableOf(flag), value: inherited };
  };
  const own = (flag: OwnFlagName): Given => {
    const { default: value } = OWN_FLAGS.find(({ name }) => name === flag)!;
    return find(flag) ?? { from: `--${flag}`, value };
  };
  const settings: { [N in SettingName]?: SettingValues[SettingName] } = {};
  for (const name of settingNames) {
    const { flag } = SETTINGS[name] as Setting;
    const found = flag === undefined ? undefined : find(flag);
    if (found !== undefined) settings[name] = readSetting(name, found);
  }
  return {
    listen: readHostPort(own("listen")),
    stats: own("stats-listen").value === "off" ? undefined : readHostPort(own("stats-listen")),
    logLevel: readLogLevel(own("log-level")),
    settings: settings as Partial<SettingValues>,
  };
}

/** A value and the flag or variable that it stands in. */
interface Given {
  readonly from: string;
  readonly value: string;
}

function readHostPort({ from, value }: Given): HostPort {
  const address = parseHostPort(value);
  if (address !== undefined) return address;
  throw new UsageError(`${from} cannot be ${quote(value)}: give host:port, as in 127.0.0.1:8102`);
}

function readLogLevel({ from, value }: Given): LogLevel {
  const level = LOG_LEVELS.find((known) => known === value);
  if (level !== undefined) return level;
  throw new UsageError(`${from} cannot be ${quote(value)}: give one of ${LOG_LEVELS.join(", ")}`);
}

function readSetting(name: SettingName, { from, value }: Given): SettingValues[SettingName] {
  try {
    return parseSetting(name, value);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new UsageError(`${from} cannot be ${quote(value)}: give ${wanted(SETTINGS[name])}`);
  }
}

function wanted(setting: Setting): string {
  switch (setting.type) {
    case "bytes":
      return `a number of bytes from ${setting.min} to ${setting.max}, with a unit if you like, as in 100mb`;
    case "integer":
      return `a whole number from ${setting.min} to ${setting.max}`;
    case "boolean":
      return "yes or no";
    case "choice":
      return `one of ${setting.choices.join(", ")}`;
    case "text":
      return "text";
  }
}

function settingFlag(setting: Setting): Flag[] {
  if (setting.flag === undefined) return [];
  return [
    {
      name: setting.flag,
      value: placeholderOf(setting),
      description: setting.description,
      default: defaultOf(setting),
    },
  ];
}

function placeholderOf(setting: Setting): string {
  switch (setting.type) {
    case "bytes":
      return "bytes";
    case "integer":
      return setting.unit === "" ? "number" : setting.unit;
    case "boolean":
      return "yes|no";
    case "choice":
      return "name";
    case "text":
      return "text";
  }
}

function defaultOf(setting: Setting): string {
  switch (setting.type) {
    case "bytes":
      return formatBytes(setting.default);
    case "boolean":
      return setting.default ? "yes" : "no";
    case "text":
      return setting.default === "" ? "none" : setting.default;
    case "integer":
    case "choice":
      return String(setting.default);
  }
}

/** The shortest text that names so many bytes exactly. */
function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ["gb", 2 ** 30],
    ["mb", 2 ** 20],
    ["kb", 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

/** The value as the user wrote it, on one line. */
function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
