/** The transport between nodes on Node.js: TCP. */
import { RingletError } from "../../base/errors.ts";
import type { DialBackend } from "../../store/backend/backend.ts";
import type { PeerAddress, Transport } from "../../transport/transport.ts";
import { listenTcp } from "./tcp.ts";
import { SharedBuffers, TcpStream } from "./tcp-stream.ts";

/** A transport of its own for each node: its dialled connections share one read and one write buffer. */
export function tcpTransport(): Transport {
  const buffers = new SharedBuffers();
  return {
    dial: (address, timeoutMs) => dial(address, timeoutMs, buffers),
    listen: ({ host, port }, accept) => listenTcp(host, port, accept),
  };
}

/** Dials the server behind a node, over TCP or a Unix socket. */
export function dialBackend(): DialBackend {
  const buffers = new SharedBuffers();
  return (address, timeoutMs) => dial(address, timeoutMs, buffers);
}

async function dial(
  address: PeerAddress | { readonly path: string },
  timeoutMs: number,
  buffers: SharedBuffers,
): Promise<TcpStream> {
  try {
    return await TcpStream.dialled(address, timeoutMs, buffers);
  } catch (error) {
    const at = "path" in address ? address.path : `${address.host}:${address.port}`;
    throw dialError(at, error as NodeJS.ErrnoException);
  }
}

/** What a dial to `at` came to, as RingletError DIAL_REFUSED, DIAL_TIMEOUT or DIAL_FAILED. */
export function dialError(at: string, cause: NodeJS.ErrnoException): RingletError {
  switch (cause.code) {
    case "ECONNREFUSED":
    case "ENOENT":
      return new RingletError("DIAL_REFUSED", `nobody listens on ${at}`, { cause });
    case "ETIMEDOUT":
      return new RingletError("DIAL_TIMEOUT", `${at} does not answer: ${cause.message}`, { cause });
    default:
      return new RingletError("DIAL_FAILED", `cannot connect to ${at}: ${cause.message}`, {
        cause,
      });
  }
}
