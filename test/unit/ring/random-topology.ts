/** Random clusters for the tests of placement: any hash, tag and distribution, several datacenters, racks and tokens. */
import { HASH_NAMES, type HashName, wordsOf } from "../../../src/codec/hash.ts";
import type { ClusterOptions, Distribution } from "../../../src/ring/cluster-options.ts";
import { buildTopology, type Topology } from "../../../src/ring/topology.ts";
import type { RandomSource } from "../store/random-source.ts";

export interface ClusterShape {
  readonly hash?: HashName;
  readonly hashTag?: string;
  readonly distribution?: Distribution;
}

/** The seeds of a random cluster. */
export function randomSeeds(random: RandomSource, hash: HashName): string[] {
  const seeds: string[] = [];
  for (let datacenter = 0; datacenter <= random.below(3); datacenter++) {
    for (let rack = 0; rack <= random.below(4); rack++) {
      const used = new Set<string>();
      for (let member = 0; member <= random.below(5); member++) {
        const tokens: string[] = [];
        for (let i = 0; i <= random.below(4); i++) {
          const token = randomToken(random, hash);
          if (used.has(String(BigInt(token)))) continue;
          used.add(String(BigInt(token)));
          tokens.push(token);
        }
        if (tokens.length === 0) continue;
        const host = `10.${datacenter}.${rack}.${member}`;
        seeds.push(`${host}:8101:r${rack}:dc${datacenter}:${tokens.join(",")}`);
      }
    }
  }
  return seeds;
}

/** The cluster of these seeds as the node of one of them sees it. */
export function seenBy(seeds: readonly string[], at: number, shape: ClusterShape): Topology {
  const [host, port, rack, datacenter, tokens] = seeds[at]!.split(":") as [
    ...[string, string, string, string, string],
  ];
  const options: ClusterOptions = {
    listen: { host, port: Number(port) },
    rack,
    datacenter,
    tokens,
  };
  return buildTopology({ ...options, ...shape, seeds });
}

export function randomShape(random: RandomSource): ClusterShape & { readonly hash: HashName } {
  const tag = random.pick([undefined, "{}", "||", "<>"]);
  return {
    hash: random.pick(HASH_NAMES),
    distribution: random.pick(["vnode", "vnode", "random_slicing"]),
    ...(tag === undefined ? {} : { hashTag: tag }),
  };
}

/** A key, often with the bytes of tags in it. */
export function randomKey(random: RandomSource): Uint8Array {
  return Uint8Array.from({ length: 1 + random.below(24) }, () =>
    random.chance(0.2) ? random.pick([..."{}|<>"]).charCodeAt(0) : random.below(256),
  );
}

function randomToken(random: RandomSource, hash: HashName): string {
  const words = wordsOf(hash);
  const last = (1n << BigInt(32 * words)) - 1n;
  if (random.chance(0.1)) return random.pick(["0", "1", String(last), String(last >> 1n)]);
  if (words === 1 && random.chance(0.05)) return `-${random.below(1000)}`;
  let token = 0n;
  for (let i = 0; i < words; i++) token = (token << 32n) | BigInt(random.below(2 ** 32));
  return String(token);
}
