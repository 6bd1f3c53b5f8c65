// What `ringlet serve` is told, by flags, variables and a configuration file. A flag wins over its variable, a variable over the
// file, and the file over the defaults.

import { RingletError } from "../base/errors.ts";
import type { HostPort } from "../base/host-port.ts";
import { LOG_LEVELS, type LogLevel } from "../base/logger.ts";
import { confKeyOf, type Setting, wantedBy } from "../base/setting.ts";
import {
  SETTINGS,
  type SettingName,
  type SettingValues,
  settingNames,
} from "../base/setting-table.ts";
import { parseSetting, SettingError } from "../base/settings.ts";
import { buildTopology } from "../ring/topology.ts";
import type { BackendOptions } from "../store/backend-options.ts";
import { type ClusterGiven, readCluster } from "./cluster-flags.ts";
import { type ConfFile, ConfFileError, loadConfFile, type ReadFile } from "./conf-file.ts";
import { FLAGS, SERVE_FLAGS } from "./flags.ts";
import {
  type Given,
  type GivenFlags,
  quote,
  readChoice,
  readHostPort,
  UsageError,
} from "./given.ts";

export interface ServeOptions {
  /** Where Redis clients are listened for. */
  readonly listen: HostPort;
  /** Where memcached clients are listened for; undefined: nowhere. */
  readonly memcached: HostPort | undefined;
  /** Where HTTP requests for health, metrics and facts are listened for; undefined: nowhere. */
  readonly stats: HostPort | undefined;
  readonly logLevel: LogLevel;
  /** The cluster that the node is a member of; undefined: it is alone. */
  readonly cluster: ClusterGiven | undefined;
  /** The server that keeps the data; undefined: the node does. */
  readonly backend: BackendOptions | undefined;
  /** The settings that differ from their defaults. */
  readonly settings: Partial<SettingValues>;
  /** The file that some of it is from; undefined: there is none. */
  readonly confFile: ServedConfFile | undefined;
}

export interface ServedConfFile extends ConfFile {
  /** The keys that flags or variables give, which win. */
  readonly overridden: ReadonlySet<string>;
  /** Reads all options anew, with the file as it is then. Throws UsageError. */
  readonly readAgain: () => ServeOptions;
}

type ServeFlag = (typeof SERVE_FLAGS)[number]["name"];

/** Reads the options of a node. Throws UsageError. */
export function readServe(given: GivenFlags, readFile: ReadFile): ServeOptions {
  const flag = (name: ServeFlag) => SERVE_FLAGS.find((known) => known.name === name)!;
  const path = given.last(flag("conf-file"));
  const overridden = keysGiven(given);
  const file = path === undefined ? undefined : loadConfFile(path.value, readFile, overridden);
  const conf = file?.configuration;
  const cluster = readCluster(given, conf);
  if (file !== undefined && cluster !== undefined) checkCluster(cluster, file, overridden);

  /** What the command line or a variable says, else the file, else the default of the flag. */
  const read = <T>(name: ServeFlag, inFile: T | undefined, parse: (given: Given) => T): T =>
    given.last(flag(name)) === undefined && inFile !== undefined
      ? inFile
      : parse(given.lastOrDefault(flag(name)));
  const memcached = read("memcached-listen", conf?.memcachedListen, readHostPortOrOff);
  const stats = read("stats-listen", conf?.statsListen, readHostPortOrOff);
  return {
    listen: read("listen", conf?.listen, readHostPort),
    memcached: memcached === "off" ? undefined : memcached,
    stats: stats === "off" ? undefined : stats,
    logLevel: read<LogLevel>("log-level", conf?.logLevel, (level) => readChoice(level, LOG_LEVELS)),
    cluster,
    backend: conf?.backend,
    settings: { ...conf?.settings, ...readSettings(given) },
    confFile:
      file === undefined
        ? undefined
        : { ...file, overridden, readAgain: () => readServe(given, readFile) },
  };
}

/** The keys of the configuration file that flags or variables give. */
function keysGiven(given: GivenFlags): Set<string> {
  const keys = FLAGS.filter((flag) => given.last(flag) !== undefined).map(({ name }) => {
    const setting = settingNames.find((known) => (SETTINGS[known] as Setting).flag === name);
    return setting === undefined ? name.replaceAll("-", "_") : confKeyOf(SETTINGS[setting])!;
  });
  // The C engine's name for it.
  if (keys.includes("request_timeout_ms")) keys.push("timeout");
  return new Set(keys);
}

function readSettings(given: GivenFlags): Partial<SettingValues> {
  const settings: { [N in SettingName]?: SettingValues[SettingName] } = {};
  for (const name of settingNames) {
    const flag = FLAGS.find((known) => known.name === (SETTINGS[name] as Setting).flag);
    const found = flag === undefined ? undefined : given.last(flag);
    if (found !== undefined) settings[name] = readSetting(name, found);
  }
  return settings as Partial<SettingValues>;
}

function readSetting(name: SettingName, { from, value }: Given): SettingValues[SettingName] {
  try {
    return parseSetting(name, value);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new UsageError(`${from} cannot be ${quote(value)}: give ${wantedBy(SETTINGS[name])}`);
  }
}

function readHostPortOrOff(given: Given): HostPort | "off" {
  return given.value === "off" ? "off" : readHostPort(given);
}

/** Says what members and slices that do not fit together come to, at the key of the file that most likely is the cause. */
function checkCluster(
  cluster: ClusterGiven,
  { path, configuration }: ConfFile,
  overridden: ReadonlySet<string>,
): void {
  try {
    buildTopology(cluster.options);
  } catch (error) {
    if (!(error instanceof RingletError)) throw error;
    const key = error.code === "BAD_SLICES" ? "slices" : "dyn_seeds";
    const entry = overridden.has(key) ? undefined : configuration.entries.get(key);
    if (entry === undefined) throw new UsageError(error.message, { cause: error });
    const { line, column } = entry;
    const message = `${key}: ${error.message}`;
    throw new ConfFileError(path, [{ severity: "error", line, column, key, message }]);
  }
}
