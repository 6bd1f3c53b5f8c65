// One client of the memcached door: keeps what came of a request in part, runs whole ones, sends their answers together.

import type { Logger } from "../../base/logger.ts";
import { concat } from "../../codec/concat.ts";
import type { MemcachedRequests } from "../../codec/memcached.ts";
import type { MemcachedInvalid, MemcachedRequest } from "../../codec/memcached-message.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import type { OpenConnection } from "../open-connections.ts";
import type { MemcachedCommands, Ran, Requester } from "./commands.ts";
import { ReplyBuffer } from "./reply-buffer.ts";

/** What a connection needs of the door that it came in by. */
export interface MemcachedOwner {
  readonly log: Logger;
  readonly commands: MemcachedCommands;
  /** Bytes of replies that may wait for one client. */
  readonly outputLimitBytes: number;
  /** Whether replies wait for clients, and all that is held for clients is more than the budget. */
  readonly isOverBudget: boolean;
  /** Every whole request in `bytes`. */
  parse(bytes: Uint8Array): MemcachedRequests;
  /** The time, in ms since the epoch. */
  now(): number;
  /** Gives the store the time. */
  letTimePass(): void;
  /** Many bytes of replies wait for the client. */
  noteReplies(connection: MemcachedConnection): void;
  /** The client must wait for replies to leave: goOn() when they may have. */
  hold(connection: MemcachedConnection): void;
  /** Replies have left. */
  drained(): void;
  /** Counts bytes of requests in part. */
  addPending(bytes: number): void;
  /** The connection is gone. */
  closed(connection: MemcachedConnection): void;
}

export class MemcachedConnection implements StreamHandler, OpenConnection, Requester {
  readonly session: OpenConnection["session"];
  readonly replies: ReplyBuffer;
  readonly #door: MemcachedOwner;
  readonly #stream: ByteStream;
  /** What has come and was not read yet, and how much of it there must be before it is worth looking at. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #neededBytes = 0;
  /** Requests that were read and have not run, from #next on; their bytes are #queued bytes of this connection. */
  #requests: readonly (MemcachedRequest | MemcachedInvalid)[] = [];
  #next = 0;
  #queuedBytes = 0;
  /** Bytes to come that belong to a value which was refused. */
  #discard = 0;
  keysDone = 0;
  /** A request waits for other nodes, or for replies to leave; nothing else of this client runs. */
  #waiting = false;
  #held = false;
  #pausedByBudget = false;
  #pausedByWait = false;
  #paused = false;
  #closed = false;
  /** Nothing more runs: close when what is answered has been sent. */
  #ending = false;
  /** The other side sends nothing more. */
  #ended = false;
  #takenBytes = 0;
  takenAt = 0;
  inputBytes = 0;
  outputBytes = 0;
  lastInputAt: number;

