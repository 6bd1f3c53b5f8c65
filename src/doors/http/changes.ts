// Who may change a node over HTTP: programs on its machine, and whoever brings the token.

import { sameBytes } from "../../base/same-bytes.ts";

const TEXT = new TextEncoder();

/** What browsers send with a request that is of a page: what may come from anywhere. */
const OF_A_BROWSER = ["origin", "referer", "sec-fetch-site"];

/**
 * Why a request may not change the node; undefined: it may. A page that a browser on this machine shows may come from anywhere, so
 * what a page sends needs the token like a request from another machine. So does what asks for this node by a name: a name of
 * somebody else's may lead here, and his pages are then of the same origin.
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
  const isOfBrowser = OF_A_BROWSER.some((name) => request.headers.has(name));
  if (client.isLocal && !isOfBrowser && isAddress(request.headers.get("host"))) return undefined;
  return "Nothing was changed: only programs on the node's own machine may change it without the token of --stats-token (Authorization: Bearer …).";
}

/** Whether "host:port" is an address and no name but localhost; null: nothing was said. */
function isAddress(host: string | null): boolean {
  return host === null || /^(?:localhost|[\d.]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(host);
}
