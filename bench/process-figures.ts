// What a process has used, from /proc. On systems without it every figure is NaN, and the tables show a dash.

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