  constructor(door: MemcachedOwner, stream: ByteStream, facts: OpenConnection["session"]["facts"]) {
    this.#door = door;
    this.#stream = stream;
    this.session = { facts, noEvict: false };
    this.lastInputAt = door.now();
    this.replies = new ReplyBuffer((bytes) => this.#write(bytes));
  }

  /** Bytes of requests that are not whole, or have not run. */
  get pendingInputBytes(): number {
    return this.#pendingBytes + this.#queuedBytes;
  }

  /** Bytes of replies that the client has not taken. */
  get pendingOutputBytes(): number {
    return this.#closed ? 0 : this.#stream.bufferedBytes;
  }

  /** Whether a request of this client waits. */
  get waiting(): boolean {
    return this.#waiting || this.#held;
  }

  get mustWait(): boolean {
    const bytes = this.#stream.bufferedBytes + this.replies.length;
    return bytes > this.#door.outputLimitBytes || this.#door.isOverBudget;
  }

  received(bytes: Uint8Array): void {
    if (this.#closed || this.#ending) return;
    this.inputBytes += bytes.length;
    this.lastInputAt = this.#door.now();
    try {
      this.#take(bytes);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  ended(): void {
    this.#ended = true;
    if (!this.waiting) this.#end();
  }

  drained(): void {
    this.#door.drained();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#setPending([], 0);
    this.#setQueued(0);
    this.#requests = [];
    this.#door.closed(this);
  }

  /** Answers what has come, then closes. */
  finish(): void {
    this.ended();
  }

  /** Closes the connection: after what has been answered is sent, or at once. */
  kill(afterReplies: boolean): void {
    if (this.#closed) return;
    this.#ending = true;
    if (afterReplies) this.#end();
    else this.#stream.destroy();
  }

  /** Stops and starts reading from the client. */
  setPaused(paused: boolean): void {
    this.#pausedByBudget = paused;
    this.#updateReading();
  }

  /** Runs what has waited for replies to leave. */
  goOn(): void {
    if (this.#closed || !this.#held) return;
    this.#held = false;
    this.#resume();
  }

  /** Looks whether the client takes the replies that wait for it; how many bytes still do. */
  noteTaken(now: number): number {
    const bytes = this.pendingOutputBytes;
    const taken = this.outputBytes - bytes;
    if (bytes === 0) this.takenAt = 0;
    else if (taken > this.#takenBytes || this.takenAt === 0) this.takenAt = now;
    this.#takenBytes = taken;
    return bytes;
  }

  /** Closes the connection: replies wait, and the client takes none of them. */
  cutOff(): void {
    const { id, remoteAddress } = this.session.facts;
    this.#door.log.warn(
      `memcached client ${id} at ${remoteAddress} does not read its replies and was cut off: ${this.pendingOutputBytes} bytes (client-output-buffer-limit: ${this.#door.outputLimitBytes}) waited for it`,
    );
    this.kill(false);
  }

  #take(bytes: Uint8Array): void {
    const skipped = Math.min(this.#discard, bytes.length);
    this.#discard -= skipped;
    const rest = skipped === 0 ? bytes : bytes.subarray(skipped);
    if (rest.length === 0) return;
    if (this.waiting || this.#pendingBytes !== 0) {
      this.#pending.push(rest.slice());
      this.#setPending(this.#pending, this.#pendingBytes + rest.length);
      if (this.waiting) this.#pauseBehindWait();
      else if (this.#pendingBytes >= this.#neededBytes) this.#advance();
      return;
    }
    this.#read(rest);
    this.#advance();
    if (this.#next < this.#requests.length) this.#keepRequests(rest);
  }

  /** Reads the whole requests in `bytes`, and keeps the rest. */
  #read(bytes: Uint8Array): void {
    const { requests, end, status, wanted, discard, error } = this.#door.parse(bytes);
    this.#requests = requests;
    this.#next = 0;
    this.#discard = discard;
    if (status === "incomplete") {
      const rest = bytes.slice(end);
      this.#setPending([rest], rest.length);
      this.#neededBytes = rest.length + wanted;
    } else if (error !== null) {
      // What follows cannot be read any more.
      this.#requests = [...requests, { command: "invalid", error, reply: TOO_LONG }, QUIT];
    }
  }

  /** Runs what has been read, and reads on, until something has to wait. */
  #advance(): void {
    this.#door.letTimePass();
    while (!this.waiting && !this.#ending && !this.#closed) {
      const request = this.#requests[this.#next];
      if (request === undefined) {
        this.#requests = [];
        this.#next = 0;
        this.#setQueued(0);
        if (this.#pendingBytes === 0 || this.#pendingBytes < this.#neededBytes) break;
        const bytes = concat(this.#pending);
        this.#setPending([], 0);
        this.#neededBytes = 0;
        this.#read(bytes);
        this.#setQueued(bytes.length);
        continue;
      }
      if (this.mustWait) {
        this.#hold();
        break;
      }
      const ran = this.#door.commands.run(request, this);
      if (ran instanceof Promise) this.#waitFor(ran);
      else this.#done(ran);
    }
    this.replies.flush();
  }

  #done(ran: Ran): void {
    switch (ran) {
      case "answered":
        this.#next++;
        return;
      case "held":
        if (this.mustWait) this.#hold();
        return;
      case "quit":
        this.#ending = true;
        this.#end();
    }
  }

  #waitFor(ran: Promise<Ran>): void {
    this.#waiting = true;
    this.#pauseBehindWait();
    ran
      .then((outcome) => {
        this.#waiting = false;
        if (this.#closed) return;
        this.#done(outcome);
        this.#resume();
      })
      .catch((error: unknown) => this.#giveUp(error));
  }

  #resume(): void {
    try {
      this.#advance();
      if (this.waiting || this.#closed) return;
      this.#pausedByWait = false;
      this.#updateReading();
      if (this.#ended && !this.#ending) this.#end();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Requests wait, and their bytes are the stream's: reads them again from a copy. */
  #keepRequests(bytes: Uint8Array): void {
    const copy = bytes.slice();
    const run = this.#next;
    this.#requests = this.#door.parse(copy).requests;
    this.#next = run;
    this.#setQueued(copy.length);
  }

  #hold(): void {
    this.#held = true;
    this.#door.hold(this);
    this.#pauseBehindWait();
  }

  /** Reads no more from a client that has sent enough to go on with. */
  #pauseBehindWait(): void {
    this.#pausedByWait = this.#pendingBytes > MAX_BEHIND_WAIT_BYTES;
    this.#updateReading();
  }

  #updateReading(): void {
    const paused = this.#pausedByBudget || this.#pausedByWait;
    if (this.#paused === paused || this.#closed) return;
    this.#paused = paused;
    if (paused) this.#stream.pause();
    else this.#stream.resume();
  }

  #end(): void {
    this.#ending = true;
    this.replies.flush();
    this.#stream.end();
  }

  #write(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.outputBytes += bytes.length;
    this.#stream.write(bytes);
    if (this.#stream.bufferedBytes > MANY_REPLY_BYTES) this.#door.noteReplies(this);
  }

  /** Something of our own failed where no answer says so. After a trap of the kernel nobody may go on: its table may be torn. */
  #giveUp(error: unknown): void {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#door.log.error(
      `memcached client ${this.session.facts.id} was closed for a reason of our own: ${detail}`,
    );
    this.kill(false);
  }

  #setPending(parts: Uint8Array[], bytes: number): void {
    const more = bytes - this.#pendingBytes;
    this.#pending = parts;
    this.#pendingBytes = bytes;
    if (more !== 0) this.#door.addPending(more);
  }

  #setQueued(bytes: number): void {
    const more = bytes - this.#queuedBytes;
    this.#queuedBytes = bytes;
    if (more !== 0) this.#door.addPending(more);
  }
}

const QUIT: MemcachedRequest = { command: "quit" };
const TOO_LONG = "CLIENT_ERROR line too long";
/** Bytes of replies that wait for a client, from which on the door counts them. */
const MANY_REPLY_BYTES = 64 * 1024;
/** Bytes that may come behind a request that waits, before reading stops until it has its answer. */
const MAX_BEHIND_WAIT_BYTES = 64 * 1024;
