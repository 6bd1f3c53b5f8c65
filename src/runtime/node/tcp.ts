/** Listening over TCP on Node.js. */
import { createServer, type Server } from "node:net";
import { RingletError } from "../../base/errors.ts";
import type { ByteStream, Listener } from "../../transport/stream.ts";
import { SharedBuffers, TcpStream } from "./tcp-stream.ts";

/** Connections that wait to be accepted, at most. */
export const LISTEN_BACKLOG = 511;

/** An address could not be listened on. `code`: LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS or LISTEN_FAILED. */
export class ListenError extends RingletError {}

/**
 * Listens on `host:port` (port 0: any that is free) and hands each connection to `accept`.
 * Throws ListenError with what to do.
 */
export function listenTcp(
  host: string,
  port: number,
  accept: (stream: ByteStream) => void,
): Promise<Listener> {
  const buffers = new SharedBuffers();
  const options = { noDelay: true, allowHalfOpen: true, pauseOnConnect: true };
  const server = createServer(options, (socket) => accept(TcpStream.accepted(socket, buffers)));
  return listenOn(server, { host, port });
}

/** Has a server listen. Throws ListenError with what to do. */
export function listenOn(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: SystemError) => reject(listenError(host, port, error)));
    server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      server.removeAllListeners("error");
      resolve(listener(server, host));
    });
  });
}

function listener(server: Server, host: string): Listener {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  // Without a listener an error of accept() (out of file descriptors) would end the process.
  server.on("error", () => {});
  return {
    host,
    port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** What the system says; a type of our own, so that programs need no types of Node.js for ours. */
type SystemError = Error & { readonly code?: string | undefined };

export function listenError(host: string, port: number, error: SystemError): ListenError {
  const at = `${host}:${port}`;
  switch (error.code) {
    case "EADDRINUSE":
      return new ListenError(
        "LISTEN_IN_USE",
        `${at} is in use by another program; stop it or choose another port`,
        { cause: error },
      );
    case "EACCES":
      return new ListenError(
        "LISTEN_DENIED",
        `${at} may not be listened on by this user; choose a port above 1023`,
        { cause: error },
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ListenError(
        "LISTEN_NO_ADDRESS",
        `${host} is no address of this machine; use 127.0.0.1, 0.0.0.0 or one that it has`,
        { cause: error },
      );
    default:
      return new ListenError("LISTEN_FAILED", `cannot listen on ${at}: ${error.message}`, {
        cause: error,
      });
  }
}
