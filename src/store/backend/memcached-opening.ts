// Opens a connection to a memcached server behind a node: hears that it answers.

import { collect } from "./collect.ts";
import type { BackendConnection } from "./connection.ts";
import { BackendError } from "./failure.ts";

const VERSION = new TextEncoder().encode("version\r\n");

/** Prepares a connection that has just been made. Rejects with BackendError BACKEND_REFUSED or that of the connection. */
export async function prepare(connection: BackendConnection): Promise<void> {
  const refusal = (said: string) => (/^[A-Z_]*ERROR/.test(said) ? said : undefined);
  const said = new TextDecoder().decode(await collect(connection, 1, VERSION, refusal)).trim();
  if (said.startsWith("VERSION ")) return;
  const error = new BackendError(
    "BACKEND_REFUSED",
    /unauthenticated/.test(said)
      ? "the server wants a name and a password, which no key of the configuration file gives"
      : `the server does not speak the text protocol of memcached: ${said}`,
  );
  connection.close(error);
  throw error;
}
