// Who may change a node over HTTP: programs on its machine, and whoever brings the token.

import { sameBytes } from "../../base/same-bytes.ts";

const TEXT = new TextEncoder();

/**
 * Why a request may not change the node; undefined: it may. A page that a browser on this machine shows may come from anywhere, so
 * what a page sends (it has an origin) needs the token like a request from another machine.
 */
export function refuseChange(
  request: Request,
  client: { readonly isLocal: boolean },
  token: string,
): string | undefined {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given !== undefined && token !== "" && sameBytes(TEXT.encode(token), TEXT.encode(given))) {
    return undefined;
  }
  if (given !== undefined) {
    return token === ""
      ? "Nothing was changed: this node has no token; set --stats-token, or ask without one from its own machine."
      : "Nothing was changed: this is not the token of --stats-token.";
  }
  if (client.isLocal && request.headers.get("origin") === null) return undefined;
  return "Nothing was changed: only programs on the node's own machine may change it without the token of --stats-token (Authorization: Bearer …).";
}
