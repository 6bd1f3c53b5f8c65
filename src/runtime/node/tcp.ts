/** TCP on Node.js: byte streams over node:net. */
import { createServer, type Server, Socket } from "node:net";
import { RingletError } from "../../base/errors.ts";
import type { ByteStream, Listener, StreamHandler } from "../../transport/stream.ts";

/** Connections that wait to be accepted, at most. */
export const LISTEN_BACKLOG = 511;
/**
 * Bytes that one read takes at most. A pipeline of large values comes whole, and with a part kept from before it still fits the
 * kernel's input region.
 */
export const READ_BYTES = 192 * 1024;
/** Bytes that one write copies without an allocation: the kernel's output region. */
const WRITE_BYTES = 256 * 1024;
/** Writes of fewer bytes are copied into memory of their own: what a slow client keeps must be near what waits for it. */
const LONG_WRITE_BYTES = 16 * 1024;
/** How long a connection may stay half open after it was ended, in ms. */
export const CLOSE_GRACE_MS = 2000;

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
  const server = createServer(options, (socket) => accept(new TcpStream(socket, buffers)));
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(host, port, error)));
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

export function listenError(host: string, port: number, error: NodeJS.ErrnoException): ListenError {
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

/** What all connections of a listener read into and write from, one after the other: no allocation per read or write. */
class SharedBuffers {
  readonly read = new Uint8Array(READ_BYTES);
  #write = Buffer.allocUnsafeSlow(WRITE_BYTES);

  /** Writes a copy of `bytes`. A socket that does not take a long one at once keeps the buffer that it is in. */
  write(socket: Socket, bytes: Uint8Array): void {
    const { length } = bytes;
    if (length < LONG_WRITE_BYTES || length > WRITE_BYTES || socket.writableLength !== 0) {
      const copy = Buffer.allocUnsafe(length);
      copy.set(bytes);
      socket.write(copy);
      return;
    }
    this.#write.set(bytes);
    socket.write(this.#write.subarray(0, length));
    if (socket.writableLength !== 0) this.#write = Buffer.allocUnsafeSlow(WRITE_BYTES);
  }
}

/** One TCP connection. */
class TcpStream implements ByteStream {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #accepted: Socket;
  readonly #buffers: SharedBuffers;
  #socket: Socket;
  #ending = false;

  constructor(accepted: Socket, buffers: SharedBuffers) {
    this.#accepted = accepted;
    this.#socket = accepted;
    this.#buffers = buffers;
    this.remoteAddress = hostPort(accepted.remoteAddress, accepted.remotePort);
    this.localAddress = hostPort(accepted.localAddress, accepted.localPort);
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  start(handler: StreamHandler): void {
    const reading = readInto(this.#accepted, this.#buffers.read, (bytes) =>
      handler.received(bytes),
    );
    const socket = reading ?? this.#accepted;
    this.#socket = socket;
    let failure: Error | undefined;
    socket.on("end", () => handler.ended());
    socket.on("drain", () => handler.drained());
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", () => {
      // The server counts the socket that it accepted; without a handle this only takes it off the count.
      if (socket !== this.#accepted) this.#accepted.destroy();
      handler.closed(failure);
    });
    if (reading === undefined) {
      socket.on("data", (bytes: Buffer) => handler.received(bytes));
      socket.resume();
    }
  }

  write(bytes: Uint8Array): void {
    // The bytes may lie in memory that changes before the system has taken them.
    if (this.#socket.writable) this.#buffers.write(this.#socket, bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#ending || this.#socket.destroyed) return;
    this.#ending = true;
    // What still comes is read and dropped: closing on unread bytes would take the last reply from the other side.
    this.#socket.resume();
    this.#socket.end(() => {
      if (this.#socket.readableEnded) {
        this.#socket.destroy();
        return;
      }
      setTimeout(() => this.#socket.destroy(), CLOSE_GRACE_MS).unref();
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** What Socket's constructor takes beside what its types tell: the handle of another socket. */
interface AdoptingOptions {
  handle: object;
  allowHalfOpen: boolean;
  onread: { buffer: Uint8Array; callback(length: number, buffer: Uint8Array): boolean };
}

/**
 * A socket in the place of `accepted` that reads into `buffer`. Node.js offers this only for sockets that dial, so the handle
 * changes its owner; undefined where it cannot, and then `accepted` is as it was. (Measured: a fifth less processor time per
 * command at a pipeline of 16, a third at 128.)
 */
function readInto(
  accepted: Socket,
  buffer: Uint8Array,
  received: (bytes: Uint8Array) => void,
): Socket | undefined {
  const owner = accepted as Socket & { _handle?: { useUserBuffer?: unknown } | null };
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== "function") return undefined;
  const options: AdoptingOptions = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer,
      callback: (length, bytes) => {
        received(bytes.subarray(0, length));
        return true;
      },
    },
  };
  owner._handle = null;
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}

function hostPort(host = "", port = 0): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
