/**
 * A client that is connected at a door, whatever it speaks: what it has sent and taken, when it must wait, and when nothing is read
 * from it. What came is run by the connection of each protocol.
 */
import type { Logger } from "../base/logger.ts";
import type { ByteStream, StreamHandler } from "../transport/stream.ts";
import type { OpenConnection } from "./open-connections.ts";

/** What a connection needs of the door that it came in by. */
export interface ConnectionDoor<Connection> {
  readonly log: Logger;
  /** Bytes of replies that may wait for one client. */
  readonly outputLimitBytes: number;
  /** Whether replies wait for clients, and all that is held for clients is more than the budget. */
  readonly isOverBudget: boolean;
  /** The time, in ms since the epoch. */
  now(): number;
  /** Gives the store the time. */
  letTimePass(): void;
  /** Many bytes of replies wait for the client. */
  noteReplies(connection: Connection): void;
  /** The client must wait for replies to leave: goOn() when they may have. */
  hold(connection: Connection): void;
  /** Replies have left. */
  drained(): void;
  /** Counts bytes of commands in part. */
  addPending(bytes: number): void;
  /** The connection is gone. */
  closed(connection: Connection): void;
}

/** Bytes of replies that wait for a client, from which on the door counts them. */
const MANY_REPLY_BYTES = 64 * 1024;
/** Bytes that may come behind a command that waits, before reading stops until it has its reply. */
const MAX_BEHIND_WAIT_BYTES = 64 * 1024;

export abstract class ClientConnection<Session extends OpenConnection["session"]>
  implements StreamHandler, OpenConnection
{
  readonly session: Session;
  protected readonly stream: ByteStream;
  readonly #door: ConnectionDoor<ClientConnection<Session>>;
  readonly #name: string;
  /** A command waits for its reply; nothing else of this client runs. */
  protected isWaiting = false;
  /** Replies must leave before more of this client runs. */
  #isHeld = false;
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
  /** Bytes received and sent since the client connected. */
  inputBytes = 0;
  outputBytes = 0;
  /** Time of the last byte received, ms since the epoch. */
  lastInputAt: number;

  /** The client gets what it does not ask for from the server behind the node: it need not send anything. */
  isListener = false;
  /** Commands wait for the server behind the node. */
  waitsInFront = false;
  /** Bytes of them. */
  protected heldInFrontBytes = 0;

  /** `kind`: what the log calls a client of this door. */
  protected constructor(
    door: ConnectionDoor<ClientConnection<Session>>,
    stream: ByteStream,
    session: Session,
    kind: string,
  ) {
    this.#door = door;
    this.stream = stream;
    this.session = session;
    this.#name = `${kind} ${session.facts.id}`;
    this.lastInputAt = door.now();
  }

  /** Bytes of commands that are not whole yet, or have not run. */
  abstract get pendingInputBytes(): number;
  abstract get mustWait(): boolean;
  abstract ended(): void;
  abstract finish(): void;
  abstract kill(afterReplies: boolean): void;
  /** Whether nothing more of this client runs: it closes when what is answered has been sent. */
  protected abstract get isEnding(): boolean;
  /** Takes bytes that came; they are there until this returns. */
  protected abstract take(bytes: Uint8Array): void;
  /** Runs what has waited. */
  protected abstract resume(): void;
  /** The connection is gone, and what is held for it goes too. */
  protected abstract forget(): void;

  /** Whether a command of this client waits, for its reply or for replies to leave. */
  get waiting(): boolean {
    return this.isWaiting || this.#isHeld;
  }

  /** Bytes of replies that the client has not taken. */
  get pendingOutputBytes(): number {
    return this.#closed ? 0 : this.stream.bufferedBytes;
  }

  protected get isClosed(): boolean {
    return this.#closed;
  }

  received(bytes: Uint8Array): void {
    if (this.#closed || this.isEnding) return;
    this.countInput(bytes.length);
    try {
      this.take(bytes);
    } catch (error) {
      this.giveUp(error);
    }
  }

  drained(): void {
    this.#door.drained();
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.forget();
    this.#door.closed(this);
  }

  /** Whether the client may still be sent something. */
  protected get takesReplies(): boolean {
    return !this.#closed && !this.#isCutOff;
  }

  protected write(bytes: Uint8Array): void {
    if (!this.takesReplies) return;
    this.outputBytes += bytes.length;
    this.stream.write(bytes);
    this.noteReplies();
  }

  /** Tells the door where many bytes of replies wait. */
  protected noteReplies(): void {
    if (this.stream.bufferedBytes > MANY_REPLY_BYTES) this.#door.noteReplies(this);
  }

  protected countInput(bytes: number): void {
    this.inputBytes += bytes;
    this.lastInputAt = this.#door.now();
  }

  /** Counts bytes of commands that go to the server behind the node, or, below 0, do not. */
  passedIn(bytes: number): void {
    this.countInput(bytes);
  }

  /** Counts bytes that the server behind the node has answered. */
  passedOut(bytes: number): void {
    this.outputBytes += bytes;
    this.noteReplies();
  }

  /** Counts bytes of commands that wait for the server behind the node, or, below 0, do no more. */
  holdInput(bytes: number): void {
    this.heldInFrontBytes += bytes;
    this.#door.addPending(bytes);
  }

  /** Runs nothing more of this client before replies have left. `pendingBytes`: what has come and was not run. */
  protected hold(pendingBytes: number): void {
    this.#isHeld = true;
    this.#door.hold(this);
    this.pauseBehindWait(pendingBytes);
  }

  goOn(): void {
    if (this.#closed || !this.#isHeld) return;
    this.#isHeld = false;
    try {
      this.resume();
    } catch (error) {
      this.giveUp(error);
    }
  }

  /** Stops and starts reading from the client. */
  setPaused(paused: boolean): void {
    this.#pausedByBudget = paused;
    this.#updateReading();
  }

  /** Reads no more from a client that waits and has sent enough to go on with. */
  protected pauseBehindWait(pendingBytes: number): void {
    this.#pausedByWait = pendingBytes > MAX_BEHIND_WAIT_BYTES;
    this.#updateReading();
  }

  /** The client does not wait any more. */
  protected readOn(): void {
    this.#pausedByWait = false;
    this.#updateReading();
  }

  #updateReading(): void {
    const paused = this.#pausedByBudget || this.#pausedByWait;
    if (this.#paused === paused || this.#closed) return;
    this.#paused = paused;
    if (paused) this.stream.pause();
    else this.stream.resume();
  }

  noteTaken(now: number): number {
    const bytes = this.pendingOutputBytes;
    const taken = this.outputBytes - bytes;
    if (bytes === 0) this.takenAt = 0;
    else if (taken > this.#takenBytes || this.takenAt === 0) this.takenAt = now;
    this.#takenBytes = taken;
    return bytes;
  }

  cutOff(): void {
    this.#isCutOff = true;
    this.#door.log.warn(
      `${this.#name} at ${this.session.facts.remoteAddress} does not read its replies and was cut off: ${this.pendingOutputBytes} bytes (client-output-buffer-limit: ${this.#door.outputLimitBytes}) waited for it`,
    );
    this.kill(false);
  }

  /**
   * Something of our own failed where no reply answers for it. The connection closes, its input being in disorder; the others
   * go on. After a trap of the kernel nobody may: its table may be torn.
   */
  protected giveUp(error: unknown): void {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#door.log.error(`${this.#name} was closed for a reason of our own: ${detail}`);
    this.kill(false);
  }
}
