// One client of the RESP door: keeps what came of a command in progress, feeds whole commands, sends replies in order.

import type { Logger } from "../../base/logger.ts";
import type { RespWriter } from "../../codec/resp-writer.ts";
import type { Arguments } from "../../store/arguments.ts";
import { OutOfMemory } from "../../store/embedded-store.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import type { ClientHandle } from "./clients.ts";
import type { FeedClient, Feeder, FeedOutcome, LaterReply } from "./feeder.ts";
import type { Session } from "./session.ts";

/** Text encoder for the few replies that do not come from a writer. */
const TEXT = new TextEncoder();

/** What a connection needs of the door that it came in by. */
export interface ConnectionOwner {
  readonly feeder: Feeder;
  readonly log: Logger;
  /** Bytes of replies that may wait for one client. */
  readonly outputLimitBytes: number;
  /** Longest command in bytes. */
  readonly maxRequestBytes: number;
  /** Runs a command that the kernel hands over. */
  readonly commander: {
    execute(session: Session, args: Arguments, reply: RespWriter): LaterReply | undefined;
    mayReplyMuch(args: Arguments): boolean;
  };
  /** Where replies wait for other nodes, in a ring. */
  readonly gate: ReplyGate | undefined;
  /** Whether replies wait for clients, and all that is held for clients is more than the budget. */
  readonly isOverBudget: boolean;
  /** The time, in ms since the epoch. */
  now(): number;
  /** Gives the store the time. */
  letTimePass(): void;
  /** How many bytes of the command in progress the kernel has read, when it is a long one; else 0. */
  readBytes(kernelConnection: number): number;
  /** Has `write` write a reply that came late, and sends it. */
  writeLate(connection: RespConnection, write: (reply: RespWriter) => void): void;
  /** Many bytes of replies wait for the client. */
  noteReplies(connection: RespConnection): void;
  /** The client must wait for replies to leave: goOn() when they may have. */
  hold(connection: RespConnection): void;
  /** Replies have left. */
  drained(): void;
  /** Counts bytes of commands in part. */
  addPending(bytes: number): void;
  /** The connection is gone. */
  closed(connection: RespConnection): void;
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

export class RespConnection implements FeedClient, StreamHandler, ClientHandle {
  readonly session: Session;
  readonly kernelConnection: number;
  readonly #door: ConnectionOwner;
  readonly #stream: ByteStream;
  /** What has come and was not run yet, and how much of it there must be before it is worth looking at. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #neededBytes = 0;
  /** Bytes of commands that wait for the server behind the node. */
  #heldInFrontBytes = 0;
  /** Bytes of the pending command that the kernel has read already: it is a long one. */
  #scannedBytes = 0;
  readonly #single: Uint8Array[] = [EMPTY];
  /** A command waits for its reply; nothing else of this client runs. */
  #waiting = false;
  /** Replies must leave before more of this client runs. */
  #held = false;
  /** Why nothing is read from the client: it holds much of the budget, or enough to go on with when it has waited. */
  #pausedByBudget = false;
  #pausedByWait = false;
  #paused = false;
  #closed = false;
  #isCutOff = false;
  /** Bytes of replies that the client had taken when noteTaken() looked. */
  #takenBytes = 0;
  /** When the client last took some of the replies that wait, ms since the epoch; 0: none do. */
  takenAt = 0;
  /** The other side sends nothing more: close when everything is answered. */
  #ended = false;
  /** Close when no reply waits for other nodes any more. */
  #endsWhenReleased = false;
  /** Bytes received and sent since the client connected. */
  inputBytes = 0;
  outputBytes = 0;
  /** Time of the last byte received, ms since the epoch. */
  lastInputAt: number;
  /** The client gets what it does not ask for from the server behind the node: it need not send anything. */
  isListener = false;
  /** Commands wait for the server behind the node. */
  waitsInFront = false;

  constructor(door: ConnectionOwner, stream: ByteStream, session: Session) {
    this.#door = door;
    this.#stream = stream;
    this.session = session;
    this.kernelConnection = session.kernelConnection;
    this.lastInputAt = session.facts.connectedAt;
  }

  get protocol(): 2 | 3 {
    return this.session.protocol;
  }

  get closing(): boolean {
    return this.session.closing || this.#closed;
  }

  /** Bytes of commands that are not whole yet. */
  get pendingInputBytes(): number {
    return this.#pendingBytes + this.#heldInFrontBytes;
  }

  /** Bytes of replies that the client has not taken. */
  get pendingOutputBytes(): number {
    return this.#closed ? 0 : this.#stream.bufferedBytes;
  }

  /** Whether replies wait for other nodes. */
  get #isGated(): boolean {
    return this.#door.gate?.isGated(this.kernelConnection) === true;
  }

  /** Whether a command of this client waits, for its reply or for replies to leave. */
  get waiting(): boolean {
    return this.#waiting || this.#held;
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
    return this.#stream.bufferedBytes + gatedBytes > this.#door.outputLimitBytes;
  }

