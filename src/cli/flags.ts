// The flags of every command: those of the command line itself, those that make a node a member of a cluster, and one for each
// setting that has a flag.

import { LOG_LEVELS } from "../base/logger.ts";
import type { Setting } from "../base/setting.ts";
import { SETTINGS, settingNames } from "../base/setting-table.ts";
import { HASH_NAMES } from "../codec/hash.ts";
import { SEED_PROVIDERS } from "../conf/seed-source.ts";
import {
  DEFAULT_CLUSTER_NAME,
  DEFAULT_DATACENTER,
  DEFAULT_HASH,
  DEFAULT_RACK,
  DISTRIBUTIONS,
} from "../ring/cluster-options.ts";

/** One flag: `--name <value>`, or the variable RINGLET_NAME. */
export interface Flag {
  readonly name: string;
  /** What stands for the value in the help text. */
  readonly value: string;
  readonly description: string;
  /** What holds without the flag, for the help text. */
  readonly default: string;
  /** It may be given several times, and each value counts. */
  readonly repeats?: boolean;
  /** It has no variable: one value for all processes would make no sense. */
  readonly flagOnly?: boolean;
  /** The letter that stands for it behind a single dash. */
  readonly short?: string;
  /** It is there or not, and has no value; `value` is empty. */
  readonly isSwitch?: boolean;
}

/** How a flag is written: `-c, --conf-file <path>`. */
export function usageOf({ name, value, short, isSwitch }: Flag): string {
  const long = isSwitch === true ? `--${name}` : `--${name} <${value}>`;
  return short === undefined ? long : `-${short}, ${long}`;
}

/** The environment variable that does what a flag does. */
export function variableOf(flag: string): string {
  return `RINGLET_${flag.toUpperCase().replaceAll("-", "_")}`;
}

const LOG_LEVEL = {
  name: "log-level",
  value: LOG_LEVELS.join("|"),
  description: "What is logged, as lines of JSON on standard error.",
  default: "info",
} as const;

/** Of `ringlet serve` itself. */
export const SERVE_FLAGS = [
  {
    name: "conf-file",
    value: "path",
    short: "c",
    description:
      "Configuration file in the form of the C engine. Flags and variables win over it; on SIGHUP it is read again.",
    default: "none",
  },
  {
    name: "test-conf",
    value: "",
    short: "t",
    isSwitch: true,
    description: "Say whether the node could start with --conf-file, and end.",
    default: "off",
    flagOnly: true,
  },
  {
    name: "listen",
    value: "host:port",
    description: "Where Redis clients connect. Port 0 takes any free port.",
    default: "127.0.0.1:8102",
  },
  {
    name: "memcached-listen",
    value: "host:port",
    description: "Where memcached clients connect (text protocol); they see database 0.",
    default: "off",
  },
  {
    name: "stats-listen",
    value: "host:port",
    description:
      "Where HTTP serves /healthz, /readyz, /metrics (OpenMetrics), /info, /ring and /cluster_describe (JSON).",
    default: "off",
  },
  LOG_LEVEL,
] as const satisfies readonly Flag[];

/** What makes a node of `ringlet serve` a member of a cluster. */
export const CLUSTER_FLAGS = [
  {
    name: "tokens",
    value: "numbers",
    description:
      "Places on the ring, decimal, separated by commas: makes the node a member of a cluster.",
    default: "none (the node is alone)",
  },
  {
    name: "cluster-name",
    value: "name",
    description: "Name of the cluster; nodes of another one are refused.",
    default: DEFAULT_CLUSTER_NAME,
  },
  {
    name: "datacenter",
    value: "name",
    description: "The datacenter that the node is in.",
    default: DEFAULT_DATACENTER,
  },
  {
    name: "rack",
    value: "name",
    description: "Its rack. Each rack of a datacenter holds one whole copy of the data.",
    default: DEFAULT_RACK,
  },
  {
    name: "dyn-listen",
    value: "host:port",
    description: "Where the other members connect.",
    default: "127.0.0.1:8101",
  },
  {
    name: "dyn-advertise",
    value: "host:port",
    description: "Where the other members reach this one, if that is another address.",
    default: "that of --dyn-listen",
  },
  {
    name: "dyn-seeds",
    value: "host:port:rack:datacenter:tokens",
    description:
      "The other members. May be given several times; one text may hold several, separated by commas. This node may be among them.",
    default: "none",
    repeats: true,
  },
  {
    name: "dyn-seed-provider",
    value: "name",
    description: `Who is asked at the start for more members: ${SEED_PROVIDERS.join(", ")} (nobody, an HTTP server, TXT records of DNS).`,
    default: SEED_PROVIDERS[0],
  },
  {
    name: "dns-server",
    value: "host:port",
    description: "The server that dns_provider asks.",
    default: "that of the system",
  },
  {
    name: "hash",
    value: "name",
    description: `Hash function of the keys: ${HASH_NAMES.join(", ")}.`,
    default: DEFAULT_HASH,
  },
  {
    name: "hash-tag",
    value: "two characters",
    description: "Of a key with both, as {user1}:cart with {}, only what is between is hashed.",
    default: "none",
  },
  {
    name: "distribution",
    value: DISTRIBUTIONS.join("|"),
    description: "How a rack shares the keys out: by tokens, or in slices.",
    default: DISTRIBUTIONS[0],
  },
  {
    name: "slices",
    value: "rack:datacenter:token=end,…",
    description:
      "The table of a rack with random_slicing: each slice ends at `end` of 2^64 points and belongs to the member with that first token. May be given several times; one text may hold several, separated by semicolons.",
    default: "equal slices",
    repeats: true,
  },
  {
    name: "cluster-secret-file",
    value: "path",
    description:
      "File with the secret of the cluster, which encrypts the links; RINGLET_CLUSTER_SECRET may hold the secret itself.",
    default: "none (links are open)",
  },
] as const satisfies readonly Flag[];

/** Of `ringlet dev`. */
export const DEV_FLAGS = [
  {
    name: "nodes",
    value: "number",
    description: "How many nodes, each in a rack of its own; 1 to 28.",
    default: "3",
    flagOnly: true,
  },
  {
    name: "port",
    value: "number",
    description:
      "Where clients connect to the first node; the others follow. Peers connect 10 further on, HTTP has 22222 and on. Ports in use are replaced by free ones.",
    default: "8102",
    flagOnly: true,
  },
  { ...LOG_LEVEL, default: "warn" },
] as const satisfies readonly Flag[];

/** Of `ringlet ring` and `ringlet status`. */
export const ASK_FLAGS = [
  {
    name: "stats",
    value: "host:port",
    description: "The HTTP address (--stats-listen) of a node.",
    default: "127.0.0.1:22222",
  },
] as const satisfies readonly Flag[];

/** Every flag of `ringlet serve`, in the order of the help text. */
export const FLAGS: readonly Flag[] = [
  ...SERVE_FLAGS,
  ...CLUSTER_FLAGS,
  ...settingNames.flatMap((name) => settingFlag(SETTINGS[name])),
];

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
