// What `ringlet serve` is told of a cluster: from flags and variables to the options of the node.

import type { HashName } from "../codec/hash.ts";
import { type ClusterOptions, DISTRIBUTIONS, type Distribution } from "../ring/cluster-options.ts";
import { CLUSTER_FLAGS } from "./flags.ts";
import { type Given, type GivenFlags, readChoice, readHostPort, UsageError } from "./given.ts";

/** The cluster that a node is to be a member of. */
export interface ClusterGiven {
  readonly options: ClusterOptions;
  /** Where the secret is to be read from. */
  readonly secretFile: string | undefined;
}

type ClusterFlag = (typeof CLUSTER_FLAGS)[number]["name"];

/** The variable that may hold the secret of the cluster. No flag does: other users can read the flags of a process. */
export const SECRET_VARIABLE = "RINGLET_CLUSTER_SECRET";

/** Reads the flags of a cluster; undefined: the node is alone. What they say together is checked when the node starts. Throws UsageError. */
export function readCluster(given: GivenFlags): ClusterGiven | undefined {
  const flag = (name: ClusterFlag) => CLUSTER_FLAGS.find((known) => known.name === name)!;
  const last = (name: ClusterFlag): Given | undefined => given.last(flag(name));
  const secret = given.variable(SECRET_VARIABLE);
  const tokens = last("tokens");
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
  const text = <Key extends string>(key: Key, name: ClusterFlag) => {
    const found = last(name);
    return (found === undefined ? {} : { [key]: found.value }) as { [K in Key]?: string };
  };
  const advertise = last("dyn-advertise");
  const distribution = last("distribution");
  const options: ClusterOptions = {
    ...text("name", "cluster-name"),
    ...text("datacenter", "datacenter"),
    ...text("rack", "rack"),
    tokens: tokens.value,
    listen: readHostPort(given.lastOrDefault(flag("dyn-listen"))),
    ...(advertise === undefined ? {} : { advertise: readHostPort(advertise) }),
    seeds: given.all(flag("dyn-seeds")).flatMap(({ value }) => splitSeeds(value)),
    ...(text("hash", "hash") as { hash?: HashName }),
    ...text("hashTag", "hash-tag"),
    ...(distribution === undefined ? {} : { distribution: readDistribution(distribution) }),
    slices: given
      .all(flag("slices"))
      .flatMap(({ value }) => value.split(";").filter((table) => table.trim() !== "")),
    ...(secret === undefined ? {} : { secret: secret.value }),
  };
  return { options, secretFile: secretFile?.value };
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
