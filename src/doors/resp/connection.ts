// One client of the RESP door: keeps what came of a command in progress, feeds whole commands, sends replies in order.

import type { RespWriter } from "../../codec/resp-writer.ts";
import type { Arguments } from "../../store/arguments.ts";
import { OutOfMemory } from "../../store/embedded-store.ts";
import type { ByteStream } from "../../transport/stream.ts";
import { ClientConnection, type ConnectionDoor } from "../client-connection.ts";
import type { ClientHandle } from "./clients.ts";
import type { FeedClient, Feeder, FeedOutcome, LaterReply } from "./feeder.ts";
import type { Session } from "./session.ts";

/** Text encoder for the few replies that do not come from a writer. */
const TEXT = new TextEncoder();

/** What a connection needs of the door that it came in by. */
export interface ConnectionOwner extends ConnectionDoor<RespConnection> {
  readonly feeder: Feeder;
  /** Longest command in bytes. */
  readonly maxRequestBytes: number;
  /** Runs a command that the kernel hands over. */
  readonly commander: {
    execute(session: Session, args: Arguments, reply: RespWriter): LaterReply | undefined;
    mayReplyMuch(args: Arguments): boolean;
  };
  /** Where replies wait for other nodes, in a ring. */
  readonly gate: ReplyGate | undefined;
  /** How many bytes of the command in progress the kernel has read, when it is a long one; else 0. */
  readBytes(kernelConnection: number): number;
  /** Has `write` write a reply that came late, and sends it. */
  writeLate(connection: RespConnection, write: (reply: RespWriter) => void): void;
}

/** The replies of clients that wait for acknowledgements of other nodes, by the address of the connection in the kernel. */
export interface ReplyGate {
  /** Whether replies of a connection wait, so that whatever it is sent must go behind them. */
  isGated(kernelConnection: number): boolean;
  /** Puts reply bytes behind those that wait. Throws OutOfMemory. */
  append(kernelConnection: number, bytes: Uint8Array): void;
  /** Bytes that wait. */
  waitingBytes(kernelConnection: number): number;
}

export class RespConnection extends ClientConnection<Session> implements FeedClient, ClientHandle {
  readonly kernelConnection: number;
  readonly #door: ConnectionOwner;
  /** What has come and was not run yet, and how much of it there must be before it is worth looking at. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #neededBytes = 0;
  /** Bytes of the pending command that the kernel has read already: it is a long one. */
  #scannedBytes = 0;
  readonly #single: Uint8Array[] = [EMPTY];
  /** The other side sends nothing more: close when everything is answered. */
  #ended = false;
  /** Close when no reply waits for other nodes any more. */
  #endsWhenReleased = false;

  constructor(door: ConnectionOwner, stream: ByteStream, session: Session) {
    super(door, stream, session, "client");
    this.#door = door;
    this.kernelConnection = session.kernelConnection;
  }

  get protocol(): 2 | 3 {
    return this.session.protocol;
  }

  get closing(): boolean {
    return this.session.closing || this.isClosed;
  }

  get pendingInputBytes(): number {
    return this.#pendingBytes + this.heldInFrontBytes;
  }

