// A client that waits in a command: until a time, or until another client lets it go on.

import type { Timer } from "../../base/runtime.ts";
import type { RespWriter } from "../../codec/resp-writer.ts";
import type { LaterReply } from "./feeder.ts";
import type { SessionCall } from "./session-command.ts";

/** Timers take no more than 31 bits; what waits longer waits for ever. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Has the client wait for `timeoutMs` (0: for ever), and answer what `write` writes then. CLIENT UNBLOCK ends it sooner, as if
 * the time had passed or with an error.
 */
export function waitFor(
  { host, session }: SessionCall,
  timeoutMs: number,
  write: (reply: RespWriter) => void,
): LaterReply {
  const { id } = session.facts;
  return new Promise((resolve) => {
    let timer: Timer | undefined;
    const release = (reason: "timeout" | "error") => {
      timer?.cancel();
      host.clients.setWaiting(id, undefined);
      resolve(reason === "timeout" ? write : writeUnblocked);
      return true;
    };
    host.clients.setWaiting(id, release);
    if (timeoutMs === 0 || timeoutMs > LONGEST_TIMER_MS) return;
    timer = host.runtime.after(timeoutMs, () => release("timeout"));
  });
}

function writeUnblocked(reply: RespWriter): void {
  reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
}
