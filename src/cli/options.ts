// Reading a command line and its environment: which command, and the options of that command.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { HostPort } from "../base/host-port.ts";
import { LOG_LEVELS, type LogLevel } from "../base/logger.ts";
import type { ReadFile } from "./conf-file.ts";
import { ASK_FLAGS, DEV_FLAGS, FLAGS, type Flag, usageOf } from "./flags.ts";
import {
  type Environment,
  GivenFlags,
  readChoice,
  readHostPort,
  readNumber,
  UsageError,
} from "./given.ts";
import { readServe, type ServedConfFile, type ServeOptions } from "./serve-options.ts";

/** What a command line asks for. */
export type Invocation =
  | { readonly command: "help" }
  | { readonly command: "version" }
  | { readonly command: "serve"; readonly options: ServeOptions }
  | {
      readonly command: "test-conf";
      readonly confFile: ServedConfFile;
      readonly options: ServeOptions;
    }
  | { readonly command: "dev"; readonly options: DevOptions }
  | { readonly command: "ring" | "status"; readonly options: AskOptions };

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
 * Reads a command line (without the program's name), the environment, and the configuration file that these name. A flag wins over
 * its variable; an empty variable counts as not set. Throws UsageError.
 */
export function readInvocation(
  args: readonly string[],
  environment: Environment,
  readFile: ReadFile = readText,
): Invocation {
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
    case "serve": {
      const options = readServe(given, readFile);
      if (!flags.has("test-conf")) return { command: known, options };
      const { confFile } = options;
      if (confFile !== undefined) return { command: "test-conf", confFile, options };
      throw new UsageError("--test-conf needs a file: give --conf-file <path> too");
    }
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
      ...COMMAND_NAMES.flatMap((command) => COMMAND_FLAGS[command].map(optionOf)),
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

function optionOf({ name, short, isSwitch }: Flag) {
  const type = isSwitch === true ? ("boolean" as const) : ("string" as const);
  return [name, { type, ...(short === undefined ? {} : { short }) }] as const;
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
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
  if (flag.isSwitch === true) {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return "";
  }
  // `--listen --maxmemory 1gb`: the value was forgotten, and the next flag must not be taken for it.
  if (value === undefined || (value.startsWith("--") && inlineValue !== true)) {
    throw new UsageError(`--${name} needs a value: ${usageOf(flag)}`);
  }
  return value;
}

function readDev(given: GivenFlags): DevOptions {
  const [nodes, port, logLevel] = DEV_FLAGS.map((flag) => given.lastOrDefault(flag));
  return {
    nodes: readNumber(nodes!, 1, MAX_DEV_NODES),
    port: readNumber(port!, 1, 65_535),
    logLevel: readChoice(logLevel!, LOG_LEVELS),
  };
}
