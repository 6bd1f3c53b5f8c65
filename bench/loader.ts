// Fills a server with distinct keys over one connection, pipelined, and holds every reply to be +OK.

import { ask, open, type Server } from "./servers.ts";

export interface Fill {
  readonly keys: number;
  readonly valueBytes: number;
  /** Keys a second at most; as many as the server takes by default. */
  readonly perSecond?: number;
}

const REPLY = "+OK\r\n";
/** Replies that are awaited at a time, in bytes of their requests: neither side is flooded. */
const WINDOW_BYTES = 1024 * 1024;
/** Most bytes written at a time, unless one request is longer. */
const BATCH_BYTES = 64 * 1024;
/** A paced fill never makes up for more than this time that it has lost, and awaits no more replies than those of so many ms. */
const BURST_MS = 2;
const PACED_WINDOW_MS = 8;

/**
 * Sets the keys 0 to `keys` - 1, which must be all the keys the server holds afterwards, as redis-benchmark writes them: 16
 * bytes, "key:000000000042". Throws when a reply is anything but +OK, or when there are more or fewer keys.
 */
export async function fill(server: Server, { keys, valueBytes, perSecond }: Fill): Promise<void> {
  const socket = await open(server.port);
  const requests = new Requests(keys, valueBytes);
  const windowRequests =
    perSecond === undefined
      ? Math.ceil(WINDOW_BYTES / requests.bytes)
      : Math.ceil((perSecond / 1000) * PACED_WINDOW_MS);
  const batchRequests = Math.ceil(BATCH_BYTES / requests.bytes);
  const allowance = new Allowance(perSecond ?? Number.POSITIVE_INFINITY);
  let answeredBytes = 0;

  const pump = () => {
    for (;;) {
      const window = windowRequests - (requests.written - Math.floor(answeredBytes / REPLY.length));
      const wanted = Math.min(requests.left, window, batchRequests);
      const count = wanted > 0 ? allowance.take(wanted) : 0;
      if (count === 0) return;
      socket.write(requests.next(count));
    }
  };
  const pacer = perSecond === undefined ? undefined : setInterval(pump, 1);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("end", () => reject(new Error(`${server.name} closed the connection`)));
      socket.on("data", (bytes: Buffer) => {
        if (!isReplies(bytes, answeredBytes)) {
          reject(new Error(`${server.name} answered a SET with ${bytes.subarray(0, 100)}`));
        }
        answeredBytes += bytes.length;
        if (answeredBytes === keys * REPLY.length) resolve();
        else pump();
      });
      pump();
    });
  } finally {
    clearInterval(pacer);
    socket.destroy();
  }
  const held = await ask(server.port, "DBSIZE");
  if (held !== `:${keys}`) throw new Error(`${server.name} answered DBSIZE ${held}, not :${keys}`);
}

/** The SET requests of a fill, each key once, in an order that no server gains from. */
class Requests {
  readonly bytes: number;
  written = 0;
  readonly #keys: number;
  readonly #request: Buffer;
  readonly #digitsEnd: number;
  #key = 0;

  constructor(keys: number, valueBytes: number) {
    const value = "x".repeat(valueBytes);
    this.#keys = keys;
    this.#request = Buffer.from(
      `*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$${valueBytes}\r\n${value}\r\n`,
    );
    this.#digitsEnd = this.#request.indexOf("key:") + "key:000000000000".length;
    this.bytes = this.#request.length;
  }

  get left(): number {
    return this.#keys - this.written;
  }

  next(count: number): Buffer {
    const batch = Buffer.allocUnsafe(count * this.bytes);
    for (let start = 0; start < batch.length; start += this.bytes) {
      batch.set(this.#request, start);
      let at = start + this.#digitsEnd;
      for (let digits = this.#key; digits > 0; digits = Math.floor(digits / 10)) {
        batch[--at] = 48 + (digits % 10);
      }
      this.#key = (this.#key + STEP) % this.#keys;
    }
    this.written += count;
    return batch;
  }
}

/** A prime, which shares no factor with a round number of keys: stepping by it visits each key once. */
const STEP = 611_953;

/** How many requests may leave now, at `perSecond`. */
class Allowance {
  readonly #perMs: number;
  #available = 0;
  #since = performance.now();

  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
  }

  take(wanted: number): number {
    if (this.#perMs === Number.POSITIVE_INFINITY) return wanted;
    const now = performance.now();
    const earned = (now - this.#since) * this.#perMs;
    this.#since = now;
    this.#available = Math.min(this.#available + earned, BURST_MS * this.#perMs);
    const taken = Math.min(wanted, Math.floor(this.#available));
    this.#available -= taken;
    return taken;
  }
}

/** Whether `bytes` go on with +OK replies where the first `before` bytes of them have come already. */
function isReplies(bytes: Buffer, before: number): boolean {
  const phase = before % REPLY.length;
  return bytes.equals(REPLIES.subarray(phase, phase + bytes.length));
}

const REPLIES = Buffer.from(REPLY.repeat(64 * 1024));
