/** The transport between nodes on Node.js: TCP. */
import { RingletError } from "../../base/errors.ts";
import type { PeerAddress, Transport } from "../../transport/transport.ts";
import { listenTcp } from "./tcp.ts";
import { SharedBuffers, TcpStream } from "./tcp-stream.ts";

/** A transport of its own for each node: its dialled connections share one read and one write buffer. */
export function tcpTransport(): Transport {
  const buffers = new SharedBuffers();
  return {
    dial: async ({ host, port }, timeoutMs) => {
      try {
        return await TcpStream.dialled(host, port, timeoutMs, buffers);
      } catch (error) {
        throw dialError({ host, port }, error as NodeJS.ErrnoException);
      }
    },
    listen: ({ host, port }, accept) => listenTcp(host, port, accept),
  };
}

function dialError({ host, port }: PeerAddress, cause: NodeJS.ErrnoException): RingletError {
  const at = `${host}:${port}`;
  switch (cause.code) {
    case "ECONNREFUSED":
      return new RingletError("DIAL_REFUSED", `nobody listens on ${at}`, { cause });
    case "ETIMEDOUT":
      return new RingletError("DIAL_TIMEOUT", `${at} does not answer: ${cause.message}`, { cause });
    default:
      return new RingletError("DIAL_FAILED", `cannot connect to ${at}: ${cause.message}`, {
        cause,
      });
  }
}
