/** Requests between the hosts of two nodes, and their responses: ids, deadlines, and what a lost link means for each. */
import { RingletError } from "../base/errors.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  FRAME,
  frameHead,
  RESPONSE_STATUS,
} from "./frame.ts";
import { LINK_LIMITS } from "./limits.ts";
import type { LinkSession } from "./link.ts";

/** Answers a request: body of the response. Throws RingletError: its code and message reach the asker. */
export type LinkRequestHandler = (request: {
  readonly link: number;
  readonly body: Uint8Array;
  /** When the asker stops waiting, in ms of Runtime.monotonic(). */
  readonly deadline: number;
}) => Uint8Array | Promise<Uint8Array>;

/** A request that waits for its response. */
interface Waiting {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

/** The requests of one session, in both directions. */
interface Exchange {
  nextId: number;
  readonly waiting: Map<number, Waiting>;
  running: number;
}

export class LinkRequests {
  readonly #runtime: Runtime;
  readonly #maxPerLink: number;
  readonly #handlers = new Map<number, LinkRequestHandler>();
  readonly #exchanges = new Map<LinkSession, Exchange>();

  constructor(runtime: Runtime, maxRequestsPerLink = LINK_LIMITS.maxRequestsPerLink) {
    this.#runtime = runtime;
    this.#maxPerLink = maxRequestsPerLink;
  }

  /** Answers requests of a kind from now on. */
  onRequest(kind: number, handler: LinkRequestHandler): void {
    this.#handlers.set(kind, handler);
  }

  /** Requests that wait for a response, of all sessions. */
  get waiting(): number {
    let waiting = 0;
    for (const exchange of this.#exchanges.values()) waiting += exchange.waiting.size;
    return waiting;
  }

  /**
   * Sends a request and resolves to the body of its response. Rejects with RingletError: LINK_DOWN (it was not sent), LINK_BUSY (the
   * same: too many wait already), LINK_LOST (it was sent; whether it ran is unknown), DEADLINE (the same), or the peer's own code.
   */
  request(
    session: LinkSession | undefined,
    kind: number,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    if (session === undefined || !session.isOpen) {
      return Promise.reject(
        new RingletError("LINK_DOWN", "there is no link to the node; the request was not sent"),
      );
    }
    const exchange = this.#exchangeOf(session);
    if (exchange.waiting.size >= this.#maxPerLink) {
      return Promise.reject(
        new RingletError(
          "LINK_BUSY",
          `${exchange.waiting.size} requests wait for the node already; this one was not sent`,
        ),
      );
    }
    const id = nextId(exchange);
    const wait = Math.max(0, Math.ceil(timeoutMs));
    return new Promise((resolve, reject) => {
      const timer = this.#runtime.after(wait, () => {
        exchange.waiting.delete(id);
        reject(
          new RingletError(
            "DEADLINE",
            `the node did not answer within ${wait} ms; whether it has done what was asked is unknown`,
          ),
        );
      });
      exchange.waiting.set(id, { resolve, reject, timer });
      session.send(encodeRequest({ id, timeoutMs: wait, kind, body }));
    });
  }

  /**
   * Takes a REQUEST or RESPONSE frame that came over a session. It must not change afterwards: handlers and those who wait for a
   * response get parts of it.
   */
  handle(session: LinkSession, frame: Uint8Array): void {
    try {
      if (frameHead(frame).type === FRAME.request) this.#run(session, frame);
      else this.#respond(session, frame);
    } catch (error) {
      if (!(error instanceof RingletError) || error.code !== "BAD_FRAME") throw error;
      session.reject(error.message);
    }
  }

  /** A session is over: what waits on it fails, and responses to what runs go nowhere. */
  closed(session: LinkSession): void {
    const exchange = this.#exchanges.get(session);
    if (exchange === undefined) return;
    this.#exchanges.delete(session);
    for (const { timer, reject } of exchange.waiting.values()) {
      timer.cancel();
      reject(
        new RingletError(
          "LINK_LOST",
          "the link to the node broke before it answered; whether it has done what was asked is unknown",
        ),
      );
    }
    exchange.waiting.clear();
  }

  #run(session: LinkSession, frame: Uint8Array): void {
    const { id, timeoutMs, kind, body } = decodeRequest(frame);
    const exchange = this.#exchangeOf(session);
    const deadline = this.#runtime.monotonic() + timeoutMs;
    const answer = (status: number, bytes: Uint8Array) => {
      if (session.isOpen) session.send(encodeResponse({ id, status, body: bytes }));
    };
    const fail = (error: unknown) => answer(RESPONSE_STATUS.error, errorBody(error));
    const handler = this.#handlers.get(kind);
    if (handler === undefined) {
      fail(new RingletError("UNKNOWN_KIND", `this node answers no requests of the kind ${kind}`));
      return;
    }
    if (exchange.running >= this.#maxPerLink) {
      fail(new RingletError("LINK_BUSY", `${exchange.running} requests of this link run already`));
      return;
    }
    let result: Uint8Array | Promise<Uint8Array>;
    try {
      result = handler({ link: session.link, body, deadline });
    } catch (error) {
      fail(error);
      return;
    }
    if (result instanceof Uint8Array) {
      answer(RESPONSE_STATUS.ok, result);
      return;
    }
    exchange.running++;
    const done = () => exchange.running--;
    result.then(
      (bytes) => {
        done();
        answer(RESPONSE_STATUS.ok, bytes);
      },
      (error) => {
        done();
        fail(error);
      },
    );
  }

  #respond(session: LinkSession, frame: Uint8Array): void {
    const { id, status, body } = decodeResponse(frame);
    const exchange = this.#exchanges.get(session);
    const waiting = exchange?.waiting.get(id);
    // Its deadline has passed, or the peer answers what nobody asked.
    if (exchange === undefined || waiting === undefined) return;
    exchange.waiting.delete(id);
    waiting.timer.cancel();
    if (status === RESPONSE_STATUS.ok) waiting.resolve(body);
    else waiting.reject(errorOf(body));
  }

  #exchangeOf(session: LinkSession): Exchange {
    let exchange = this.#exchanges.get(session);
    if (exchange === undefined) {
      exchange = { nextId: 0, waiting: new Map(), running: 0 };
      if (session.isOpen) this.#exchanges.set(session, exchange);
    }
    return exchange;
  }
}

function nextId(exchange: Exchange): number {
  do {
    exchange.nextId = (exchange.nextId + 1) >>> 0;
  } while (exchange.waiting.has(exchange.nextId));
  return exchange.nextId;
}

function errorBody(error: unknown): Uint8Array {
  const code = error instanceof RingletError ? error.code : "INTERNAL";
  const message = error instanceof Error ? error.message : String(error);
  return new TextEncoder().encode(`${code} ${message}`);
}

function errorOf(body: Uint8Array): RingletError {
  const text = new TextDecoder().decode(body);
  const match = /^([A-Z][A-Z0-9_]*) (.*)$/s.exec(text);
  return match === null ? new RingletError("REMOTE", text) : new RingletError(match[1]!, match[2]!);
}
