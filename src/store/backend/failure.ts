// Why a request to the server behind a node ended without its reply.

import { RingletError } from "../../base/errors.ts";

/**
 * The server did not answer. `code`: BACKEND_UNREACHABLE and BACKEND_BUSY (nothing was sent), BACKEND_LOST and BACKEND_TIMEOUT (the
 * command may have been executed), BACKEND_REFUSED (the server took the connection and would not serve it).
 */
export class BackendError extends RingletError {}

/** The words of the error reply for it, which are the C engine's; what happened stands behind them. */
export function failureText(error: BackendError): string {
  const detail = error.message.replace(/[\r\n]+/g, " ");
  return `Storage: Datastore refused connection (${detail})`;
}
