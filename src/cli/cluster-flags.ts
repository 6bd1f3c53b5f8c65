// What `ringlet serve` is told of a cluster: from flags and variables to the options of the node.

import { RingletError } from "../base/errors.ts";
import { type HostPort, parseHostPort } from "../base/host-port.ts";
import type { HashName } from "../codec/hash.ts";
import { advertisedHost } from "../conf/advertised-host.ts";
import type {
  Configuration,
  MemberConfiguration,
  PeerConfiguration,
} from "../conf/configuration.ts";
import { SEED_PROVIDERS, type SeedSource, seedSourceOf } from "../conf/seed-source.ts";
import { type ClusterOptions, DISTRIBUTIONS, type Distribution } from "../ring/cluster-options.ts";
import type { PeerSecurity } from "../ring/peer-security.ts";
import { CLUSTER_FLAGS } from "./flags.ts";
import {
  type Given,
  type GivenFlags,
  quote,
  readChoice,
  readHostPort,
  UsageError,
} from "./given.ts";

/** The cluster that a node is to be a member of. */
export interface ClusterGiven {
  readonly options: ClusterOptions;
  /** Where the secret is to be read from. */
  readonly secretFile: string | undefined;
  /** Encryption as the C engine has it, and where its key is to be read from; undefined: there is none. */
  readonly security: SecurityGiven | undefined;
  /** Who is to be asked for more members; undefined: nobody. */
  readonly seedSource: SeedSource | undefined;
}

export interface SecurityGiven extends Omit<PeerSecurity, "key"> {
  readonly keyFile: string;
}

type ClusterFlag = (typeof CLUSTER_FLAGS)[number]["name"];

/** The variable that may hold the secret of the cluster. No flag does: other users can read the flags of a process. */
export const SECRET_VARIABLE = "RINGLET_CLUSTER_SECRET";

/**
 * Reads what flags, variables and the configuration file say of a cluster; undefined: the node is alone. What they say together is
 * checked when the node starts. Throws UsageError.
 */
export function readCluster(
  given: GivenFlags,
  conf: Configuration | undefined = undefined,
): ClusterGiven | undefined {
  const flag = (name: ClusterFlag) => CLUSTER_FLAGS.find((known) => known.name === name)!;
  const last = (name: ClusterFlag): Given | undefined => given.last(flag(name));
  const member: Partial<MemberConfiguration> = conf?.member ?? {};
  const secret = given.variable(SECRET_VARIABLE);
  const tokens = last("tokens")?.value ?? member.tokens;
  if (tokens === undefined) {
    const first = CLUSTER_FLAGS.flatMap(({ name }) => last(name) ?? []).concat(secret ?? [])[0];
    if (first === undefined) return undefined;
    throw new UsageError(
      `${first.from} is for members of a cluster: give --tokens too, as in --tokens 0`,
    );
  }
  const secretFile = last("cluster-secret-file");
  if (secret !== undefined && secretFile !== undefined) {
    throw new UsageError(`${secretFile.from} and ${SECRET_VARIABLE} are both set; leave one out`);
  }
  /** What the command line or a variable says, else the file; no property where neither does. */
  const either = <Key extends string, T>(
    key: Key,
    name: ClusterFlag,
    inFile: T | undefined,
    parse: (given: Given) => T,
  ) => {
    const found = last(name);
    const value = found === undefined ? inFile : parse(found);
    return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: T };
  };
  const several = (
    name: ClusterFlag,
    inFile: readonly string[] | undefined,
    split: (text: string) => string[],
  ) => {
    const found = given.all(flag(name));
    return found.length === 0 ? (inFile ?? []) : found.flatMap(({ value }) => split(value));
  };
  const asWritten = ({ value }: Given) => value;
  const listen =
    last("dyn-listen") === undefined && member.listen !== undefined
      ? member.listen
      : readHostPort(given.lastOrDefault(flag("dyn-listen")));
  const advertised = conf === undefined ? undefined : hostOfEnvironment(given, conf, listen);
  const options: ClusterOptions = {
    ...either("name", "cluster-name", member.clusterName, asWritten),
    ...either("datacenter", "datacenter", member.datacenter, asWritten),
    ...either("rack", "rack", member.rack, asWritten),
    tokens,
    listen,
    ...either("advertise", "dyn-advertise", advertised ?? member.advertise, readHostPort),
    seeds: several("dyn-seeds", member.seeds, splitSeeds),
    ...either("hash", "hash", member.hash, ({ value }) => value as HashName),
    ...either("hashTag", "hash-tag", member.hashTag, asWritten),
    ...either("distribution", "distribution", member.distribution, readDistribution),
    slices: several("slices", member.slices, (text) =>
      text.split(";").filter((table) => table.trim() !== ""),
    ),
    ...(secret === undefined ? {} : { secret: secret.value }),
  };
  return {
    options,
    secretFile: secretFile?.value ?? (secret === undefined ? member.secretFile : undefined),
    security: securityOf(conf?.peers),
    seedSource: readSeedSource(last("dyn-seed-provider"), last("dns-server"), given, conf?.peers),
  };
}

function securityOf(peers: PeerConfiguration | undefined): SecurityGiven | undefined {
  if (peers === undefined || peers.secureServerOption === "none") return undefined;
  const { secureServerOption: option, pemKeyFile: keyFile, mbufSize: mbufBytes } = peers;
  return { option, keyFile, mbufBytes };
}

/** Where the environment variables of the C engine say that this node is reached. */
function hostOfEnvironment(
  given: GivenFlags,
  { peers }: Configuration,
  { port }: HostPort,
): HostPort | undefined {
  const found = advertisedHost(peers.env, (name) => given.variable(name)?.value);
  if (found === undefined) return undefined;
  const { variable, host } = found;
  const address = parseHostPort(host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
  if (address !== undefined) return address;
  throw new UsageError(
    `${variable} cannot be ${quote(host)}: give the name or address by which other members reach this node`,
  );
}

function readSeedSource(
  provider: Given | undefined,
  dnsServer: Given | undefined,
  given: GivenFlags,
  peers: PeerConfiguration | undefined,
): SeedSource | undefined {
  try {
    return seedSourceOf(
      provider === undefined
        ? (peers?.seedProvider ?? "simple_provider")
        : readChoice(provider, SEED_PROVIDERS),
      (name) => given.variable(name)?.value,
      dnsServer === undefined ? peers?.dnsServer : readHostPort(dnsServer),
    );
  } catch (error) {
    if (!(error instanceof RingletError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/** The seeds of a text: a part between commas that has no colon is one more token of the seed before it. */
export function splitSeeds(text: string): string[] {
  const seeds: string[] = [];
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "") continue;
    if (part.includes(":") || seeds.length === 0) seeds.push(part);
    else seeds.push(`${seeds.pop()},${part}`);
  }
  return seeds;
}

function readDistribution(given: Given): Distribution {
  return readChoice({ ...given, value: given.value.replace("-", "_") }, DISTRIBUTIONS);
}
