/** Hashing of 16-byte keys: the kernel key by key, the kernel a batch at a time, and plain JavaScript. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { loadCodec } from "ringlet/codec";
import { interleave } from "./interleave.ts";
import { javascriptHashes, murmur3 } from "./javascript-hashes.ts";
import type { BenchTable } from "./table.ts";

interface HashExports {
  readonly memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  hashTokens(kind: number, keys: number, count: number, out: number): void;
}

const KEYS = 1024;
const KEY_BYTES = 16;

/**
 * Nanoseconds per key. "kernel, in memory" hashes keys that lie in the kernel's memory already, as they do where the kernel has
 * parsed a request; the other two columns of the kernel copy each key in and the token out.
 */
export async function hashBench(): Promise<BenchTable> {
  const codec = loadCodec();
  const keys = Array.from({ length: KEYS }, (_, i) =>
    new TextEncoder().encode(`user:${i}:profile:`.padEnd(KEY_BYTES, "x").slice(0, KEY_BYTES)),
  );
  const rows: string[][] = [];
  for (const [kind, name] of codec.hashNames.entries()) {
    const nanoseconds = await interleave([
      { name: "memory", run: inMemory(kind, keys) },
      {
        name: "batch",
        run: (times) => {
          for (let n = 0; n < times; n++) codec.hashKeys(name, keys);
        },
      },
      {
        name: "single",
        run: (times) => {
          for (let n = 0; n < times; n++) for (const key of keys) codec.hashKey(name, key);
        },
      },
      ...plain(name, keys),
    ]);
    const cell = (contender: string) => {
      const value = nanoseconds.get(contender);
      return value === undefined ? "-" : (value / KEYS).toFixed(1);
    };
    rows.push([name, cell("memory"), cell("batch"), cell("single"), cell("javascript")]);
  }
  return {
    title: `Token of a ${KEY_BYTES}-byte key, ns`,
    columns: ["hash", "kernel, in memory", "hashKeys", "hashKey", "JavaScript"],
    rows,
  };
}

function inMemory(kind: number, keys: readonly Uint8Array[]): (times: number) => void {
  const bytes = readFileSync(new URL(import.meta.resolve("ringlet/codec.wasm")));
  const { exports: all } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const exports = all as unknown as HashExports;
  const index = exports.reserve(KEYS * (8 + KEY_BYTES + 24));
  const first = index + KEYS * 8;
  const tokens = first + KEYS * KEY_BYTES;
  const data = new DataView(exports.memory.buffer);
  for (const [i, key] of keys.entries()) {
    new Uint8Array(exports.memory.buffer).set(key, first + i * KEY_BYTES);
    data.setUint32(index + i * 8, first + i * KEY_BYTES, true);
    data.setUint32(index + i * 8 + 4, key.length, true);
  }
  return (times) => {
    for (let n = 0; n < times; n++) exports.hashTokens(kind, index, KEYS, tokens);
  };
}

/** The same in plain JavaScript; md5 by node:crypto. */
function plain(name: string, keys: readonly Uint8Array[]) {
  const hash =
    name === "md5"
      ? (key: Uint8Array) => createHash("md5").update(key).digest().readUInt32LE(0)
      : name === "murmur3"
        ? (key: Uint8Array) => murmur3(key)[0]!
        : javascriptHashes[name];
  if (hash === undefined) return [];
  let sink = 0;
  const run = (times: number) => {
    for (let n = 0; n < times; n++) for (const key of keys) sink ^= hash(key);
    return sink;
  };
  return [{ name: "javascript", run }];
}
