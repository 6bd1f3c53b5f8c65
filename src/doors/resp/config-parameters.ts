// The parameters that CONFIG GET and SET know: settings of the node by Redis's names, or by their flags' where Redis has none, and
// what tools ask for that never changes here, as constants.

import { formatSetting, parseBytes } from "../../base/setting.ts";
import {
  SETTINGS,
  type SettingName,
  type SettingValues,
  settingNames,
} from "../../base/setting-table.ts";
import { parseSetting, SettingError, type Settings } from "../../base/settings.ts";

/** A parameter. Its names are in lower case. */
export interface Parameter {
  /** Two names of the same thing (an old and a new one) have the same subject. */
  readonly subject: string;
  read(settings: Settings): string;
  /** What setting it to `text` changes. Throws SettingError or FixedParameter. */
  parse(text: string): Partial<SettingValues>;
}

/** A parameter that cannot be set to something else. */
export class FixedParameter extends Error {}

/** A parameter that is what it is; `why`: it cannot be changed. */
export function fixedParameter(name: string, value: string, why: string): Parameter {
  return {
    subject: name,
    read: () => value,
    parse: (text) => {
      if (text !== value) throw new FixedParameter(why);
      return {};
    },
  };
}

/** What Redis calls these, what they always are here, and why. */
const FIXED: readonly (readonly [name: string, value: string, why: string])[] = [
  ["save", "", "this node keeps its data in memory only"],
  ["appendonly", "no", "this node keeps its data in memory only"],
  ["databases", "16", "can't set immutable config: there are always 16"],
  ["daemonize", "no", "can't set immutable config: a node never goes to the background by itself"],
  ["hz", "10", "background work always runs 10 times a second"],
  ["maxmemory-samples", "10", "eviction always compares 10 keys"],
  ["maxmemory-clients", "0", "limit clients with client-output-buffer-limit instead"],
  [
    "activedefrag",
    "no",
    "memory is always compacted as it is written; there is nothing to turn on",
  ],
  ["lazyfree-lazy-eviction", "no", "memory is freed at once, at a cost that does not depend on it"],
  ["lazyfree-lazy-expire", "no", "memory is freed at once, at a cost that does not depend on it"],
  [
    "lazyfree-lazy-server-del",
    "no",
    "memory is freed at once, at a cost that does not depend on it",
  ],
  ["lazyfree-lazy-user-del", "no", "memory is freed at once, at a cost that does not depend on it"],
  [
    "lazyfree-lazy-user-flush",
    "no",
    "memory is freed at once, at a cost that does not depend on it",
  ],
  ["notify-keyspace-events", "", "keyspace notifications are not supported by ringlet"],
  ["slowlog-log-slower-than", "-1", "slow commands are not logged"],
  ["slowlog-max-len", "0", "slow commands are not logged"],
  ["latency-monitor-threshold", "0", "latency events are not monitored"],
  ["latency-tracking", "no", "latencies per command are not tracked"],
  [
    "cluster-enabled",
    "no",
    "can't set immutable config: Redis Cluster is not supported by ringlet",
  ],
  ["min-replicas-to-write", "0", "there are no replicas of Redis's kind"],
  ["replica-read-only", "yes", "there are no replicas of Redis's kind"],
  ["replicaof", "", "there are no replicas of Redis's kind"],
  ["slaveof", "", "there are no replicas of Redis's kind"],
  ["io-threads", "1", "can't set immutable config: one thread answers all clients"],
];

function parameters(): [string, Parameter][] {
  const rows: [string, Parameter][] = FIXED.map(([name, value, why]) => [
    name,
    fixedParameter(name, value, why),
  ]);
  for (const setting of settingNames) {
    const facts = SETTINGS[setting];
    const parameter = setting === "outputLimitBytes" ? OUTPUT_LIMIT : settingParameter(setting);
    if ("redisNames" in facts) {
      for (const name of facts.redisNames) rows.push([name, parameter]);
    } else if ("flag" in facts) rows.push([facts.flag, parameter]);
  }
  return rows;
}

function settingParameter(setting: SettingName): Parameter {
  return {
    subject: setting,
    read: (settings) => formatSetting(settings.get(setting)),
    parse: (text) => ({ [setting]: parseSetting(setting, text) }),
  };
}

/** "normal <hard> <soft> <seconds>": the only class of clients here, and a hard limit only. */
const OUTPUT_LIMIT: Parameter = {
  subject: "outputLimitBytes",
  read: (settings) => `normal ${settings.get("outputLimitBytes")} 0 0`,
  parse: (text) => {
    const words = text.trim().split(/\s+/);
    if (words.length % 4 !== 0) {
      throw limitError("Wrong number of arguments in buffer limit configuration.");
    }
    let changes: Partial<SettingValues> = {};
    for (let i = 0; i < words.length; i += 4) {
      changes = { ...changes, ...parseLimit(words.slice(i, i + 4)) };
    }
    return changes;
  },
};

function parseLimit([name, hardText, softText, secondsText]: string[]): Partial<SettingValues> {
  const hard = parseBytes(hardText!);
  const soft = parseBytes(softText!);
  if (hard === undefined || soft === undefined || !/^\d+$/.test(secondsText!)) {
    throw limitError("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  }
  switch (name!.toLowerCase()) {
    case "normal":
      if (soft !== 0) throw limitError("ringlet has hard limits only: the soft one must be 0");
      return { outputLimitBytes: hard };
    case "slave":
    case "replica":
    case "pubsub":
      throw limitError("ringlet has clients of the class normal only");
    default:
      throw limitError("Invalid client class specified in buffer limit configuration.");
  }
}

const limitError = (reason: string) => new SettingError("outputLimitBytes", reason);

/** Every parameter by name, but for the port, which the door knows. */
export const PARAMETERS: ReadonlyMap<string, Parameter> = new Map(parameters());
