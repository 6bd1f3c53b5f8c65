// One client of the memcached door: keeps what came of a request in part, runs whole ones, sends their answers together.

import { concat } from "../../codec/concat.ts";
import type { MemcachedRequests } from "../../codec/memcached.ts";
import type { MemcachedInvalid, MemcachedRequest } from "../../codec/memcached-message.ts";
import type { ByteStream } from "../../transport/stream.ts";
import { ClientConnection, type ConnectionDoor } from "../client-connection.ts";
import type { OpenConnection } from "../open-connections.ts";
import type { MemcachedCommands, Ran, Requester } from "./commands.ts";
import { ReplyBuffer } from "./reply-buffer.ts";

/** What a connection needs of the door that it came in by. */
export interface MemcachedOwner extends ConnectionDoor<MemcachedConnection> {
  readonly commands: MemcachedCommands;
  /** Every whole request in `bytes`. */
  parse(bytes: Uint8Array): MemcachedRequests;
}

type Session = OpenConnection["session"];

export class MemcachedConnection extends ClientConnection<Session> implements Requester {
  readonly replies: ReplyBuffer;
  readonly #door: MemcachedOwner;
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
  /** Nothing more runs: close when what is answered has been sent. */
  #ending = false;
  /** The other side sends nothing more. */
  #ended = false;

  constructor(door: MemcachedOwner, stream: ByteStream, facts: Session["facts"]) {
    super(door, stream, { facts, noEvict: false }, "memcached client");
    this.#door = door;
    this.replies = new ReplyBuffer((bytes) => this.write(bytes));
  }

  get pendingInputBytes(): number {
    return this.#pendingBytes + this.#queuedBytes + this.heldInFrontBytes;
  }

  /** Whether it is to close when what has come is answered. */
  get isFinishing(): boolean {
    return this.#ended;
  }

  get mustWait(): boolean {
    const bytes = this.stream.bufferedBytes + this.replies.length;
    return bytes > this.#door.outputLimitBytes || this.#door.isOverBudget;
  }

  protected get isEnding(): boolean {
    return this.#ending;
  }

  ended(): void {
    this.#ended = true;
    if (!this.waiting && !this.waitsInFront) this.#end();
  }

  protected forget(): void {
    this.#setPending([], 0);
    this.#setQueued(0);
    this.#requests = [];
  }

  /** Answers what has come, then closes. */
  finish(): void {
    this.ended();
  }

  /** Closes the connection: after what has been answered is sent, or at once. */
  kill(afterReplies: boolean): void {
    if (this.isClosed) return;
    this.#ending = true;
    if (afterReplies) this.#end();
    else this.stream.destroy();
  }

  protected take(bytes: Uint8Array): void {
    const skipped = Math.min(this.#discard, bytes.length);
    this.#discard -= skipped;
    const rest = skipped === 0 ? bytes : bytes.subarray(skipped);
    if (rest.length === 0) return;
    if (this.waiting || this.#pendingBytes !== 0) {
      this.#pending.push(rest.slice());
      this.#setPending(this.#pending, this.#pendingBytes + rest.length);
      if (this.waiting) this.pauseBehindWait(this.#pendingBytes);
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
    while (!this.waiting && !this.#ending && !this.isClosed) {
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
        this.hold(this.#pendingBytes);
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
        if (this.mustWait) this.hold(this.#pendingBytes);
        return;
      case "quit":
        this.#ending = true;
        this.#end();
    }
  }

  #waitFor(ran: Promise<Ran>): void {
    this.isWaiting = true;
    this.pauseBehindWait(this.#pendingBytes);
    ran
      .then((outcome) => {
        this.isWaiting = false;
        if (this.isClosed) return;
        this.#done(outcome);
        this.resume();
      })
      .catch((error: unknown) => this.giveUp(error));
  }

  protected resume(): void {
    this.#advance();
    if (this.waiting || this.isClosed) return;
    this.readOn();
    if (this.#ended && !this.#ending) this.#end();
  }

  /** Requests wait, and their bytes are the stream's: reads them again from a copy. */
  #keepRequests(bytes: Uint8Array): void {
    const copy = bytes.slice();
    const run = this.#next;
    this.#requests = this.#door.parse(copy).requests;
    this.#next = run;
    this.#setQueued(copy.length);
  }

  #end(): void {
    this.#ending = true;
    this.replies.flush();
    this.stream.end();
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
