// Every key of a configuration file: those of the C engine with their limits, and our own. The settings of a node are here by
// themselves, from the table of settings.

import { LOG_LEVELS } from "../base/logger.ts";
import { confKeyOf } from "../base/setting.ts";
import { SETTINGS, type SettingName, settingNames } from "../base/setting-table.ts";
import { HASH_NAMES } from "../codec/hash.ts";
import { DISTRIBUTIONS } from "../ring/cluster-options.ts";
import { SECURE_SERVER_OPTIONS } from "../ring/peer-security.ts";
import { SEED_PROVIDERS } from "./seed-source.ts";
import {
  address,
  addressOrOff,
  choice,
  count,
  countSetting,
  hashTag,
  name,
  type Reader,
  seeds,
  server,
  setting,
  text,
  texts,
  tokens,
  truth,
  word,
} from "./value-readers.ts";

/** A key: how its value is read and, where it is accepted in vain, why. */
export interface Key<T> {
  readonly read: Reader<T>;
  /** What holds instead; a file that has the key gets a warning. */
  readonly noEffect?: string;
}

/** The largest number of the C engine. */
const MOST = 2_147_483_647;
/** The C engine keeps these in one byte. */
const ONE_BYTE = 255;

/** Where the data is kept, by the names that files use. The C engine has 0 and 1. */
const DATA_STORES = {
  0: "redis",
  1: "memcached",
  2: "embedded",
  redis: "redis",
  valkey: "redis",
  memcache: "memcached",
  memcached: "memcached",
  embedded: "embedded",
} as const;

/** The keys besides those of settings. */
export const KEYS = {
  // The node and its clients.
  listen: { read: address() },
  memcached_listen: { read: addressOrOff() },
  stats_listen: { read: addressOrOff() },
  log_level: { read: choice(LOG_LEVELS) },
  timeout: { read: countSetting("requestTimeoutMs") },
  backlog: {
    read: count({ max: MOST }),
    noEffect: "511 connections may wait to be accepted",
  },
  client_connections: {
    read: count({ max: MOST }),
    noEffect: "the C engine ignores it too; maxclients bounds the connections of clients",
  },
  stats_interval: {
    read: count({ max: MOST }),
    noEffect: "figures are made when they are asked for",
  },
  max_msgs: {
    read: count({ min: 100_000, max: 1_000_000 }),
    noEffect: "max_pending_requests bounds the requests that wait",
  },

  // Its place in the cluster.
  tokens: { read: tokens() },
  cluster_name: { read: name("cluster") },
  datacenter: { read: name("datacenter") },
  rack: { read: name("rack") },
  hash: { read: choice(HASH_NAMES) },
  hash_tag: { read: hashTag() },
  distribution: {
    read: choice(DISTRIBUTIONS, {
      names: ["single", "ketama", "modula", "random"],
      instead: "vnode",
    }),
  },
  slices: { read: texts() },

  // The other members.
  dyn_listen: { read: address() },
  dyn_advertise: { read: address() },
  env: { read: text() },
  dyn_seed_provider: { read: choice(SEED_PROVIDERS) },
  dyn_seeds: { read: seeds() },
  dns_server: { read: address() },
  cluster_secret_file: { read: text() },
  secure_server_option: { read: choice(SECURE_SERVER_OPTIONS) },
  pem_key_file: { read: text() },
  enable_gossip: { read: truth() },
  gos_interval: { read: count({ max: MOST }) },
  mbuf_size: { read: count({ min: 512, max: 512_000, multipleOf: 16 }) },
  conn_msg_rate: { read: count({ max: MOST }) },
  local_peer_connections: { read: count({ max: ONE_BYTE }) },
  remote_peer_connections: { read: count({ max: ONE_BYTE }) },
  read_repairs_enabled: { read: truth() },
  dyn_read_timeout: {
    read: count({ max: MOST }),
    noEffect: "the C engine ignores it too; timeout bounds the wait for other members",
  },
  dyn_write_timeout: {
    read: count({ max: MOST }),
    noEffect: "the C engine ignores it too; timeout bounds the wait for other members",
  },
  dyn_port: {
    read: count({ max: 65_535 }),
    noEffect: "the C engine ignores it too; dyn_listen has the port",
  },
  dyn_connections: {
    read: count({ max: MOST }),
    noEffect: "the C engine ignores it too; two members of this kind have one connection",
  },
  recon_key_file: {
    read: text(),
    noEffect: "the C engine's reconciliation is not there; members copy what they lack",
  },
  recon_iv_file: {
    read: text(),
    noEffect: "the C engine's reconciliation is not there; members copy what they lack",
  },

  // The server that keeps the data.
  data_store: { read: word(DATA_STORES) },
  servers: { read: server() },
  datastore_connections: { read: count({ max: ONE_BYTE }) },
  redis_requirepass: { read: text() },
  server_retry_timeout: { read: count({ max: MOST }) },
  server_failure_limit: { read: count({ max: MOST }) },
  preconnect: { read: truth() },
  auto_eject_hosts: { read: truth() },
  server_connections: {
    read: text(),
    noEffect: "the C engine ignores it too; datastore_connections has the number",
  },
} as const satisfies Readonly<Record<string, Key<unknown>>>;

export type KeyName = keyof typeof KEYS;

type ReadBy<K> = K extends Key<infer T> ? T : never;

/** What has been read of a file, by key. */
export type KeyValues = { readonly [K in KeyName]?: ReadBy<(typeof KEYS)[K]> };

/** The setting that a key sets; undefined: it sets none. */
export function settingOf(key: string): SettingName | undefined {
  if (key === "timeout") return "requestTimeoutMs";
  return settingNames.find((name) => confKeyOf(SETTINGS[name]) === key);
}

/** The key of that name; undefined: there is none. */
export function findKey(key: string): Key<unknown> | undefined {
  if (Object.hasOwn(KEYS, key)) return KEYS[key as KeyName];
  const name = settingOf(key);
  return name === undefined ? undefined : { read: setting(name) };
}

/** The names of all keys. */
export function keyNames(): string[] {
  return [...Object.keys(KEYS), ...settingNames.flatMap((name) => confKeyOf(SETTINGS[name]) ?? [])];
}

/** The key that was most likely meant; undefined: none is near. */
export function nearestKey(key: string): string | undefined {
  const meant = key.toLowerCase().replaceAll("-", "_");
  let nearest: string | undefined;
  let least = Math.min(3, Math.floor(meant.length / 3) + 1);
  for (const name of keyNames()) {
    const distance = distanceOf(meant, name, least);
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

/** Letters to be changed, added or left out between two words; `most` for all that is not less. */
function distanceOf(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = row[j]! + (letter === b[j] ? 0 : 1);
      next.push(Math.min(changed, row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return Math.min(row[b.length]!, most);
}
