/**
 * What two members tell each other when TLS is agreed on, before anything else, so that both know why a connection ends:
 *
 *   each side   "RINGLET-TLS ok" LF                 it trusts the other's certificate
 *               "RINGLET-TLS refused " reason LF    it does not, and closes
 *
 * TLS has no word for most reasons, and in version 1.3 the one that dials has finished before its certificate is looked at.
 */
import type { TLSSocket } from "node:tls";
import { CLOSE_GRACE_MS } from "./tcp-stream.ts";

const GREETING = "RINGLET-TLS ";
const OK = "ok";
const REFUSED = "refused ";
const LF = 10;
/** Longest line, in bytes. */
const MAX_LINE_BYTES = 512;

/** What two members think of each other. */
export type Verdict =
  | { readonly kind: "trusted" }
  /** This side refuses the other. */
  | { readonly kind: "refusing"; readonly reason: string }
  /** The other side refuses this one. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The other side does not keep to this. */
  | { readonly kind: "broken"; readonly reason: string };

/**
 * Tells the other side what this one thinks of it, and hears the same of it. The socket is closed unless both trust each other; then
 * it is paused, and what has come behind the line is still to be read.
 */
export function exchangeVerdicts(
  socket: TLSSocket,
  distrust: string | undefined,
  timeoutMs: number,
): Promise<Verdict> {
  socket.write(`${GREETING}${distrust === undefined ? OK : REFUSED + distrust}\n`);
  if (distrust !== undefined) {
    closeSoon(socket);
    return Promise.resolve({ kind: "refusing", reason: distrust });
  }
  return new Promise((resolve) => {
    let kept: Buffer = Buffer.alloc(0);
    const end = (verdict: Verdict) => {
      clearTimeout(timer);
      socket.off("data", read).off("end", ended).off("close", ended);
      if (verdict.kind === "trusted") socket.pause();
      else socket.destroy();
      resolve(verdict);
    };
    const read = (bytes: Buffer) => {
      kept = Buffer.concat([kept, bytes]);
      const at = kept.indexOf(LF);
      if (at < 0 && kept.length < MAX_LINE_BYTES) return;
      const rest = kept.subarray(at + 1);
      end(verdictOf(kept.subarray(0, Math.max(at, 0)).toString("utf8")));
      if (rest.length > 0 && !socket.destroyed) socket.unshift(rest);
    };
    const ended = () => end(broken("it closed the connection"));
    const timer = setTimeout(() => end(broken("it said nothing in time")), timeoutMs);
    socket.on("data", read).on("end", ended).on("close", ended);
  });
}

function verdictOf(line: string): Verdict {
  const words = line.startsWith(GREETING) ? line.slice(GREETING.length) : undefined;
  if (words === OK) return { kind: "trusted" };
  if (words?.startsWith(REFUSED)) return { kind: "refused", reason: words.slice(REFUSED.length) };
  return broken("it is no node of this kind");
}

function broken(reason: string): Verdict {
  return { kind: "broken", reason };
}

/** Sends what is written, and closes. What comes is dropped: closing on unread bytes would take the words from the other side. */
function closeSoon(socket: TLSSocket): void {
  socket.resume();
  socket.end();
  const timer = setTimeout(() => socket.destroy(), CLOSE_GRACE_MS);
  socket.on("end", () => socket.destroy()).on("close", () => clearTimeout(timer));
}
