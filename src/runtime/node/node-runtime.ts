/** The Runtime of Node.js. */
import { randomFillSync } from "node:crypto";
import type { Runtime, Timer } from "../../base/runtime.ts";

export const nodeRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  randomBytes: (length) => randomFillSync(new Uint8Array(length)),
  after: (delayMs, task) => timer(setTimeout(task, delayMs), clearTimeout),
  every: (periodMs, task) => timer(setInterval(task, periodMs), clearInterval),
  endOfTurn: (task) => {
    setImmediate(task);
  },
};

function timer(handle: NodeJS.Timeout, clear: (handle: NodeJS.Timeout) => void): Timer {
  return { cancel: () => clear(handle) };
}
