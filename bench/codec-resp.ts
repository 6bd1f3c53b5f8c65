// RESP: what a command costs in the kernel and in the codec, beside the parser of @redis/client.

import { readFileSync } from "node:fs";
import { Decoder } from "@redis/client/dist/lib/RESP/decoder.js";
import { loadCodec } from "ringlet/codec";
import { type Contender, interleave } from "./interleave.ts";
import type { BenchTable } from "./table.ts";

/** Keys of 16 B, as many as redis-benchmark uses in server-throughput.ts: the table does not fit into the caches. */
const KEYS = 100_000;
const REQUESTS = [
  { name: "GET", perChunk: 1, valueBytes: 3 },
  { name: "GET", perChunk: 16, valueBytes: 3 },
  { name: "GET", perChunk: 128, valueBytes: 3 },
  { name: "SET", perChunk: 1, valueBytes: 3 },
  { name: "SET", perChunk: 16, valueBytes: 3 },
  { name: "SET", perChunk: 128, valueBytes: 3 },
  { name: "SET", perChunk: 16, valueBytes: 1024 },
] as const;
const REPLIES = [
  { label: "+OK", reply: "+OK\r\n" },
  { label: "bulk strings of 3 B", reply: "$3\r\nxxx\r\n" },
  { label: "bulk strings of 1 KiB", reply: `$1024\r\n${"x".repeat(1024)}\r\n` },
];
const REPLIES_PER_CHUNK = 128;

/** Nanoseconds per command. The kernel does not only read a command, it runs it and writes the reply. */
export async function requestBench(): Promise<BenchTable> {
  const codec = loadCodec();
  const rows: string[][] = [];
  for (const { name, perChunk, valueBytes } of REQUESTS) {
    const chunks = requestChunks(name, perChunk, valueBytes);
    const nanoseconds = await interleave([
      over("kernel", chunks, kernelOf(valueBytes)),
      over("codec", chunks, (chunk) => codec.parseRequests(chunk)),
      over("client", chunks, clientParser({})),
      over("client, bytes", chunks, clientParser({ [BLOB_STRING]: Buffer })),
    ]);
    rows.push([
      `${perChunk} × ${name}, ${valueBytes} B`,
      ...[...nanoseconds.values()].map((value) => (value / perChunk).toFixed(0)),
    ]);
  }
  return {
    title: "A command, ns",
    columns: [
      ...["commands in a chunk", "kernel: parse, run, reply", "codec.parseRequests"],
      ...["@redis/client, strings", "@redis/client, Buffers"],
    ],
    rows,
  };
}

/** Nanoseconds per reply. */
export async function replyBench(): Promise<BenchTable> {
  const codec = loadCodec();
  const rows: string[][] = [];
  for (const { label, reply } of REPLIES) {
    const chunks = [Buffer.from(reply.repeat(REPLIES_PER_CHUNK))];
    const nanoseconds = await interleave([
      over("codec", chunks, (chunk) => codec.parseReplies(chunk)),
      over("client", chunks, clientParser({})),
      over("client, bytes", chunks, clientParser({ [BLOB_STRING]: Buffer })),
    ]);
    rows.push([
      `${REPLIES_PER_CHUNK} × ${label}`,
      ...[...nanoseconds.values()].map((value) => (value / REPLIES_PER_CHUNK).toFixed(0)),
    ]);
  }
  return {
    title: "A reply, ns",
    columns: [
      ...["replies in a chunk", "codec.parseReplies"],
      ...["@redis/client, strings", "@redis/client, Buffers"],
    ],
    rows,
  };
}

/** The type byte of bulk strings, by which @redis/client is told what to make of them. */
const BLOB_STRING = 36;

function requestChunks(name: "GET" | "SET", perChunk: number, valueBytes: number): Buffer[] {
  const tail = name === "SET" ? `$${valueBytes}\r\n${"x".repeat(valueBytes)}\r\n` : "";
  const head = `*${name === "SET" ? 3 : 2}\r\n$3\r\n${name}\r\n$16\r\n`;
  const chunks: Buffer[] = [];
  for (let first = 0; first < KEYS; first += perChunk) {
    let text = "";
    for (let n = first; n < first + perChunk; n++) text += `${head}${keyName(n)}\r\n${tail}`;
    chunks.push(Buffer.from(text));
  }
  return chunks;
}

/** Keys in an order that has nothing to do with that of the table. */
function keyName(n: number): string {
  return `key:${String((n * 7919) % KEYS).padStart(12, "0")}`;
}

/** Goes through the chunks, from where it stopped the last time. */
function over(
  name: string,
  chunks: readonly Buffer[],
  take: (chunk: Buffer) => unknown,
): Contender {
  let next = 0;
  return {
    name,
    run(times) {
      for (let n = 0; n < times; n++) {
        take(chunks[next]!);
        if (++next === chunks.length) next = 0;
      }
    },
  };
}

function clientParser(typeMapping: object): (chunk: Buffer) => void {
  const ignore = () => {};
  const decoder = new Decoder({
    onReply: ignore,
    onErrorReply: ignore,
    onPush: ignore,
    getTypeMapping: () => typeMapping,
  });
  return (chunk) => decoder.write(chunk);
}

interface KernelExports {
  readonly memory: WebAssembly.Memory;
  reset(ceilingBytes: number, seedLow: bigint, seedHigh: bigint, tombstones: number): void;
  setNow(milliseconds: number): void;
  contextOpen(): number;
  connectionOpen(): number;
  inputReserve(context: number, bytes: number): number;
  feed(context: number, connection: number, input: number, length: number): number;
  resume(context: number): number;
}

const STATUS_DONE = 0;
const STATUS_OUTPUT_FULL = 2;
/** Word of a context that holds the length of the output. */
const OUTPUT_LENGTH = 2;

/** What a door does with a chunk, in a kernel of its own that holds all the keys, short of sending the replies. */
function kernelOf(valueBytes: number): (chunk: Buffer) => void {
  const bytes = readFileSync(new URL(import.meta.resolve("ringlet/kernel.wasm")));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const kernel = exports as unknown as KernelExports;
  kernel.reset(2 ** 30, 0x243f6a8885a308d3n, 0x13198a2e03707344n, 0);
  kernel.setNow(Date.now());
  const context = kernel.contextOpen();
  const connection = kernel.connectionOpen();
  let memory = new Uint8Array(kernel.memory.buffer);
  const feed = (chunk: Buffer) => {
    const input = kernel.inputReserve(context, chunk.length);
    if (memory.length === 0) memory = new Uint8Array(kernel.memory.buffer);
    memory.set(chunk, input);
    let status = kernel.feed(context, connection, input, chunk.length);
    while (status === STATUS_OUTPUT_FULL) {
      new Uint32Array(kernel.memory.buffer)[(context >>> 2) + OUTPUT_LENGTH] = 0;
      status = kernel.resume(context);
    }
    if (status !== STATUS_DONE) throw new Error(`the kernel stopped with status ${status}`);
  };
  for (const chunk of requestChunks("SET", 100, valueBytes)) feed(chunk);
  return feed;
}
