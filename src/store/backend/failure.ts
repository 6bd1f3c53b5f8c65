// Why a request to the server behind a node ended without its reply.

import { RingletError } from "../../base/errors.ts";

/**
 * The server did not answer. `code`: BACKEND_UNREACHABLE and BACKEND_BUSY (nothing was sent), BACKEND_LOST and BACKEND_TIMEOUT (the
 * command may have been executed), BACKEND_REFUSED (the server took the connection and would not serve it).
 */
export class BackendError extends RingletError {}

/** The error reply for it, in the words of the C engine. */
export function failureReply(error: BackendError): string {
  const detail = error.message.replace(/[\r\n]+/g, " ");
  return `ERR Storage: Datastore refused connection (${detail})`;
}
