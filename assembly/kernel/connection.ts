// What the kernel keeps per connection, 64 bytes: the flags and the database that the host sets, how far a command that came in
// part has been read, and for a client of the ring its levels, its replies that wait, and the slots that they wait for.
//
//    0 u32 flags   4 u32 database   8 u32 bytes of the command in progress that are read   12 u32 arguments it still needs
//   16 u8 read level, 17 u8 write level (255: no client of the ring)   18 u8 GATE_ flags
//   20 u32 first and 24 u32 last slot that is not released, in the order of the commands (ring/slots.ts; NO_SLOT: none)
//   28 u32 first and 32 u32 last block   36 u32 taken, 40 u32 end, 44 u32 released: positions in the stream (ring/streams.ts)
//   48 u32 first and 52 u32 last splice   56 u32 next connection that is ready   60 u32 next one that waits for the turn's end

import { PAGE_BYTES, takePages } from "./pages";
import { slotsLeave } from "./ring/release";
import { streamClose } from "./ring/streams";

/** Every command goes to the host (MULTI, CLIENT REPLY, a command before AUTH). */
export const CONNECTION_HOST: u32 = 1;
/** Replies are RESP 3. */
export const CONNECTION_RESP3: u32 = 2;
/** Look-ups leave the access clock alone. */
export const CONNECTION_NO_TOUCH: u32 = 4;
/** The client has not sent the password: short commands only. */
export const CONNECTION_UNAUTHENTICATED: u32 = 8;

export const CONNECTION_READ_LEVEL: u32 = 16;
export const CONNECTION_WRITE_LEVEL: u32 = 17;
export const CONNECTION_GATE: u32 = 18;
export const CONNECTION_FIRST_SLOT: u32 = 20;
export const CONNECTION_LAST_SLOT: u32 = 24;
export const CONNECTION_FIRST_BLOCK: u32 = 28;
export const CONNECTION_LAST_BLOCK: u32 = 32;
export const CONNECTION_TAKEN: u32 = 36;
export const CONNECTION_END: u32 = 40;
export const CONNECTION_RELEASED: u32 = 44;
export const CONNECTION_FIRST_SPLICE: u32 = 48;
export const CONNECTION_LAST_SPLICE: u32 = 52;
export const CONNECTION_NEXT_READY: u32 = 56;
export const CONNECTION_NEXT_TURN: u32 = 60;

/** The connection is in the list of those with replies to send. */
export const GATE_READY: u32 = 1;
/** Its replies wait for the turn's outboxes to be flushed. */
export const GATE_TURN: u32 = 2;

/** A level of no client of the ring. */
export const NO_LEVEL: u32 = 255;

const CONNECTION_BYTES: u32 = 64;

/** Connections that were closed, each linking the next at offset 0. */
let free: u32 = 0;

export function connectionsInit(): void {
  free = 0;
}

/** A connection's address, 0 at the ceiling. */
export function connectionOpen(): u32 {
  if (free == 0) {
    const page = takePages(1, 1);
    if (page == 0) return 0;
    for (let at = page + PAGE_BYTES - CONNECTION_BYTES; at >= page; at -= CONNECTION_BYTES) give(at);
  }
  const connection = free;
  free = load<u32>(connection);
  memory.fill(connection, 0, CONNECTION_BYTES);
  store<u16>(connection, 0xffff, CONNECTION_READ_LEVEL);
  store<u64>(connection, u64.MAX_VALUE, CONNECTION_FIRST_SLOT);
  return connection;
}

/** Forgets a connection; what waits for it has nobody to go to any more. */
export function connectionClose(connection: u32): void {
  slotsLeave(connection);
  streamClose(connection);
  give(connection);
}

function give(connection: u32): void {
  store<u32>(connection, free);
  free = connection;
}

/** Makes a connection a client of the ring, with a read and a write level; both 255: it is none. */
export function connectionLevels(connection: u32, read: u32, write: u32): void {
  store<u8>(connection, <u8>read, CONNECTION_READ_LEVEL);
  store<u8>(connection, <u8>write, CONNECTION_WRITE_LEVEL);
}

/** Whether a connection is a client of the ring. */
// @ts-ignore: decorator
@inline
export function connectionIsOfRing(connection: u32): bool {
  return <u32>load<u8>(connection, CONNECTION_READ_LEVEL) != NO_LEVEL;
}

// @ts-ignore: decorator
@inline
export function connectionFlags(connection: u32): u32 {
  return load<u32>(connection);
}
// @ts-ignore: decorator
@inline
export function connectionDatabase(connection: u32): u32 {
  return load<u32>(connection, 4);
}
// @ts-ignore: decorator
@inline
export function connectionRead(connection: u32): u32 {
  return load<u32>(connection, 8);
}
// @ts-ignore: decorator
@inline
export function connectionLeft(connection: u32): u32 {
  return load<u32>(connection, 12);
}
// @ts-ignore: decorator
@inline
export function connectionProgress(connection: u32, read: u32, left: u32): void {
  store<u32>(connection, read, 8);
  store<u32>(connection, left, 12);
}
