// Every setting of a node: one table with type, default, bounds and names, and Settings, which holds the values of one node.
// The flags of the command line, the environment, CONFIG GET and SET, and the table in the docs all come from here.

import { RingletError } from "./errors.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Largest number that is exact. */
const MOST = Number.MAX_SAFE_INTEGER;

interface SettingFacts {
  /** What it does, for the help text and the docs. */
  readonly description: string;
  /** Name of the flag (`--maxmemory`) and, in upper case behind RINGLET_, of the environment variable; none: not set there. */
  readonly flag?: string;
  /** Its key in the configuration file, where that is not the flag's name with _ for -. */
  readonly confKey?: string;
  /** Names in CONFIG GET and CONFIG SET, the first being the proper one; none: the flag's name. */
  readonly redisNames?: readonly string[];
  /** Whether it can change while the node runs. */
  readonly atRunTime: boolean;
}

/** A number of bytes; its text may end in a unit: k, m, g (powers of 1000), kb, mb, gb (powers of 1024). */
export interface BytesSetting extends SettingFacts {
  readonly type: "bytes";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** A whole number of `unit`. */
export interface IntegerSetting extends SettingFacts {
  readonly type: "integer";
  readonly unit: "ms" | "s" | "";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface TextSetting extends SettingFacts {
  readonly type: "text";
  readonly default: string;
  /** Never shown in logs. */
  readonly secret: boolean;
}

/** "yes" or "no". */
export interface BooleanSetting extends SettingFacts {
  readonly type: "boolean";
  readonly default: boolean;
}

export interface ChoiceSetting extends SettingFacts {
  readonly type: "choice";
  readonly default: string;
  readonly choices: readonly string[];
}

export type Setting = BytesSetting | IntegerSetting | TextSetting | BooleanSetting | ChoiceSetting;

/** Consistency levels as settings name them: those of src/ring/levels.ts in lower case, as the C engine writes them. */
const CONSISTENCY_LEVELS = [
  "dc_one",
  "dc_quorum",
  "dc_safe_quorum",
  "dc_each_safe_quorum",
] as const;

/** All settings by name. */
export const SETTINGS = {
  password: {
    type: "text",
    default: "",
    secret: true,
    flag: "requirepass",
    redisNames: ["requirepass"],
    atRunTime: true,
    description:
      "Password that clients must send with AUTH or HELLO before any command. Empty: none.",
  },
  maxMemoryBytes: {
    type: "bytes",
    default: 0,
    min: 0,
    max: MOST,
    flag: "maxmemory",
    redisNames: ["maxmemory"],
    atRunTime: true,
    description:
      "Bytes that the data may take: live records, index, and values on the host. 0: only the ceiling limits it.",
  },
  maxMemoryPolicy: {
    type: "choice",
    default: "noeviction",
    choices: [
      "noeviction",
      "allkeys-lru",
      "volatile-lru",
      "allkeys-random",
      "volatile-random",
      "volatile-ttl",
    ],
    flag: "maxmemory-policy",
    redisNames: ["maxmemory-policy"],
    atRunTime: true,
    description: "What happens at maxmemory or at the ceiling: refuse writes, or evict keys.",
  },
  cache: {
    type: "boolean",
    default: false,
    flag: "cache",
    atRunTime: false,
    description:
      "Whether a ring is a cache, whose members may evict. Each evicts by itself, so replicas differ: a key may be found at one and not at another, and nothing makes them equal again.",
  },
  maxClients: {
    type: "integer",
    unit: "",
    default: 10_000,
    min: 1,
    max: 1_000_000,
    flag: "maxclients",
    redisNames: ["maxclients"],
    atRunTime: true,
    description: "Client connections at a time; the next one gets an error and is closed.",
  },
  maxBulkBytes: {
    type: "bytes",
    default: 64 * MIB,
    min: MIB,
    max: 512 * MIB,
    flag: "proto-max-bulk-len",
    redisNames: ["proto-max-bulk-len"],
    atRunTime: true,
    description: "Longest argument of a command and longest string value.",
  },
  outputLimitBytes: {
    type: "bytes",
    default: 256 * MIB,
    min: 0,
    max: MOST,
    flag: "output-limit",
    redisNames: ["client-output-buffer-limit"],
    atRunTime: true,
    description:
      "Reply bytes that may wait for a client; beyond them nothing more of it runs until they have left, and it is closed when it takes none of them for --stalled-request-ms. 0: no limit.",
  },
  inFlightBudgetBytes: {
    type: "bytes",
    default: 256 * MIB,
    min: MIB,
    max: MOST,
    flag: "in-flight-budget",
    atRunTime: false,
    description:
      "Bytes of commands that have come in part and of replies that wait, of all clients together; beyond them nothing more is read from the clients that hold much.",
  },
  maxRequestBytes: {
    type: "bytes",
    default: 512 * MIB,
    min: MIB,
    max: MOST,
    flag: "client-query-buffer-limit",
    redisNames: ["client-query-buffer-limit"],
    atRunTime: true,
    description:
      "Longest command, all its arguments together, and most bytes that a client may queue between MULTI and EXEC.",
  },
  idleTimeoutSeconds: {
    type: "integer",
    unit: "s",
    default: 0,
    min: 0,
    max: 2_147_483_647,
    flag: "timeout",
    // The C engine's key of that name is the time for other members.
    confKey: "idle_timeout",
    redisNames: ["timeout"],
    atRunTime: true,
    description: "A client that sends nothing for so long is closed. 0: never.",
  },
  stalledRequestMs: {
    type: "integer",
    unit: "ms",
    default: 10_000,
    min: 100,
    max: 2_147_483_647,
    flag: "stalled-request-ms",
    atRunTime: true,
    description:
      "A client that takes none of its replies for so long, over the output limit or the in-flight budget, is closed; over the budget, so is the client that holds most of it and makes no progress.",
  },
  protectedMode: {
    type: "boolean",
    default: true,
    flag: "protected-mode",
    redisNames: ["protected-mode"],
    atRunTime: true,
    description: "Whether clients on other machines are refused while no password is set.",
  },
  tlsCertFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "tls-cert-file",
    atRunTime: false,
    description:
      "File with the node's certificate (PEM, with those between it and its CA): the doors of Redis and memcached clients then speak TLS, and nothing else.",
  },
  tlsKeyFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "tls-key-file",
    atRunTime: false,
    description: "File with the key of --tls-cert-file (PEM, without a passphrase).",
  },
  tlsCaFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "tls-ca-cert-file",
    atRunTime: false,
    description: "File with the certificates of the CAs that clients' certificates must be from.",
  },
  tlsAuthClients: {
    type: "choice",
    default: "yes",
    choices: ["yes", "no", "optional"],
    flag: "tls-auth-clients",
    atRunTime: false,
    description:
      "Whether clients over TLS must show a certificate; optional: they may, and one that is shown must be right.",
  },
  drainTimeoutMs: {
    type: "integer",
    unit: "ms",
    default: 10_000,
    min: 0,
    max: 2_147_483_647,
    flag: "drain-timeout-ms",
    atRunTime: true,
    description:
      "How long a node that closes waits for replies to leave before it cuts connections off.",
  },
  ceilingBytes: {
    type: "bytes",
    default: 4_293_918_720,
    min: 16 * MIB,
    max: 4_293_918_720,
    flag: "memory-ceiling",
    atRunTime: false,
    description:
      "Bytes of linear memory that the kernel may take, all told; WebAssembly addresses no more than 4 GiB.",
  },
  activeExpiry: {
    type: "boolean",
    default: true,
    atRunTime: true,
    description:
      "Whether the background work removes what has expired; a command that looks it up always does (DEBUG SET-ACTIVE-EXPIRE).",
  },
  hashListpackEntries: {
    type: "integer",
    unit: "",
    default: 512,
    min: 0,
    max: 2_147_483_647,
    flag: "hash-max-listpack-entries",
    redisNames: ["hash-max-listpack-entries", "hash-max-ziplist-entries"],
    atRunTime: true,
    description: "Fields up to which a hash has the compact encoding.",
  },
  hashListpackValueBytes: {
    type: "bytes",
    default: 64,
    min: 0,
    max: 2_147_483_647,
    flag: "hash-max-listpack-value",
    redisNames: ["hash-max-listpack-value", "hash-max-ziplist-value"],
    atRunTime: true,
    description: "Length of a field or value up to which a hash has the compact encoding.",
  },
  readConsistency: {
    type: "choice",
    default: "dc_one",
    choices: CONSISTENCY_LEVELS,
    flag: "read-consistency",
    atRunTime: true,
    description: "Level at which new connections to a member of a ring read.",
  },
  writeConsistency: {
    type: "choice",
    default: "dc_one",
    choices: CONSISTENCY_LEVELS,
    flag: "write-consistency",
    atRunTime: true,
    description: "Level at which new connections to a member of a ring write.",
  },
  requestTimeoutMs: {
    type: "integer",
    unit: "ms",
    default: 5000,
    min: 10,
    max: 3_600_000,
    flag: "request-timeout-ms",
    atRunTime: true,
    description:
      "How long a command may wait for other members, or for the server behind the node, before it ends with an error.",
  },
  rememberedWrites: {
    type: "integer",
    unit: "",
    default: 65_536,
    min: 16,
    max: 16_777_216,
    flag: "remembered-writes",
    atRunTime: true,
    description:
      "Writes that this node has run for other members, whose replies it keeps: one that is sent again is answered, not run again.",
  },
  maxStampAheadMs: {
    type: "integer",
    unit: "ms",
    default: 10_000,
    min: 1,
    max: 3_600_000,
    flag: "max-stamp-ahead-ms",
    atRunTime: false,
    description:
      "Writes stamped further ahead of this node's clock are refused, and so are peers whose clock is further off; all members need the same.",
  },
  maxPendingRequests: {
    type: "integer",
    unit: "",
    default: 1_048_576,
    min: 16,
    max: 16_777_216,
    flag: "max-pending-requests",
    atRunTime: false,
    description: "Commands that may wait for other members at a time; further ones get an error.",
  },
  maxLinkPendingRequests: {
    type: "integer",
    unit: "",
    default: 1_048_576,
    min: 16,
    max: 16_777_216,
    flag: "max-link-pending-requests",
    atRunTime: false,
    description:
      "Requests that one peer may leave unanswered; beyond them it is sent only what has no quorum without it, and copies the rest later.",
  },
  maxVersion1Connections: {
    type: "integer",
    unit: "",
    default: 1024,
    min: 0,
    max: 65_535,
    flag: "max-version-1-connections",
    atRunTime: true,
    description:
      "Connections of nodes of the C engine to this one that may be open at a time; 0, or a cluster secret: such nodes are not served.",
  },
  maxLinkQueueBytes: {
    type: "bytes",
    default: 64 * MIB,
    min: MIB,
    max: MOST,
    flag: "max-link-queue",
    atRunTime: true,
    description:
      "Bytes that may wait for one peer; from half of them on it is sent less and less, and copies the rest later, beyond them it is cut off.",
  },
  maxFrameBytes: {
    type: "bytes",
    default: 72 * MIB,
    min: MIB,
    max: 1024 * MIB,
    flag: "max-frame",
    atRunTime: false,
    description:
      "Longest frame between members, which bounds the records that a ring can hold; a longer one closes its link.",
  },
  pingIntervalMs: {
    type: "integer",
    unit: "ms",
    default: 1000,
    min: 10,
    max: 3_600_000,
    flag: "ping-interval-ms",
    atRunTime: false,
    description: "How often a peer is asked for a sign of life.",
  },
  linkTimeoutMs: {
    type: "integer",
    unit: "ms",
    default: 3000,
    min: 20,
    max: 3_600_000,
    flag: "link-timeout-ms",
    atRunTime: false,
    description: "A peer of which nothing comes for so long is down.",
  },
  dialTimeoutMs: {
    type: "integer",
    unit: "ms",
    default: 2000,
    min: 10,
    max: 3_600_000,
    flag: "dial-timeout-ms",
    atRunTime: false,
    description: "How long opening a connection to a peer may take.",
  },
  handshakeTimeoutMs: {
    type: "integer",
    unit: "ms",
    default: 5000,
    min: 10,
    max: 3_600_000,
    flag: "handshake-timeout-ms",
    atRunTime: false,
    description:
      "How long two members may take to greet each other, and a client to agree on TLS, before the connection closes.",
  },
  reconnectMinMs: {
    type: "integer",
    unit: "ms",
    default: 100,
    min: 1,
    max: 3_600_000,
    flag: "reconnect-min-ms",
    atRunTime: false,
    description: "Wait before a lost peer is dialled again; it doubles with each failure.",
  },
  reconnectMaxMs: {
    type: "integer",
    unit: "ms",
    default: 5000,
    min: 1,
    max: 3_600_000,
    flag: "reconnect-max-ms",
    atRunTime: false,
    description: "Longest wait before a lost peer is dialled again.",
  },
  requireEncryption: {
    type: "boolean",
    default: false,
    flag: "require-encryption",
    atRunTime: false,
    description:
      "Whether a member is refused with which a link cannot be encrypted; such a link is open otherwise, with a warning. Needs a secret of the cluster, or --peer-tls-cert-file.",
  },
  peerTlsCertFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "peer-tls-cert-file",
    atRunTime: false,
    description:
      "File with this member's certificate (PEM): links between members are then over TLS; all members need one.",
  },
  peerTlsKeyFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "peer-tls-key-file",
    atRunTime: false,
    description: "File with the key of --peer-tls-cert-file (PEM, without a passphrase).",
  },
  peerTlsCaFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "peer-tls-ca-cert-file",
    atRunTime: false,
    description:
      "File with the certificates of the CAs that members' certificates must be from: whoever has one of these can be a member.",
  },
  peerTlsAuthClients: {
    type: "choice",
    default: "yes",
    choices: ["yes", "no"],
    flag: "peer-tls-auth-clients",
    atRunTime: false,
    description:
      "Whether a member that dials this one must show a certificate; the one that is dialled always must.",
  },
  copyPageBytes: {
    type: "bytes",
    default: 256 * KIB,
    min: 4 * KIB,
    max: 16 * MIB,
    flag: "copy-page",
    atRunTime: true,
    description: "Bytes of records that are sent at a time to a member which catches up.",
  },
  copyParallel: {
    type: "integer",
    unit: "",
    default: 2,
    min: 1,
    max: 128,
    flag: "copy-parallel",
    atRunTime: true,
    description:
      "Members that one which catches up copies from at the same time: so many of its own datacenter, and so many of others.",
  },
  statsToken: {
    type: "text",
    default: "",
    secret: true,
    flag: "stats-token",
    atRunTime: true,
    description:
      "Token (Authorization: Bearer …) with which HTTP requests from other machines may change the node; without one, only those from this machine may.",
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S> = S extends { type: "choice"; choices: readonly (infer C)[] }
  ? C
  : S extends { type: "text" }
    ? string
    : S extends { type: "boolean" }
      ? boolean
      : number;

/** The type of each setting's value. */
export type SettingValues = { readonly [N in SettingName]: ValueOf<(typeof SETTINGS)[N]> };

type MutableValues = { -readonly [N in SettingName]: SettingValues[N] };

/** A setting that cannot have the value asked for; nothing was changed. Code BAD_SETTING. */
export class SettingError extends RingletError {
  readonly setting: SettingName;
  /** What is wrong with the value, without the setting's name. */
  readonly reason: string;

  constructor(setting: SettingName, reason: string) {
    super("BAD_SETTING", `${setting}: ${reason}`);
    this.setting = setting;
    this.reason = reason;
  }
}

/** The settings of one node. Listeners hear of every change, after it. */
export class Settings {
  readonly #values: MutableValues;
  readonly #listeners = new Map<SettingName, ((value: never) => void)[]>();

  /** `initial`: what differs from the defaults. Throws SettingError. */
  constructor(initial: Partial<SettingValues> = {}) {
    const values: Record<string, unknown> = {};
    for (const name of settingNames) {
      const value = initial[name] ?? SETTINGS[name].default;
      checkSetting(name, value);
      values[name] = value;
    }
    this.#values = values as MutableValues;
  }

  get<N extends SettingName>(name: N): SettingValues[N] {
    return this.#values[name];
  }

  /** Changes one setting. Throws SettingError when the value is out of bounds, or would change what is fixed at the start. */
  set<N extends SettingName>(name: N, value: SettingValues[N]): void {
    this.setAll({ [name]: value } as Partial<SettingValues>);
  }

  /**
   * Changes several settings, all or none: a value that is out of bounds, or a listener that throws, leaves everything as it was
   * (listeners that had heard of the change hear of its undoing).
   */
  setAll(changes: Partial<SettingValues>): void {
    const names = Object.keys(changes) as SettingName[];
    for (const name of names) {
      checkSetting(name, changes[name]);
      if (!SETTINGS[name].atRunTime && changes[name] !== this.#values[name]) {
        throw new SettingError(name, "it can only be set when the node starts");
      }
    }
    const before = { ...this.#values };
    const changed: SettingName[] = [];
    try {
      for (const name of names) {
        changed.push(name);
        this.#change(name, changes[name]!);
      }
    } catch (error) {
      for (const name of changed.reverse()) this.#change(name, before[name]);
      throw error;
    }
  }

  /** Calls `listener` with the new value after each change of a setting. */
  onChange<N extends SettingName>(name: N, listener: (value: SettingValues[N]) => void): void {
    const listeners = this.#listeners.get(name) ?? [];
    listeners.push(listener);
    this.#listeners.set(name, listeners);
  }

  #change(name: SettingName, value: SettingValues[SettingName]): void {
    (this.#values as Record<SettingName, unknown>)[name] = value;
    for (const listener of this.#listeners.get(name) ?? []) listener(value as never);
  }
}

/** Names of all settings, in the order of the table. */
export const settingNames = Object.keys(SETTINGS) as readonly SettingName[];

/** The key of a setting in the configuration file; undefined: it has none. */
export function confKeyOf({ confKey, flag }: Setting): string | undefined {
  return confKey ?? flag?.replaceAll("-", "_");
}

/** What a setting takes, for an error message: "give …". */
export function wantedBy(setting: Setting): string {
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

/** Reads a setting from text, as a flag or CONFIG SET gives it. Throws SettingError. */
export function parseSetting<N extends SettingName>(name: N, text: string): SettingValues[N] {
  const value = parseText(name, text);
  checkSetting(name, value);
  return value as SettingValues[N];
}

/** A setting as text: what CONFIG GET says, and parseSetting() reads. */
export function formatSetting(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

/** Bytes that a text like "100mb" names; undefined when it is no such text. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,16})([a-z]*)$/i.exec(text);
  if (match === null) return undefined;
  const unit = BYTE_UNITS[match[2]!.toLowerCase()];
  if (unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return bytes <= MOST ? bytes : undefined;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: KIB,
  m: 1000 * 1000,
  mb: MIB,
  g: 1000 * 1000 * 1000,
  gb: 1024 * MIB,
};

function parseText(name: SettingName, text: string): string | number | boolean {
  const setting: Setting = SETTINGS[name];
  switch (setting.type) {
    case "bytes": {
      const bytes = parseBytes(text);
      if (bytes === undefined) throw new SettingError(name, "argument must be a memory value");
      return bytes;
    }
    case "integer": {
      if (!/^-?\d{1,15}$/.test(text)) {
        throw new SettingError(name, "argument couldn't be parsed into an integer");
      }
      return Number(text);
    }
    case "boolean": {
      const word = text.toLowerCase();
      if (word === "yes") return true;
      if (word === "no") return false;
      throw new SettingError(name, "argument must be 'yes' or 'no'");
    }
    case "choice":
      return text.toLowerCase();
    case "text":
      return text;
  }
}

function checkSetting(name: SettingName, value: unknown): void {
  const setting: Setting = SETTINGS[name];
  switch (setting.type) {
    case "bytes":
    case "integer":
      if (
        typeof value !== "number" ||
        !Number.isInteger(value) ||
        value < setting.min ||
        value > setting.max
      ) {
        throw new SettingError(
          name,
          `argument must be between ${setting.min} and ${setting.max} inclusive`,
        );
      }
      return;
    case "choice":
      if (typeof value !== "string" || !setting.choices.includes(value)) {
        throw new SettingError(
          name,
          `argument(s) must be one of the following: ${setting.choices.join(", ")}`,
        );
      }
      return;
    case "boolean":
      if (typeof value !== "boolean") throw new SettingError(name, "argument must be a boolean");
      return;
    case "text":
      if (typeof value !== "string") throw new SettingError(name, "argument must be text");
      return;
  }
}
