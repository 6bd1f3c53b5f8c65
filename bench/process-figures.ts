// What a process has used, from /proc. On systems without it most figures are NaN, and the tables show a dash.

import { readFileSync } from "node:fs";

/** Linux counts in ticks of 10 ms, on every architecture. */
const TICK_US = 10_000;

/** Processor time in microseconds, in user and kernel mode together. */
export function cpuMicroseconds(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the name, in parentheses, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** How long a process's main thread was ready to run but had no core, in milliseconds since it began; 0 where unknown. */
export function waitedForCoreMs(pid: number): number {
  return Number(read(`/proc/${pid}/schedstat`).split(" ")[1] ?? 0) / 1e6;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1]) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
