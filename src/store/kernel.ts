import type { RingKernelExports } from "./kernel-ring.ts";

/**
 * The typed face of `kernel.wasm`: its exports, the layout of a context, and the numbers that assembly/kernel/ defines.
 * Addresses are u32 in the module and come out signed: `>>> 0` them where they may lie above 2 GiB.
 */
export interface KernelExports extends RingKernelExports {
  readonly memory: WebAssembly.Memory;
  reset(ceilingBytes: number, seedLow: bigint, seedHigh: bigint, tombstones: number): void;
  setLimits(maxBulkBytes: number): void;
  setNow(milliseconds: number): void;
  setNodeIndex(index: number): void;
  holdStamp(held: number): bigint;
  setMaxMemory(bytes: number, policy: number): void;
  makeRoom(bytes: number): number;
  heldBytes(): number;
  figure(index: number): number;
  volatileCount(database: number): number;
  callsOf(command: number): number;
  failedOf(command: number): number;
  rejectedOf(command: number): number;

  takePages(count: number, align: number): number;
  freePages(address: number, count: number): void;
  contextOpen(): number;
  contextClose(context: number): void;
  inputReserve(context: number, bytes: number): number;
  connectionOpen(): number;
  connectionClose(connection: number): void;
  feed(context: number, connection: number, input: number, length: number): number;
  resume(context: number): number;
  scan(context: number, connection: number, input: number, length: number): number;

  hostFind(database: number, key: number, length: number, touch: number): number;
  hostWrite(
    database: number,
    key: number,
    length: number,
    valueLength: number,
    flags: number,
    expiry: number,
    slack: number,
  ): number;
  hostRemove(database: number, key: number, length: number): number;
  hostRename(
    database: number,
    key: number,
    length: number,
    toDatabase: number,
    toKey: number,
    toLength: number,
  ): number;
  hostSetExpiry(database: number, key: number, length: number, expiry: number): number;
  hostChanged(record: number): void;
  hostObjectBytes(record: number, bytes: number): void;
  hostWalk(database: number, cursor: number, out: number): number;
  walkedCount(): number;
  hostRandom(database: number, tries: number): number;
  randomBelow(bound: number): number;
  hostCount(database: number): number;
  hostFlush(database: number): void;
  hostFree(): number;
  hostMaintain(): void;
  hostPeek(database: number, key: number, length: number): number;
  hostInstall(
    database: number,
    key: number,
    length: number,
    handle: number,
    bytes: number,
    flags: number,
    stamp: bigint,
    expiryAndNode: bigint,
  ): number;
  hostUntrimmed(slots: number): number;
  hostObserve(stamp: bigint): number;
  hostNode(): number;
  takeReleased(): number;
  holdExpiry(held: number): void;
  tick(slots: number, bytes: number): number;
  collectTombstones(database: number, hash: number, slots: number, stamp: bigint): number;
}

/** Why feed() or resume() returned (assembly/kernel/feed.ts). */
export const STATUS = {
  done: 0,
  host: 1,
  outputFull: 2,
  large: 3,
  protocolError: 4,
  noMemory: 5,
  outboxFull: 6,
} as const;

/** Fields of a context, as indexes of 32-bit words (assembly/kernel/context.ts). */
export const CONTEXT = {
  status: 0,
  consumed: 1,
  outLength: 2,
  argc: 3,
  argv: 4,
  wanted: 5,
  command: 6,
  large: 7,
  largeLength: 8,
  released: 9,
  input: 10,
  inputBytes: 11,
  output: 12,
  outputBytes: 13,
} as const;

/** Flags of a connection (assembly/kernel/connection.ts); word 0 of it, and word 1 is the database. */
export const CONNECTION = { host: 1, resp3: 2, noTouch: 4, unauthenticated: 8 } as const;

/** Offsets and flags of a record (assembly/kernel/record.ts). */
export const RECORD = {
  stamp: 8,
  expiry: 16,
  keyLength: 24,
  valueLength: 28,
  access: 32,
  key: 36,
  object: 0x10,
  tombstone: 0x20,
  raw: 0x40,
  /** Of a string: TAG_BYTES behind the value are its tag. */
  tagged: 0x80,
  /** The bits of the flags that are the number of the database. */
  database: 0x0f,
} as const;

/** Bytes of a tag. */
export const TAG_BYTES = 4;

/** Numbers of figure() (assembly/kernel.ts). */
export const FIGURE = {
  usedBytes: 0,
  liveBytes: 1,
  segments: 2,
  tablePages: 3,
  expired: 4,
  evicted: 5,
  hits: 6,
  misses: 7,
  moved: 8,
  plainErrors: 10,
  wrongTypeErrors: 11,
  outOfMemoryErrors: 12,
  changes: 13,
} as const;

/** What happens at the memory limit, by Redis's names (assembly/kernel/room.ts). */
export const POLICIES = {
  noeviction: 0,
  "allkeys-lru": 1,
  "volatile-lru": 2,
  "allkeys-random": 3,
  "volatile-random": 4,
  "volatile-ttl": 5,
} as const;

/** Name of a policy at the memory limit. */
export type MaxMemoryPolicy = keyof typeof POLICIES;

/** Names of the commands that the kernel runs, by number (assembly/kernel/commands/dispatch.ts). */
export const KERNEL_COMMANDS = [
  "",
  "get",
  "set",
  "setnx",
  "getset",
  "incr",
  "decr",
  "incrby",
  "decrby",
  "append",
  "strlen",
  "expire",
  "pexpire",
  "ttl",
  "pttl",
  "persist",
  "setex",
  "psetex",
  "getdel",
  "expireat",
  "mget",
  "mset",
  "del",
  "unlink",
  "exists",
  "touch",
  "ping",
  "echo",
] as const;

/** Databases of a table. */
export const DATABASES = 16;
