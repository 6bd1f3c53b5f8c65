// A configuration file as a typed object, or what is wrong with it. Pure: text in, configuration and diagnostics out.

import type { HostPort } from "../base/host-port.ts";
import type { LogLevel } from "../base/logger.ts";
import type { SettingName, SettingValues } from "../base/setting-table.ts";
import { CodecError } from "../codec/codec-error.ts";
import { type HashName, wordsOf } from "../codec/hash.ts";
import { parseToken } from "../codec/token.ts";
import { DEFAULT_HASH, type Distribution } from "../ring/cluster-options.ts";
import type { SecureServerOption } from "../ring/peer-security.ts";
import type { BackendOptions } from "../store/backend-options.ts";
import { type Diagnostic, Findings, type Position } from "./diagnostic.ts";
import { type Entry, type PoolDocument, readDocument, shownKey } from "./document.ts";
import { findKey, type Key, type KeyName, type KeyValues, nearestKey, settingOf } from "./keys.ts";
import type { SeedProvider } from "./seed-source.ts";
import type { Placed } from "./value-readers.ts";

/** What a file says. Where it says nothing, a part is undefined or has the C engine's default. */
export interface Configuration {
  /** The name of the pool. */
  readonly pool: string;
  readonly listen: HostPort | undefined;
  /** Undefined: the file does not say. */
  readonly memcachedListen: HostPort | "off" | undefined;
  readonly statsListen: HostPort | "off";
  readonly logLevel: LogLevel | undefined;
  readonly settings: Partial<SettingValues>;
  readonly member: MemberConfiguration;
  readonly peers: PeerConfiguration;
  /** The server that keeps the data; undefined: the node itself does. */
  readonly backend: BackendOptions | undefined;
  /** Each key that the file has, its place and its value as written. */
  readonly entries: ReadonlyMap<string, ConfiguredEntry>;
}

export interface ConfiguredEntry extends Position {
  /** Two files say the same of a key where these are equal. */
  readonly written: string;
}

/** The node's place in its cluster, and the cluster. */
export interface MemberConfiguration {
  readonly clusterName: string | undefined;
  readonly datacenter: string | undefined;
  readonly rack: string | undefined;
  /** Undefined: the file makes the node no member. */
  readonly tokens: readonly string[] | undefined;
  readonly listen: HostPort | undefined;
  readonly advertise: HostPort | undefined;
  readonly seeds: readonly string[];
  readonly hash: HashName | undefined;
  readonly hashTag: string | undefined;
  readonly distribution: Distribution | undefined;
  readonly slices: readonly string[];
  readonly secretFile: string | undefined;
}

/** How members are found and spoken to, those of the C engine too. */
export interface PeerConfiguration {
  readonly seedProvider: SeedProvider;
  readonly dnsServer: HostPort | undefined;
  /** Which environment variables name this node to the others: see advertisedHost(). */
  readonly env: string;
  readonly secureServerOption: SecureServerOption;
  readonly pemKeyFile: string;
  readonly gossip: boolean;
  readonly gossipIntervalMs: number;
  /** The buffers of the C engine, of which its encrypted chunks are made. */
  readonly mbufSize: number;
  /** Messages a second to peers in other datacenters. */
  readonly messageRate: number;
  readonly localConnections: number;
  readonly remoteConnections: number;
  readonly readRepairs: boolean;
}

export interface ReadOptions {
  /** Keys that the command line or the environment gives, so that the file need not. */
  readonly given?: ReadonlySet<string>;
}