  /** Whether replies wait for other nodes. */
  get #isGated(): boolean {
    return this.#door.gate?.isGated(this.kernelConnection) === true;
  }

  /** Whether it is to close when what has come is answered. */
  get isFinishing(): boolean {
    return this.#ended;
  }

  /** Whether a command has come in part. */
  get midCommand(): boolean {
    return this.pendingInputBytes !== 0 && !this.waiting;
  }

  get mustWait(): boolean {
    return this.#isFull() || this.#door.isOverBudget;
  }

  /** Whether more replies wait than may. */
  #isFull(): boolean {
    const gatedBytes = this.#door.gate?.waitingBytes(this.kernelConnection) ?? 0;
    return this.stream.bufferedBytes + gatedBytes > this.#door.outputLimitBytes;
  }

  protected get isEnding(): boolean {
    return this.session.closing;
  }

  protected take(bytes: Uint8Array): void {
    if (!this.waiting && this.#isFull()) this.hold(this.#pendingBytes);
    if (this.#pendingBytes === 0 && !this.waiting) {
      this.#single[0] = bytes;
      this.#run(this.#single, bytes.length);
      this.#single[0] = EMPTY;
      return;
    }
    this.#pending.push(bytes.slice());
    this.#addPending(bytes.length);
    if (this.waiting) {
      this.pauseBehindWait(this.#pendingBytes);
      return;
    }
    if (this.#pendingBytes < this.#neededBytes) return;
    if (this.#scannedBytes !== 0 && !this.#scanIsWhole()) return;
    this.#runPending();
  }

  ended(): void {
    this.#ended = true;
    if (!this.waiting) this.#endAfterReplies();
  }

  protected forget(): void {
    this.#setPending([], 0);
  }

  execute(args: Arguments, reply: RespWriter): LaterReply | undefined {
    return this.#door.commander.execute(this.session, args, reply);
  }

  mayReplyMuch(args: Arguments): boolean {
    return this.#door.commander.mayReplyMuch(args);
  }

  send(bytes: Uint8Array): void {
    if (!this.takesReplies) return;
    if (this.#isGated) this.#door.gate!.append(this.kernelConnection, bytes);
    else this.write(bytes);
  }

  /** Sends replies that have waited for other nodes. */
  release(bytes: Uint8Array): void {
    this.write(bytes);
  }

  /** No reply waits for other nodes any more. */
  released(): void {
    if (this.#endsWhenReleased && !this.isClosed) this.stream.end();
  }

  /** Counts bytes that came from the client and do not come here: they are for the server behind the node. */
  override passedIn(bytes: number): void {
    super.passedIn(bytes);
    this.session.lastCommandAt = this.lastInputAt;
  }

  /** Answers what has come, then closes. */
  finish(): void {
    this.#ended = true;
    if (!this.waiting && !this.waitsInFront) this.kill(true);
  }

  /** Closes the connection: after what has been answered is sent, or at once. */
  kill(afterReplies: boolean): void {
    if (this.isClosed) return;
    this.session.closing = true;
    if (afterReplies) this.#endAfterReplies();
    else this.stream.destroy();
  }

  /** Closes the connection when what has been answered is sent. */
  #endAfterReplies(): void {
    if (this.#isGated) this.#endsWhenReleased = true;
    else this.stream.end();
  }

  /** Runs what has waited: after a reply that came late, or when clients are no longer paused. */
  #runPending(): void {
    const parts = this.#pending;
    const total = this.#pendingBytes;
    this.#setPending([], 0);
    if (total !== 0) this.#run(parts, total);
  }

  #run(parts: readonly Uint8Array[], total: number): void {
    const door = this.#door;
    door.letTimePass();
    let outcome: FeedOutcome;
    try {
      outcome = door.feeder.feed(this, parts, total);
    } catch (error) {
      this.#refuseForMemory(error);
      return;
    }
    if (this.isClosed) return;
    if (outcome.broken || this.session.closing) {
      this.session.closing = true;
      this.#endAfterReplies();
      return;
    }
    const { later, stopped, again } = outcome;
    if (outcome.consumed !== total) this.#keep(parts, total, outcome);
    if (again !== undefined) {
      this.#setPending([again, ...this.#pending], again.length + this.#pendingBytes);
    }
    if (later !== undefined) this.#waitFor(later);
    if (stopped) this.hold(this.#pendingBytes);
  }

  /** Keeps what has not been run. */
  #keep(parts: readonly Uint8Array[], total: number, outcome: FeedOutcome): void {
    const left = total - outcome.consumed;
    if (left + outcome.wanted > this.#door.maxRequestBytes) {
      this.#refuse("-ERR Protocol error: the command is longer than the limit of a request\r\n");
      return;
    }
    const rest = tail(parts, outcome.consumed, left);
    this.#setPending([rest], left);
    if (outcome.later !== undefined || outcome.stopped) return;
    this.#neededBytes = left + outcome.wanted;
    this.#scannedBytes = this.#door.readBytes(this.kernelConnection);
  }

  /** Has the kernel read on in a long command, without copying what it has read; whether all of it may be there. */
  #scanIsWhole(): boolean {
    const fresh = tail(this.#pending, this.#scannedBytes, this.#pendingBytes - this.#scannedBytes);
    let wanted: number;
    try {
      wanted = this.#door.feeder.scan(this, fresh);
    } catch (error) {
      this.#refuseForMemory(error);
      return false;
    }
    this.#scannedBytes = wanted === 0 ? 0 : this.#door.readBytes(this.kernelConnection);
    if (wanted === 0) return true;
    this.#neededBytes = this.#pendingBytes + wanted;
    if (this.#neededBytes > this.#door.maxRequestBytes) {
      this.#refuse("-ERR Protocol error: the command is longer than the limit of a request\r\n");
    }
    return false;
  }

  #waitFor(later: LaterReply): void {
    this.isWaiting = true;
    later
      .catch(
        (error: unknown) => (reply: RespWriter) =>
          reply.error(`ERR internal error: ${String(error)}`),
      )
      .then((write) => this.#replyLate(write))
      .catch((error: unknown) => this.giveUp(error));
  }

  protected resume(): void {
    this.#runPending();
    if (this.waiting) return;
    this.readOn();
    if (this.#ended) this.#endAfterReplies();
  }

  #replyLate(write: (reply: RespWriter) => void): void {
    this.isWaiting = false;
    if (this.isClosed) return;
    this.#door.writeLate(this, write);
    if (this.session.closing) {
      this.#endAfterReplies();
      return;
    }
    this.#neededBytes = 0;
    this.#scannedBytes = 0;
    this.resume();
  }

  /** What has come does not fit into linear memory. */
  #refuseForMemory(error: unknown): void {
    if (!(error instanceof OutOfMemory)) throw error;
    this.#refuse("-OOM the command is longer than memory can hold now; nothing of it was run\r\n");
  }

  #refuse(reply: string): void {
    this.send(TEXT.encode(reply));
    this.session.closing = true;
    this.#endAfterReplies();
  }

  #setPending(parts: Uint8Array[], bytes: number): void {
    this.#addPending(bytes - this.#pendingBytes);
    this.#pending = parts;
    this.#neededBytes = 0;
    this.#scannedBytes = 0;
  }

  #addPending(bytes: number): void {
    this.#pendingBytes += bytes;
    this.#door.addPending(bytes);
  }
}

const EMPTY = new Uint8Array(0);

/** A copy of the last `length` bytes of `parts`, which begin at `offset`. */
function tail(parts: readonly Uint8Array[], offset: number, length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!.slice(offset);
  const bytes = new Uint8Array(length);
  let start = 0;
  for (const part of parts) {
    const from = Math.max(0, offset - start);
    if (from < part.length) bytes.set(part.subarray(from), start + from - offset);
    start += part.length;
  }
  return bytes;
}
