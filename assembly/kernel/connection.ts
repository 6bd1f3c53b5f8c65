// What the kernel keeps per connection, 16 bytes: the flags and the database that the host sets, and how far a command that
// came in part has been read.
//
//   0 u32 flags   4 u32 database   8 u32 bytes of the command in progress that are read   12 u32 arguments it still needs

import { PAGE_BYTES, takePages } from "./pages";

/** Every command goes to the host (MULTI, CLIENT REPLY, a command before AUTH). */
export const CONNECTION_HOST: u32 = 1;
/** Replies are RESP 3. */
export const CONNECTION_RESP3: u32 = 2;
/** Look-ups leave the access clock alone. */
export const CONNECTION_NO_TOUCH: u32 = 4;
/** The client has not sent the password: short commands only. */
export const CONNECTION_UNAUTHENTICATED: u32 = 8;

const CONNECTION_BYTES: u32 = 16;

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
    for (let at = page + PAGE_BYTES - CONNECTION_BYTES; at >= page; at -= CONNECTION_BYTES) connectionClose(at);
  }
  const connection = free;
  free = load<u32>(connection);
  memory.fill(connection, 0, CONNECTION_BYTES);
  return connection;
}

export function connectionClose(connection: u32): void {
  store<u32>(connection, free);
  free = connection;
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
