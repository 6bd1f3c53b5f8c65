/** Listening and dialling over TLS on Node.js: the doors of clients, and the links between members. */
import type { Socket } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { RingletError } from "../../base/errors.ts";
import type { ByteStream, Listener, RefusedStream } from "../../transport/stream.ts";
import type { PeerAddress, Transport } from "../../transport/transport.ts";
import { listenOn } from "./tcp.ts";
import { hostPort, SharedBuffers, TcpStream, timeoutError } from "./tcp-stream.ts";
import { dialError } from "./tcp-transport.ts";
import type { TlsIdentity } from "./tls-identity.ts";
import { type Authentication, distrustOf, tlsFailure } from "./tls-trust.ts";
import { exchangeVerdicts } from "./tls-verdict.ts";

/** Connections of a listener that have not agreed on TLS yet, at most; the next one is closed. */
export const MAX_PENDING_HANDSHAKES = 256;

export interface TlsOptions {
  readonly identity: TlsIdentity;
  /** Whether those who connect must show a certificate. */
  readonly authentication: Authentication;
  /** How long agreeing on TLS may take, in ms. */
  readonly handshakeTimeoutMs: number;
}

/** Who hears of what comes in. */
interface Incoming {
  accept(stream: ByteStream): void;
  refused(connection: RefusedStream): void;
}

/** Listens for clients at `address` (port 0: any that is free). One that is not trusted can still be told so. Throws ListenError. */
export function listenTls(
  address: PeerAddress,
  tls: TlsOptions,
  { accept, refused }: Incoming,
): Promise<Listener> {
  const buffers = new SharedBuffers();
  return listenSecured(address, tls, {
    secured: (socket, distrust) => {
      const stream = TcpStream.secured(socket, buffers);
      if (distrust === undefined) accept(stream);
      else refused({ remoteAddress: stream.remoteAddress, reason: distrust, stream });
    },
    refused,
  });
}

/** The transport between members over TLS: both sides show a certificate, and tell each other whether they trust it. */
export function tlsTransport(tls: TlsOptions): Transport {
  const buffers = new SharedBuffers();
  return {
    dial: (address, timeoutMs) => dial(address, timeoutMs, tls, buffers),
    listen: (address, accept, refused = () => {}) =>
      listenSecured(address, tls, {
        secured: (socket, distrust) => {
          const remoteAddress = hostPort(socket.remoteAddress, socket.remotePort);
          socket.on("error", () => {});
          void exchangeVerdicts(socket, distrust, tls.handshakeTimeoutMs).then((verdict) => {
            switch (verdict.kind) {
              case "trusted":
                if (!socket.destroyed) accept(TcpStream.secured(socket, buffers));
                return;
              case "refused":
                refused({ remoteAddress, reason: `it refuses this node: ${verdict.reason}` });
                return;
              case "refusing":
              case "broken":
                refused({ remoteAddress, reason: verdict.reason });
            }
          });
        },
        refused,
      }),
  };
}

/** What listenSecured() tells of: sockets that have agreed on TLS, and why the other side is not trusted. */
interface Secured extends Pick<Incoming, "refused"> {
  secured(socket: TLSSocket, distrust: string | undefined): void;
}

async function listenSecured(
  address: PeerAddress,
  { identity, authentication, handshakeTimeoutMs }: TlsOptions,
  { secured, refused }: Secured,
): Promise<Listener> {
  const server = createServer({
    ...identity.options,
    // Who is not trusted is refused here, with the reason.
    requestCert: authentication !== "no",
    rejectUnauthorized: false,
    noDelay: true,
    allowHalfOpen: true,
  });
  /** Those that have not agreed on TLS yet, by where they are, and when that ends. */
  const pending = new Map<string, NodeJS.Timeout>();
  const settle = (remoteAddress: string) => {
    clearTimeout(pending.get(remoteAddress));
    pending.delete(remoteAddress);
  };
  server.on("connection", (socket: Socket) => {
    const remoteAddress = hostPort(socket.remoteAddress, socket.remotePort);
    if (pending.size >= MAX_PENDING_HANDSHAKES) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => {
      refused({ remoteAddress, reason: "it took too long to agree on TLS" });
      socket.destroy();
    }, handshakeTimeoutMs);
    pending.set(remoteAddress, timer);
    socket.on("close", () => settle(remoteAddress));
  });
  server.on("secureConnection", (socket) => {
    settle(hostPort(socket.remoteAddress, socket.remotePort));
    secured(socket, distrustOf(socket, authentication, identity.flags));
  });
  server.on("tlsClientError", (error, socket) => {
    const reason = tlsFailure(error);
    const remoteAddress = hostPort(socket.remoteAddress, socket.remotePort);
    socket.destroy();
    if (reason !== undefined) refused({ remoteAddress, reason });
  });
  const unsubscribe = identity.onReload((options) => server.setSecureContext(options));
  try {
    const listener = await listenOn(server, address);
    return {
      ...listener,
      close: () => {
        unsubscribe();
        return listener.close();
      },
    };
  } catch (error) {
    unsubscribe();
    throw error;
  }
}

/** Dials a member. Rejects with RingletError DIAL_…; DIAL_UNTRUSTED where one of the two does not trust the other. */
async function dial(
  address: PeerAddress,
  timeoutMs: number,
  { identity }: TlsOptions,
  buffers: SharedBuffers,
): Promise<TcpStream> {
  const at = hostPort(address.host, address.port);
  const deadline = performance.now() + timeoutMs;
  const socket = await connectSecured(address, timeoutMs, identity).catch((error) => {
    throw dialError(at, error);
  });
  const left = Math.max(1, deadline - performance.now());
  const verdict = await exchangeVerdicts(socket, distrustOf(socket, "yes", identity.flags), left);
  switch (verdict.kind) {
    case "trusted":
      return TcpStream.secured(socket, buffers);
    case "refusing":
      throw new RingletError("DIAL_UNTRUSTED", `refused the peer at ${at}: ${verdict.reason}`);
    case "refused":
      throw new RingletError(
        "DIAL_UNTRUSTED",
        `the peer at ${at} refused this node: ${verdict.reason}`,
      );
    case "broken":
      throw new RingletError("DIAL_FAILED", `cannot connect to ${at}: ${verdict.reason}`);
  }
}

/** Connects and agrees on TLS; nothing is read yet. Rejects with the error of node:tls, or with one whose code is ETIMEDOUT. */
function connectSecured(
  address: PeerAddress,
  timeoutMs: number,
  identity: TlsIdentity,
): Promise<TLSSocket> {
  const options = {
    ...address,
    secureContext: identity.context,
    // Who is not trusted is refused by dial(), with the reason. Members are known by their CA: they may be at any address.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    allowHalfOpen: true,
  };
  const socket = connect(options);
  socket.setNoDelay(true);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(timeoutError(timeoutMs)), timeoutMs);
    socket.on("error", reject);
    socket.on("close", () => clearTimeout(timer));
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
