// A client of a node with a server behind it: what its requests see of it, and what it sees of them, whatever the protocol.

import type { CommandRest } from "../codec/resp-relay.ts";
import type { BackendConnection } from "../store/backend/connection.ts";
import type { HeldRequests } from "./held-requests.ts";

/** What the client's next request waits for. */
export type Wait = "replies" | "room" | "connection" | "door" | "pause" | "output";

/** The client, as its requests see it. */
export interface RequestClient {
  readonly isClosed: boolean;
  /** Whether more replies wait for it than may. */
  readonly isFull: boolean;
  /** It gets what it does not ask for. */
  isListener: boolean;
  /** Nothing more of it runs until goOn() says that this is over. */
  waitFor(wait: Wait): undefined;
  goOn(over: Wait): void;
  /** Gives a request to the door, which answers it. Only where no reply is missing. */
  answerHere(bytes: Uint8Array): void;
  /** Sends it bytes of replies. */
  reply(bytes: Uint8Array): void;
  /** Reads no more of it; when all has been answered it is told `words`, if any, and its stream ends. */
  endWith(words: string): void;
  /** All may have been answered: ends what has been waiting for that. */
  endWhenDone(): void;
  destroy(): void;
}

/** A run of requests that go one way, and what is behind it. */
export interface RequestRun {
  /**
   * "end": the bytes end behind the run. "stop": behind it is a whole request with a way of its own. "incomplete": a request goes on
   * behind the bytes. "error": what is behind the run is no request, and the rest cannot be read.
   */
  readonly status: "end" | "stop" | "incomplete" | "error";
  /** Offset behind the run. */
  readonly end: number;
  /** With "stop": the offset behind that request, which may lie behind the bytes. */
  readonly stopEnd: number;
  /** With "incomplete": see HeldRequests.expect(). */
  readonly wanted: number;
  readonly resumeAt: number;
  readonly left: number;
}

/** The requests of one client to the server: what a protocol makes of them. */
export interface ClientRequests<Run extends RequestRun> {
  /** Requests without a reply. */
  readonly outstanding: number;
  /** Whether a request waits in the server for as long as it likes. */
  readonly isBlocking: boolean;
  /** Whether all bytes of the server pass as they come. */
  readonly isRaw: boolean;
  /** Finds the run from `at` on, up to `limit`. */
  read(bytes: Uint8Array, at: number, limit: number): Run;
  /** Passes on the run that was just found and is not empty, or answers it; false: it must wait. */
  pass(bytes: Uint8Array, run: Run): boolean;
  /** Does what is to be done for the request that the run stopped at, or what is no request; false: it must wait. */
  perform(bytes: Uint8Array, run: Run): boolean;
  /** Passes on a long request that is whole; false: it must wait. */
  passLong(held: HeldRequests, end: number): boolean;
  /** Reads on in a long request: see RespRelay.rest(). */
  rest(bytes: Uint8Array, left: number): CommandRest;
  /** Answers a long request that is broken in its end; false: nothing behind it is read any more, or it must wait. */
  refuseLong(): boolean;
  /** What is said to a client whose request is longer than the limit. */
  readonly tooLong: string;
  /** The client is gone. */
  drop(): void;
}

/** In the place of a connection: there is none, and the requests have been answered. */
export const FAILED = "failed";

/** The connection, where it takes requests; undefined: those of the client must wait. */
export function withRoom(
  connection: BackendConnection,
  client: RequestClient,
): BackendConnection | undefined {
  if (!connection.isFull) return connection;
  connection.whenRoom(() => client.goOn("room"));
  return client.waitFor("room");
}