/** What reading a file came to: a configuration, unless there are errors. */
export interface ReadResult {
  readonly configuration: Configuration | undefined;
  /** All that is wrong, and all that is in vain, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

const DEFAULT_STATS_LISTEN: HostPort = { host: "0.0.0.0", port: 22222 };

/** Reads a configuration file. It never throws, whatever the text. */
export function readConfiguration(text: string, options: ReadOptions = {}): ReadResult {
  const findings = new Findings();
  const document = readDocument(text, findings);
  if (document === undefined) return { configuration: undefined, diagnostics: findings.all() };
  const given = options.given ?? new Set<string>();
  const values: Record<string, unknown> = {};
  const settings: { [Name in SettingName]?: SettingValues[SettingName] } = {};
  const setBy = new Map<SettingName, Entry>();
  for (const entry of document.entries.values()) {
    const key = findKey(entry.key);
    if (key === undefined) {
      sayUnknown(entry, findings);
      continue;
    }
    const value = key.read(entry.value, { key: entry.key, findings });
    sayInVain(entry, key, findings);
    const setting = settingOf(entry.key);
    if (setting === undefined) {
      values[entry.key] = value;
      continue;
    }
    const other = setBy.get(setting);
    if (other !== undefined) {
      findings.error(
        entry.at,
        entry.key,
        `${entry.key} sets the same as ${other.key} in line ${other.at.line}: remove one of them`,
      );
    }
    setBy.set(setting, entry);
    if (value !== undefined) settings[setting] = value as SettingValues[SettingName];
  }
  const whole = new Whole(document, values as KeyValues, given, findings);
  const configuration = whole.build(settings as Partial<SettingValues>);
  return {
    configuration: findings.hasErrors ? undefined : configuration,
    diagnostics: findings.all(),
  };
}

function sayUnknown({ key, at }: Entry, findings: Findings): void {
  const near = nearestKey(key);
  const remedy = near === undefined ? "remove it" : `write ${near}, or remove it`;
  findings.error(at, key, `unknown key ${shownKey(key)}: ${remedy}`);
}

function sayInVain({ key, at }: Entry, { noEffect }: Key<unknown>, findings: Findings): void {
  if (noEffect !== undefined) findings.warn(at, key, `${key} has no effect: ${noEffect}`);
}

/** What the keys say together. */
class Whole {
  readonly #document: PoolDocument;
  readonly #values: KeyValues;
  readonly #given: ReadonlySet<string>;
  readonly #findings: Findings;

  constructor(
    document: PoolDocument,
    values: KeyValues,
    given: ReadonlySet<string>,
    findings: Findings,
  ) {
    this.#document = document;
    this.#values = values;
    this.#given = given;
    this.#findings = findings;
  }

  build(settings: Partial<SettingValues>): Configuration {
    const values = this.#values;
    if (!this.#has("listen"))
      this.#lacks("listen", "where clients connect, as in listen: 127.0.0.1:8102");
    return {
      pool: this.#document.pool,
      listen: values.listen,
      memcachedListen: values.memcached_listen,
      statsListen: values.stats_listen ?? DEFAULT_STATS_LISTEN,
      logLevel: values.log_level,
      settings,
      member: this.#member(),
      peers: this.#peers(),
      backend: this.#backend(),
      entries: this.#entries(),
    };
  }

  #member(): MemberConfiguration {
    const values = this.#values;
    this.#checkTokens();
    if (!this.#has("tokens")) this.#refuseWithoutTokens();
    return {
      clusterName: values.cluster_name,
      datacenter: values.datacenter,
      rack: values.rack,
      tokens: values.tokens?.map(({ text }) => text),
      listen: values.dyn_listen,
      advertise: values.dyn_advertise,
      seeds: (values.dyn_seeds ?? []).map(({ text }) => text),
      hash: values.hash,
      hashTag: values.hash_tag,
      distribution: values.distribution,
      slices: (values.slices ?? []).map(({ text }) => text),
      secretFile: values.cluster_secret_file,
    };
  }

  #peers(): PeerConfiguration {
    const values = this.#values;
    return {
      seedProvider: values.dyn_seed_provider ?? "simple_provider",
      dnsServer: values.dns_server,
      env: values.env ?? "aws",
      secureServerOption: values.secure_server_option ?? "none",
      pemKeyFile: values.pem_key_file ?? "conf/dynomite.pem",
      gossip: values.enable_gossip ?? false,
      gossipIntervalMs: values.gos_interval ?? 30_000,
      mbufSize: values.mbuf_size ?? 16_384,
      messageRate: values.conn_msg_rate ?? 50_000,
      localConnections: values.local_peer_connections ?? 1,
      remoteConnections: values.remote_peer_connections ?? 1,
      readRepairs: values.read_repairs_enabled ?? false,
    };
  }

