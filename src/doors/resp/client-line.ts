// One client as CLIENT LIST and CLIENT INFO show it: Redis's fields in Redis's order. Those that mean nothing here are what
// Redis shows for none: fd=-1, sub=0, redir=-1, rbs=0.

import type { ClientHandle } from "./clients.ts";
import { USER } from "./password.ts";
import type { SessionCall } from "./session-command.ts";

export function clientLine(call: SessionCall, handle: ClientHandle): string {
  const { session } = handle;
  const { facts, transaction } = session;
  const now = call.host.store.now;
  const current = session === call.session ? bytesOfCall(call) : NOT_RUNNING;
  const queued = transaction?.bytes ?? 0;
  const input = handle.pendingInputBytes + current.request;
  const fields: readonly (readonly [string, string | number])[] = [
    ["id", facts.id],
    ["addr", facts.remoteAddress],
    ["laddr", facts.localAddress],
    ["fd", -1],
    ["name", session.name],
    ["age", secondsBetween(facts.connectedAt, now)],
    ["idle", secondsBetween(handle.lastInputAt, now)],
    ["flags", flagsOf(call, handle)],
    ["db", session.database],
    ["sub", 0],
    ["psub", 0],
    ["ssub", 0],
    ["multi", transaction === undefined ? -1 : transaction.commands.length],
    ["qbuf", input],
    ["qbuf-free", 0],
    ["argv-mem", current.args],
    ["multi-mem", queued],
    ["rbs", 0],
    ["rbp", 0],
    ["obl", 0],
    ["oll", 0],
    ["omem", handle.pendingOutputBytes],
    ["tot-mem", input + queued + handle.pendingOutputBytes],
    ["events", "r"],
    ["cmd", session.lastCommand],
    ["user", USER],
    ["redir", -1],
    ["resp", session.protocol],
    ["lib-name", session.library],
    ["lib-ver", session.libraryVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

const NOT_RUNNING = { args: 0, request: 0 };

/** Bytes of the command that is running: its arguments, and all of its request. */
function bytesOfCall({ args }: SessionCall): { readonly args: number; readonly request: number } {
  let bytes = 0;
  let request = `*${args.length}\r\n`.length;
  for (let i = 0; i < args.length; i++) {
    bytes += args.size(i);
    request += `$${args.size(i)}\r\n\r\n`.length + args.size(i);
  }
  return { args: bytes, request };
}

function flagsOf({ host }: SessionCall, handle: ClientHandle): string {
  const { session } = handle;
  let flags = "";
  if (host.clients.isWaiting(session.facts.id)) flags += "b";
  if (session.transaction !== undefined) flags += "x";
  if (session.closing) flags += "c";
  if (session.noEvict) flags += "e";
  if (session.noTouch) flags += "T";
  return flags === "" ? "N" : flags;
}

function secondsBetween(start: number, end: number): number {
  return Math.max(0, Math.floor((end - start) / 1000));
}
