// Requests of the node's own to the server behind it, while a connection is opened.

import { concat } from "../../codec/concat.ts";
import type { BackendConnection, ReplySink } from "./connection.ts";
import { BackendError } from "./failure.ts";

/**
 * Sends `count` requests and resolves to the bytes of their replies. `refusal`: what the server means by the last it said before it
 * closed the connection; undefined: nothing. Rejects with BackendError.
 */
export function collect(
  connection: BackendConnection,
  count: number,
  requests: Uint8Array,
  refusal: (said: string) => string | undefined,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let left = count;
    let failure: BackendError | undefined;
    const sink: ReplySink = {
      replies(bytes, came) {
        parts.push(bytes.slice());
        left -= came;
      },
      failed(_, error) {
        // A server that turns a client away says why, and closes.
        const reason = refusal(new TextDecoder().decode(concat(parts)).trim());
        failure =
          reason === undefined
            ? error
            : new BackendError("BACKEND_REFUSED", `the server says: ${reason}`);
      },
      settled() {
        if (failure !== undefined) reject(failure);
        else if (left === 0) resolve(concat(parts));
      },
    };
    connection.send(sink, count, requests);
  });
}
