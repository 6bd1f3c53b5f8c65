/** One TCP connection of Node.js as a byte stream, accepted or dialled, with TLS or without. */
import { connect, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";

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

/** What all connections of a listener, or all that are dialled, read into and write from, one after the other: no allocation per read or write. */
export class SharedBuffers {
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

export class TcpStream implements ByteStream {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly isEncrypted: boolean;
  readonly #buffers: SharedBuffers;
  /** The socket of the server, which gives its handle away at start(). */
  readonly #accepted: Socket | undefined;
  #socket: Socket;
  #handler: StreamHandler | undefined;
  #ending = false;

  private constructor(socket: Socket, buffers: SharedBuffers, kind: SocketKind) {
    this.#socket = socket;
    this.#accepted = kind === "accepted" ? socket : undefined;
    this.isEncrypted = kind === "secured";
    this.#buffers = buffers;
    this.remoteAddress = hostPort(socket.remoteAddress, socket.remotePort);
    this.localAddress = hostPort(socket.localAddress, socket.localPort);
  }

  /** A socket of a server that pauses on connection. */
  static accepted(socket: Socket, buffers: SharedBuffers): TcpStream {
    return new TcpStream(socket, buffers, "accepted");
  }

  /** A socket that has agreed on TLS, accepted or dialled, of which nothing is read yet. */
  static secured(socket: TLSSocket, buffers: SharedBuffers): TcpStream {
    return new TcpStream(socket, buffers, "secured");
  }

  /** Connects. Rejects with the error of node:net, or with one whose code is ETIMEDOUT after `timeoutMs`. */
  static dialled(
    address: { readonly host: string; readonly port: number } | { readonly path: string },
    timeoutMs: number,
    buffers: SharedBuffers,
  ): Promise<TcpStream> {
    let stream: TcpStream | undefined;
    const socket = connect({
      ...address,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer: buffers.read,
        callback: (length, bytes) => {
          stream?.receivedBytes(bytes.subarray(0, length));
          return true;
        },
      },
    });
    // Nothing is read before somebody listens to it.
    socket.pause();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(timeoutError(timeoutMs)), timeoutMs);
      socket.on("error", reject);
      socket.on("close", () => clearTimeout(timer));
      socket.once("connect", () => {
        clearTimeout(timer);
        stream = new TcpStream(socket, buffers, "dialled");
        resolve(stream);
      });
    });
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    const accepted = this.#accepted;
    const reading =
      accepted && readInto(accepted, this.#buffers.read, (bytes) => handler.received(bytes));
    if (reading !== undefined) this.#socket = reading;
    const socket = this.#socket;
    let failure: Error | undefined;
    socket.on("end", () => handler.ended());
    socket.on("drain", () => handler.drained());
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", () => {
      // The server counts the socket that it accepted; without a handle this only takes it off the count.
      if (accepted !== undefined && socket !== accepted) accepted.destroy();
      handler.closed(failure);
    });
    if (reading !== undefined) return;
    // A dialled socket without TLS reads into the buffer by itself.
    if (accepted !== undefined || this.isEncrypted) {
      socket.on("data", (bytes: Buffer) => handler.received(bytes));
    }
    socket.resume();
  }

  /** Bytes that a dialled socket has read. */
  receivedBytes(bytes: Uint8Array): void {
    this.#handler?.received(bytes);
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

type SocketKind = "accepted" | "dialled" | "secured";

/** No connection has been made within `timeoutMs`. */
export function timeoutError(timeoutMs: number): Error {
  const text = `no connection within ${timeoutMs} ms`;
  return Object.assign(new Error(text), { code: "ETIMEDOUT" });
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

export function hostPort(host = "", port = 0): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
