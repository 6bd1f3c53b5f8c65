// The clients of a node: who is connected, for CLIENT LIST and KILL, INFO and the metrics. The door fills it.

import type { Session } from "./session.ts";

/** One connected client, as the door has it. */
export interface ClientHandle {
  readonly session: Session;
  /** Bytes received and sent since the client connected. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Bytes of commands that are not whole yet. */
  readonly pendingInputBytes: number;
  /** Bytes of replies that the client has not taken. */
  readonly pendingOutputBytes: number;
  /** Time of the last byte received, in ms since the epoch. */
  readonly lastInputAt: number;
  /** Closes the connection: at once, or when what was answered has been sent. */
  kill(afterReplies: boolean): void;
}

/** A client that waits in a blocking command: lets it go on. Returns false when it no longer waits. */
export type Release = (reason: "timeout" | "error") => boolean;

export class ClientRegistry {
  readonly #handles = new Map<number, ClientHandle>();
  readonly #waiting = new Map<number, Release>();
  readonly #onAdd: ((handle: ClientHandle) => void)[] = [];
  #closedInputBytes = 0;
  #closedOutputBytes = 0;
  /** Clients that were ever taken in. */
  accepted = 0;
  /** Connections that were refused. */
  rejected = 0;

  add(handle: ClientHandle): void {
    this.accepted++;
    this.#handles.set(handle.session.facts.id, handle);
    for (const listener of this.#onAdd) listener(handle);
  }

  remove(handle: ClientHandle): void {
    const { id } = handle.session.facts;
    if (!this.#handles.delete(id)) return;
    this.#waiting.delete(id);
    this.#closedInputBytes += handle.inputBytes;
    this.#closedOutputBytes += handle.outputBytes;
  }

  /** Calls `listener` with every client that is taken in from now on. */
  onAdd(listener: (handle: ClientHandle) => void): void {
    this.#onAdd.push(listener);
  }

  get(id: number): ClientHandle | undefined {
    return this.#handles.get(id);
  }

  /** All clients, the longest connected first. */
  [Symbol.iterator](): Iterator<ClientHandle> {
    return this.#handles.values();
  }

  get size(): number {
    return this.#handles.size;
  }

  /** Clients that wait in a blocking command. */
  get blocked(): number {
    return this.#waiting.size;
  }

  isWaiting(id: number): boolean {
    return this.#waiting.has(id);
  }

  /** Notes that a client waits, and how to let it go on; undefined: it no longer waits. */
  setWaiting(id: number, release: Release | undefined): void {
    if (release === undefined) this.#waiting.delete(id);
    else this.#waiting.set(id, release);
  }

  /** Lets a client go on that waits; false when none does under this id. */
  release(id: number, reason: "timeout" | "error"): boolean {
    return this.#waiting.get(id)?.(reason) ?? false;
  }

  /** Bytes received from all clients ever. */
  get inputBytes(): number {
    let bytes = this.#closedInputBytes;
    for (const handle of this.#handles.values()) bytes += handle.inputBytes;
    return bytes;
  }

  /** Bytes sent to all clients ever. */
  get outputBytes(): number {
    let bytes = this.#closedOutputBytes;
    for (const handle of this.#handles.values()) bytes += handle.outputBytes;
    return bytes;
  }
}