  #backend(): BackendOptions | undefined {
    const values = this.#values;
    if (values.data_store === undefined && this.#document.entries.has("data_store"))
      return undefined;
    const kind = values.data_store ?? "redis";
    if (kind === "embedded") {
      for (const key of BACKEND_KEYS) {
        this.#vain(key, "the node keeps the data itself (data_store: embedded)");
      }
      return undefined;
    }
    for (const key of ["preconnect", "auto_eject_hosts"] as const) {
      if (values[key] !== false) continue;
      this.#vain(key, "false counts as not set, as in the C engine, and the default is true");
    }
    if (kind === "memcached") this.#checkMemcached();
    const { servers } = values;
    if (servers === undefined) {
      const remedy = `the ${kind} server that keeps the data, as in servers: and - 127.0.0.1:22122:1 below it; or write data_store: embedded, and this node keeps it`;
      if (!this.#document.entries.has("servers")) this.#lacks("servers", remedy);
      return undefined;
    }
    return {
      kind,
      address: servers.address,
      name: servers.name,
      connections: values.datastore_connections ?? 1,
      retryTimeoutMs: values.server_retry_timeout ?? 10_000,
      failureLimit: values.server_failure_limit ?? 3,
      requirepass: values.redis_requirepass || undefined,
    };
  }

  #checkMemcached(): void {
    this.#vain("redis_requirepass", "memcached asks for no password");
    const entry = this.#document.entries.get("memcached_listen");
    if (entry === undefined || this.#values.memcached_listen === "off") return;
    this.#findings.error(
      entry.at,
      "memcached_listen",
      "memcached_listen: before a memcached server (data_store: 1), memcached clients connect at listen: remove this key",
    );
  }

  #entries(): Map<string, ConfiguredEntry> {
    const entries = [...this.#document.entries.values()];
    return new Map(
      entries.map(({ key, at, value }) => [
        key,
        {
          ...at,
          written: JSON.stringify(value.kind === "list" ? value.items.map(textIn) : textIn(value)),
        },
      ]),
    );
  }

  #has(key: KeyName): boolean {
    return this.#document.entries.has(key) || this.#given.has(key);
  }

  #lacks(key: KeyName, what: string): void {
    const { at, pool } = this.#document;
    this.#findings.error(at, key, `the pool ${shownKey(pool)} has no ${key}: say ${what}`);
  }

  #vain(key: KeyName, why: string): void {
    const entry = this.#document.entries.get(key);
    if (entry !== undefined) this.#findings.warn(entry.at, key, `${key} has no effect: ${why}`);
  }

  /** What only members have would be in vain, and a node that was to be a member would run alone. */
  #refuseWithoutTokens(): void {
    const secured = (this.#values.secure_server_option ?? "none") !== "none";
    for (const key of [
      ...(["dyn_seeds", "dyn_advertise", "slices", "cluster_secret_file"] as const),
      ...(secured ? (["secure_server_option"] as const) : []),
    ]) {
      const entry = this.#document.entries.get(key);
      if (entry === undefined) continue;
      this.#findings.error(
        entry.at,
        key,
        `${key} is for members of a cluster: give tokens too, as in tokens: '0'`,
      );
    }
  }

  #checkTokens(): void {
    // Another hash function than the file's may take other tokens.
    if (this.#given.has("hash")) return;
    const words = wordsOf(this.#values.hash ?? DEFAULT_HASH);
    for (const token of this.#values.tokens ?? []) this.#checkToken("tokens", token, words);
    for (const { at, seed } of this.#values.dyn_seeds ?? []) {
      for (const token of seed.tokens) this.#checkToken("dyn_seeds", { at, text: token }, words);
    }
  }

  #checkToken(key: KeyName, { at, text }: Placed, words: number): void {
    try {
      const token = parseToken(text, words);
      const counted = String(token.words[0]);
      if (words > 1 || counted === text.replace(/^-?0*(?=\d)/, "")) return;
      this.#findings.warn(
        at,
        key,
        `${key}: token ${text} is above 4294967295 and counts as ${counted}, as in the C engine`,
      );
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#findings.error(at, key, `${key}: ${error.message}`);
    }
  }
}

/** Keys about the server behind a node. */
const BACKEND_KEYS = [
  "servers",
  "datastore_connections",
  "redis_requirepass",
  "server_retry_timeout",
  "server_failure_limit",
  "preconnect",
  "auto_eject_hosts",
] as const satisfies readonly KeyName[];

function textIn(value: Entry["value"]): string {
  return value.kind === "text" ? value.text : "";
}