  received(bytes: Uint8Array): void {
    if (this.#closed || this.session.closing) return;
    this.inputBytes += bytes.length;
    this.lastInputAt = this.#door.now();
    try {
      this.#take(bytes);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #take(bytes: Uint8Array): void {
    if (!this.waiting && this.#isFull()) this.#hold();
    if (this.#pendingBytes === 0 && !this.waiting) {
      this.#single[0] = bytes;
      this.#run(this.#single, bytes.length);
      this.#single[0] = EMPTY;
      return;
    }
    this.#pending.push(bytes.slice());
    this.#addPending(bytes.length);
    if (this.waiting) {
      this.#pauseBehindWait();
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

  drained(): void {
    this.#door.drained();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#setPending([], 0);
    this.#door.closed(this);
  }

  execute(args: Arguments, reply: RespWriter): LaterReply | undefined {
    return this.#door.commander.execute(this.session, args, reply);
  }

  mayReplyMuch(args: Arguments): boolean {
    return this.#door.commander.mayReplyMuch(args);
  }

  send(bytes: Uint8Array): void {
    if (this.#closed || this.#isCutOff) return;
    if (this.#isGated) this.#door.gate!.append(this.kernelConnection, bytes);
    else this.#write(bytes);
  }

  /** Sends replies that have waited for other nodes. */
  release(bytes: Uint8Array): void {
    if (!this.#closed && !this.#isCutOff) this.#write(bytes);
  }

  /** No reply waits for other nodes any more. */
  released(): void {
    if (this.#endsWhenReleased && !this.#closed) this.#stream.end();
  }

  #write(bytes: Uint8Array): void {
    this.outputBytes += bytes.length;
    this.#stream.write(bytes);
    if (this.#stream.bufferedBytes > MANY_REPLY_BYTES) this.#door.noteReplies(this);
  }

  /** Counts bytes that came from the client and do not come here: they are for the server behind the node. */
  passedIn(bytes: number): void {
    this.inputBytes += bytes;
    this.lastInputAt = this.#door.now();
    this.session.lastCommandAt = this.lastInputAt;
  }

  /** Counts bytes that the server behind the node has answered. */
  passedOut(bytes: number): void {
    this.outputBytes += bytes;
    if (this.#stream.bufferedBytes > MANY_REPLY_BYTES) this.#door.noteReplies(this);
  }

  /** Counts bytes of commands that wait for the server behind the node, or, below 0, do no more. */
  holdInput(bytes: number): void {
    this.#heldInFrontBytes += bytes;
    this.#door.addPending(bytes);
  }

  /** Answers what has come, then closes. */
  finish(): void {
    this.#ended = true;
    if (!this.waiting && !this.waitsInFront) this.kill(true);
  }

  /** Closes the connection: after what has been answered is sent, or at once. */
  kill(afterReplies: boolean): void {
    if (this.#closed) return;
    this.session.closing = true;
    if (afterReplies) this.#endAfterReplies();
    else this.#stream.destroy();
  }

  /** Closes the connection when what has been answered is sent. */
  #endAfterReplies(): void {
    if (this.#isGated) this.#endsWhenReleased = true;
    else this.#stream.end();
  }

  /** Stops and starts reading from the client. */
  setPaused(paused: boolean): void {
    this.#pausedByBudget = paused;
    this.#updateReading();
  }

  #updateReading(): void {
    const paused = this.#pausedByBudget || this.#pausedByWait;
    if (this.#paused === paused || this.#closed) return;
    this.#paused = paused;
    if (paused) this.#stream.pause();
    else this.#stream.resume();
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
    if (this.#closed) return;
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
    if (stopped) this.#hold();
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
    this.#waiting = true;
    later
      .catch(
        (error: unknown) => (reply: RespWriter) =>
          reply.error(`ERR internal error: ${String(error)}`),
      )
      .then((write) => this.#replyLate(write))
      .catch((error: unknown) => this.#giveUp(error));
  }

  #hold(): void {
    this.#held = true;
    this.#door.hold(this);
    this.#pauseBehindWait();
  }

  /** Runs what has waited for replies to leave. */
  goOn(): void {
    if (this.#closed || !this.#held) return;
    this.#held = false;
    try {
      this.#runPending();
      this.#endWait();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Reads no more from a client that has sent enough to go on with. */
  #pauseBehindWait(): void {
    this.#pausedByWait = this.#pendingBytes > MAX_BEHIND_WAIT_BYTES;
    this.#updateReading();
  }

  #endWait(): void {
    if (this.waiting) return;
    this.#pausedByWait = false;
    this.#updateReading();
    if (this.#ended) this.#endAfterReplies();
  }

  #replyLate(write: (reply: RespWriter) => void): void {
    this.#waiting = false;
    if (this.#closed) return;
    this.#door.writeLate(this, write);
    if (this.session.closing) {
      this.#endAfterReplies();
      return;
    }
    this.#neededBytes = 0;
    this.#scannedBytes = 0;
    this.#runPending();
    this.#endWait();
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
    this.#isCutOff = true;
    const { id, remoteAddress } = this.session.facts;
    this.#door.log.warn(
      `client ${id} at ${remoteAddress} does not read its replies and was cut off: ${this.pendingOutputBytes} bytes (client-output-buffer-limit: ${this.#door.outputLimitBytes}) waited for it`,
    );
    this.kill(false);
  }

  /**
   * Something of our own failed where no command answers for it. The connection closes, its input being in disorder; the others
   * go on. After a trap of the kernel nobody may: its table may be torn.
   */
  #giveUp(error: unknown): void {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#door.log.error(
      `client ${this.session.facts.id} was closed for a reason of our own: ${detail}`,
    );
    this.kill(false);
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
/** Bytes of replies that wait for a client, from which on the door counts them. */
const MANY_REPLY_BYTES = 64 * 1024;
/** Bytes that may come behind a command that waits, before reading stops until it has its reply. */
const MAX_BEHIND_WAIT_BYTES = 64 * 1024;

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
