// A program: loads a server with pipelined gets over the memcached text protocol, and prints what it measured as JSON.
//
//   node memcached-load.js <port> <connections> <pipeline> <keys asked for> <keys> <value bytes> <keys per get>
//
// Every key is there and every answer has the same length, so replies are counted by their bytes; the first of each connection is
// looked at. A pipeline is so many keys, in one get or several.

import { connect, type Socket } from "node:net";

export interface MemcachedLoadReport {
  /** Keys a second. */
  readonly perSecond: number;
  /** Round trips of a whole pipeline, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const [port, connections, pipeline, gets, keys, valueBytes, keysPerGet] = process.argv
  .slice(2)
  .map(Number) as [number, number, number, number, number, number, number];

const VALUE = `VALUE key:000000000000 0 ${valueBytes}\r\n${"x".repeat(valueBytes)}\r\n`;
const batchBytes = VALUE.length * pipeline + ("END\r\n".length * pipeline) / keysPerGet;
/** Different batches, so that no server sees the same keys again and again. */
const BATCHES = Array.from({ length: 64 }, (_, batch) =>
  Buffer.from(
    Array.from({ length: pipeline }, (_, i) => {
      const key = ((batch * pipeline + i) * 611_953) % keys;
      const name = ` key:${String(key).padStart(12, "0")}`;
      const begins = i % keysPerGet === 0;
      const ends = (i + 1) % keysPerGet === 0;
      return `${begins ? "get" : ""}${name}${ends ? "\r\n" : ""}`;
    }).join(""),
  ),
);

let left = Math.ceil(gets / pipeline);
let done = 0;
const roundTripsMs: number[] = [];

const sockets = await Promise.all(Array.from({ length: connections }, open));
const began = performance.now();
await Promise.all(sockets.map(drive));
const seconds = (performance.now() - began) / 1000;
for (const socket of sockets) socket.destroy();
roundTripsMs.sort((a, b) => a - b);
const quantile = (q: number) => roundTripsMs[Math.floor((roundTripsMs.length - 1) * q)]!;
const report: MemcachedLoadReport = {
  perSecond: (done * pipeline) / seconds,
  p50Ms: quantile(0.5),
  p99Ms: quantile(0.99),
};
process.stdout.write(JSON.stringify(report));

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });
}

/** Sends batch after batch over one connection, each when the one before is answered. */
function drive(socket: Socket, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    let sentAt = 0;
    let next = index;
    let isFirst = true;
    const send = () => {
      if (left === 0) {
        resolve();
        return;
      }
      left--;
      received = 0;
      sentAt = performance.now();
      socket.write(BATCHES[next++ % BATCHES.length]!);
    };
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection")));
    socket.on("data", (bytes: Buffer) => {
      if (isFirst && !bytes.toString("latin1").startsWith("VALUE key:")) {
        reject(new Error(`the server answered ${bytes.subarray(0, 100)}`));
      }
      isFirst = false;
      received += bytes.length;
      if (received > batchBytes) reject(new Error("the server answered more than was asked for"));
      if (received < batchBytes) return;
      done++;
      roundTripsMs.push(performance.now() - sentAt);
      send();
    });
    send();
  });
}
