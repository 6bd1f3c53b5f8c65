/** Settings of the data that a node holds: memory, eviction, encodings. */
import { MIB, MOST, type Setting } from "./setting.ts";

export const DATA_SETTINGS = {
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
} as const satisfies Readonly<Record<string, Setting>>;
