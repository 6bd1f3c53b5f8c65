// Reading a command line and its environment: which command, and the options of that command.

import { parseArgs } from "node:util";
import type { HostPort } from "../base/host-port.ts";
import { LOG_LEVELS, type LogLevel } from "../base/logger.ts";
import {
  parseSetting,
  SETTINGS,
  type Setting,
  SettingError,
  type SettingName,
  type SettingValues,
  settingNames,
  wantedBy,
} from "../base/settings.ts";
import { type ClusterGiven, readCluster } from "./cluster-flags.ts";
import { ASK_FLAGS, DEV_FLAGS, FLAGS, type Flag, SERVE_FLAGS } from "./flags.ts";
import {
  type Environment,
  type Given,
  GivenFlags,
  quote,
  readChoice,
  readHostPort,
  readNumber,
  UsageError,
} from "./given.ts";

/** What a command line asks for. */
export type Invocation =
  | { readonly command: "help" }
  | { readonly command: "version" }
  | { readonly command: "serve"; readonly options: ServeOptions }
  | { readonly command: "dev"; readonly options: DevOptions }
  | { readonly command: "ring" | "status"; readonly options: AskOptions };

export interface ServeOptions {
  /** Where Redis clients are listened for. */
  readonly listen: HostPort;
  /** Where HTTP requests for health, metrics and facts are listened for; undefined: nowhere. */
  readonly stats: HostPort | undefined;
  readonly logLevel: LogLevel;
  /** The cluster that the node is a member of; undefined: it is alone. */
  readonly cluster: ClusterGiven | undefined;
  /** The settings that differ from their defaults. */
  readonly settings: Partial<SettingValues>;
}

export interface DevOptions {
  readonly nodes: number;
  /** The first node's port for clients. */
  readonly port: number;
  readonly logLevel: LogLevel;
}

export interface AskOptions {
  /** The HTTP address of the node that is asked. */
  readonly stats: HostPort;
}

/** Most nodes that `ringlet dev` starts: as many racks as a datacenter may have. */
export const MAX_DEV_NODES = 28;

/** The commands and their flags. */
export const COMMAND_FLAGS = {
  serve: FLAGS,
  dev: DEV_FLAGS,
  ring: ASK_FLAGS,
  status: ASK_FLAGS,
} as const satisfies Readonly<Record<string, readonly Flag[]>>;

type CommandName = keyof typeof COMMAND_FLAGS;

const COMMAND_NAMES = Object.keys(COMMAND_FLAGS) as CommandName[];

/**
 * Reads a command line (without the program's name) and the environment. A flag wins over its variable; an empty variable
 * counts as not set. Throws UsageError.
 */
export function readInvocation(args: readonly string[], environment: Environment): Invocation {
  const { command, known, flags } = readTokens(args);
  if (flags.has("help") || command === "help") return { command: "help" };
  if (flags.has("version")) return { command: "version" };
  if (command === undefined) {
    throw new UsageError(
      "say what to do: `ringlet serve` runs a node, `ringlet dev` three of them, `ringlet --help` tells more",
    );
  }
  if (known === undefined) {
    throw new UsageError(
      `there is no command ${command}; there are ${COMMAND_NAMES.join(", ")} (see ringlet --help)`,
    );
  }
  const given = new GivenFlags(flags, environment);
  switch (known) {
    case "serve":
      return { command: known, options: readServe(given) };
    case "dev":
      return { command: known, options: readDev(given) };
    case "ring":
    case "status":
      return {
        command: known,
        options: { stats: readHostPort(given.lastOrDefault(ASK_FLAGS[0])) },
      };
  }
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

interface Tokens {
  /** The first word. */
  readonly command: string | undefined;
  /** The same, where it is a command. */
  readonly known: CommandName | undefined;
  /** The values of each flag that was given. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

function readTokens(args: readonly string[]): Tokens {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries([
      ...COMMAND_NAMES.flatMap((command) =>
        COMMAND_FLAGS[command].map(({ name }) => [name, { type: "string" }] as const),
      ),
      ["help", { type: "boolean", short: "h" }] as const,
      ["version", { type: "boolean", short: "v" }] as const,
    ]),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = tokens.flatMap((token) => (token.kind === "positional" ? token.value : []));
  const [command] = words;
  const known = COMMAND_NAMES.find((name) => name === command);
  const flags = new Map<string, string[]>();
  let seen = 0;
  for (const token of tokens) {
    if (token.kind === "positional" && ++seen > 1) {
      throw new UsageError(`${token.value} is one word too many; values follow flags`);
    }
    if (token.kind !== "option") continue;
    // Without a command, what helps most is to be told of the flags of serve.
    const value = readOption(token, known ?? "serve");
    flags.set(token.name, [...(flags.get(token.name) ?? []), value]);
  }
  return { command, known, flags };
}

function readOption(
  { name, rawName, value, inlineValue }: OptionToken,
  command: CommandName,
): string {
  if (name === "help" || name === "version") {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return "";
  }
  const flags: readonly Flag[] = COMMAND_FLAGS[command];
  const flag = flags.find((known) => known.name === name);
  if (flag === undefined) {
    throw new UsageError(`there is no flag ${rawName}; ringlet ${command} --help lists them all`);
  }
  // `--listen --maxmemory 1gb`: the value was forgotten, and the next flag must not be taken for it.
  if (value === undefined || (value.startsWith("--") && inlineValue !== true)) {
    throw new UsageError(`--${name} needs a value: --${name} <${flag.value}>`);
  }
  return value;
}

function readServe(given: GivenFlags): ServeOptions {
  const [listen, stats, logLevel] = SERVE_FLAGS.map((flag) => given.lastOrDefault(flag));
  const settings: { [N in SettingName]?: SettingValues[SettingName] } = {};
  for (const name of settingNames) {
    const flag = FLAGS.find((known) => known.name === (SETTINGS[name] as Setting).flag);
    const found = flag === undefined ? undefined : given.last(flag);
    if (found !== undefined) settings[name] = readSetting(name, found);
  }
  return {
    listen: readHostPort(listen!),
    stats: stats!.value === "off" ? undefined : readHostPort(stats!),
    logLevel: readChoice(logLevel!, LOG_LEVELS),
    cluster: readCluster(given),
    settings: settings as Partial<SettingValues>,
  };
}

function readDev(given: GivenFlags): DevOptions {
  const [nodes, port, logLevel] = DEV_FLAGS.map((flag) => given.lastOrDefault(flag));
  return {
    nodes: readNumber(nodes!, 1, MAX_DEV_NODES),
    port: readNumber(port!, 1, 65_535),
    logLevel: readChoice(logLevel!, LOG_LEVELS),
  };
}

function readSetting(name: SettingName, { from, value }: Given): SettingValues[SettingName] {
  try {
    return parseSetting(name, value);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new UsageError(`${from} cannot be ${quote(value)}: give ${wantedBy(SETTINGS[name])}`);
  }
}
