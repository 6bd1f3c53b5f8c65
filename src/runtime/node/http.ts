/** HTTP and HTTPS on Node.js: serves a `fetch`-style handler over node:http, for requests without a body. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { isLoopback } from "../../base/host-port.ts";
import type { HttpHandler } from "../../doors/http/stats.ts";
import type { Listener } from "../../transport/stream.ts";
import { listenError } from "./tcp.ts";
import { CLOSE_GRACE_MS } from "./tcp-stream.ts";
import type { TlsOptions } from "./tls.ts";
import { distrustOf } from "./tls-trust.ts";

/** A request's head must have come within this time, in ms. */
export const HEAD_TIMEOUT_MS = 5000;
/** Longest head of a request. */
export const MAX_HEAD_BYTES = 8192;
/** How long a connection may wait for its next request, in ms. */
export const KEEP_ALIVE_MS = 5000;
/** Connections at a time; more are closed at once. */
export const MAX_CONNECTIONS = 256;

const LIMITS = {
  maxHeaderSize: MAX_HEAD_BYTES,
  headersTimeout: HEAD_TIMEOUT_MS,
  requestTimeout: HEAD_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: HEAD_TIMEOUT_MS / 5,
} as const;

/** Listens on `host:port` (port 0: any that is free); with `tls`, for HTTPS. Throws ListenError with what to do. */
export function listenHttp(
  host: string,
  port: number,
  handler: HttpHandler,
  tls?: TlsOptions,
): Promise<Listener> {
  const { server, release } = makeServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing, tls).catch(() => outgoing.destroy());
  }, tls);
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(host, port, error)));
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      server.on("error", () => {});
      const address = server.address();
      resolve({
        host,
        port: typeof address === "object" && address !== null ? address.port : port,
        close: () =>
          new Promise((closed) => {
            release();
            server.close(() => closed());
            server.closeIdleConnections();
            // Once it closes, the server times no request out: one that is not whole by then never will be.
            setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS).unref();
          }),
      });
    });
  });
}

/** A server, and what lets go of the certificates. */
function makeServer(
  listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  tls: TlsOptions | undefined,
) {
  if (tls === undefined) return { server: createServer(LIMITS, listener), release: () => {} };
  const { identity, authentication, handshakeTimeoutMs } = tls;
  const options = {
    ...{ ...LIMITS, ...identity.options, handshakeTimeout: handshakeTimeoutMs },
    // Who is not trusted is refused by answer(), with the reason.
    ...{ requestCert: authentication !== "no", rejectUnauthorized: false },
  };
  const server = createSecureServer(options, listener);
  return { server, release: identity.onReload((loaded) => server.setSecureContext(loaded)) };
}

async function answer(
  handler: HttpHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  tls: TlsOptions | undefined,
): Promise<void> {
  const refusal = distrust(incoming, tls) ?? refuse(incoming);
  if (refusal !== undefined) {
    outgoing.writeHead(refusal.status, { "content-type": "text/plain", connection: "close" });
    outgoing.end(refusal.reason);
    return;
  }
  const { method = "GET", url = "/" } = incoming;
  const headers = new Headers();
  for (const name of PASSED_HEADERS) {
    const value = incoming.headers[name];
    if (value !== undefined) headers.set(name, value);
  }
  const request = new Request(`http://localhost${url}`, { method, headers });
  const response = await handler(request, { isLocal: isLocal(incoming.socket.remoteAddress) });
  const body = new Uint8Array(await response.arrayBuffer());
  const facts = { ...Object.fromEntries(response.headers), "content-length": body.length };
  outgoing.writeHead(response.status, facts);
  outgoing.end(method === "HEAD" ? undefined : body);
}

/** The headers of a request that the handler may look at. */
const PASSED_HEADERS = ["authorization", "host", "origin", "referer", "sec-fetch-site"] as const;

/** Whether an address is this machine's own, also where IPv6 carries IPv4. */
function isLocal(address = ""): boolean {
  return isLoopback(address.replace(/^::ffff:/i, ""));
}

interface Refused {
  readonly status: number;
  readonly reason: string;
}

function distrust({ socket }: IncomingMessage, tls: TlsOptions | undefined): Refused | undefined {
  const reason = tls && distrustOf(socket as TLSSocket, tls.authentication, tls.identity.flags);
  return reason === undefined ? undefined : { status: 403, reason: `TLS: ${reason}\n` };
}

function refuse(incoming: IncomingMessage): Refused | undefined {
  const { headers, method = "GET", url = "/" } = incoming;
  if (headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0") {
    return { status: 413, reason: "Requests with a body are not taken here.\n" };
  }
  // fetch() knows no such requests, so neither does the handler.
  if (["CONNECT", "TRACE", "TRACK"].includes(method) || !URL.canParse(`http://localhost${url}`)) {
    return { status: 400, reason: "This request is not understood here.\n" };
  }
  return undefined;
}
