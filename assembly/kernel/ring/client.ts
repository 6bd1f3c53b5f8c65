// The client of the ring whose commands run: its levels, where its replies go, and the errors that the coordinator writes. Replies
// are written into the context's output as for anybody; when the connection is gated, all of it goes into its stream at the end
// of the run. So the place of a reply in the stream is known when it is written.

import { CONNECTION_END, CONNECTION_READ_LEVEL, CONNECTION_WRITE_LEVEL } from "../connection";
import { DONE, HOST } from "../commands/command";
import { outNext, replyError, setOutput } from "../reply";
import { COMMANDS_LEFT, countFigure, QUORUMS_REFUSED, SLOTS_REFUSED } from "./figures";
import { replyNoQuorum } from "./override";
import { slotsLeave } from "./release";
import { holdForTurn, isGated, markReady, streamPut } from "./streams";

/** Outcome of a command, beside those of commands/command.ts: an outbox lacks the room for its frames; nothing was done. */
export const PEERS: i32 = 4;

/** Its connection, and its levels. */
export let client: u32 = 0;
export let readLevel: u32 = 0;
export let writeLevel: u32 = 0;

/** Whether its replies go into its stream, and where those of this run begin. */
let gated: bool = false;
let output: u32 = 0;

/** A run of commands of a connection begins, whose replies are written from `from` on. */
export function clientBegin(connection: u32, from: u32): void {
  client = connection;
  readLevel = load<u8>(connection, CONNECTION_READ_LEVEL);
  writeLevel = load<u8>(connection, CONNECTION_WRITE_LEVEL);
  output = from;
  gated = isGated(connection);
}

/** Ends a run: false when there is no memory for the replies, and the connection must close. */
export function clientEnd(): bool {
  if (!gated) return true;
  if (outNext != output) {
    if (!streamPut(client, output, outNext - output)) {
      slotsLeave(client);
      setOutput(output, output);
      return false;
    }
    setOutput(output, output);
  }
  markReady(client);
  return true;
}

/** From now on its replies go into its stream. */
// @ts-ignore: decorator
@inline
export function gate(): void {
  gated = true;
}

/** Its replies wait until the turn's outboxes are flushed. */
// @ts-ignore: decorator
@inline
export function gateForTurn(): void {
  gated = true;
  holdForTurn(client);
}

/** Where what is at `address` of the output will be in the stream. */
// @ts-ignore: decorator
@inline
export function place(address: u32): u32 {
  return load<u32>(client, CONNECTION_END) + (address - output);
}

/** The host runs the command. */
export function leave(): i32 {
  countFigure(COMMANDS_LEFT, 1);
  return HOST;
}

/** Too few replicas are up: nothing was written. */
export function refuse(needed: u32, replicas: u32, answered: u32): i32 {
  countFigure(QUORUMS_REFUSED, 1);
  replyNoQuorum(needed, replicas, answered, false);
  return DONE;
}

/** Too many requests wait: nothing was written. */
export function refuseMore(): i32 {
  countFigure(SLOTS_REFUSED, 1);
  replyError("ERR Dynomite: too many requests wait for replicas: nothing was written, try again");
  return DONE;
}
