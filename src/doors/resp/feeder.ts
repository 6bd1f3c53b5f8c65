// Feeds requests to the kernel, and runs what the kernel hands over: the loop around feed() and resume().

import { RespWriter } from "../../codec/resp-writer.ts";
import { Arguments } from "../../store/arguments.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import { CONTEXT, type KernelExports, STATUS } from "../../store/kernel.ts";
import type { KernelMemory } from "../../store/memory.ts";

const TEXT = new TextEncoder();

/** A reply that comes later: resolves to what writes it. The client's next commands wait for it. */
export type LaterReply = Promise<(reply: RespWriter) => void>;

/** Whose requests are fed. */
export interface FeedClient {
  /** Address of its connection in the kernel. */
  readonly kernelConnection: number;
  /** 2 or 3: how its replies are written. */
  readonly protocol: 2 | 3;
  /** Runs one command: writes its reply, or returns a promise of it. */
  execute(args: Arguments, reply: RespWriter): LaterReply | undefined;
  /** Whether the client is to close: no more of its commands run. */
  readonly closing: boolean;
  /** Whether replies that wait must leave before this client may have a large one. */
  readonly mustWait: boolean;
  /** Whether a command of the host may have a large reply. */
  mayReplyMuch(args: Arguments): boolean;
  /** Sends reply bytes, which are only there until this returns. */
  send(bytes: Uint8Array): void;
}

/** What a feeder tells the ring that its node is part of. */
export interface RingTurn {
  /** Commands have run: frames and replies may wait for the end of the turn. */
  touch(): void;
  /** Sends what waits for other nodes now: there is no room for more. */
  flushLinks(): void;
}

/** How a feed ended. */
export interface FeedOutcome {
  /** Bytes of the input that are done with. */
  consumed: number;
  /** Bytes that the command in progress needs beyond the input, at least; 0: nothing is in progress. */
  wanted: number;
  /** A command waits for this; what is behind it has not been run. */
  later: LaterReply | undefined;
  /** The feed stopped because the client must wait: what is behind `consumed` has not been run. */
  stopped: boolean;
  /** Where it stopped in front of a command that `consumed` counts: this is it, to be fed again before the rest. */
  again: Uint8Array | undefined;
  /** The client sent what is no request; the error has been sent, and the connection must close. */
  broken: boolean;
}

/**
 * One context of the kernel and the loop around it. Not re-entrant: a command that runs other commands uses another Feeder.
 */
export class Feeder {
  readonly #store: EmbeddedStore;
  readonly #kernel: KernelExports;
  readonly #memory: KernelMemory;
  /** Address of the context, and the same in words. */
  readonly #context: number;
  readonly #fields: number;
  readonly #output: number;
  readonly #outputBytes: number;
  readonly #args: Arguments;
  readonly #ring: RingTurn | undefined;
  readonly #writer = new RespWriter();
  readonly #outcome: FeedOutcome = {
    consumed: 0,
    wanted: 0,
    later: undefined,
    stopped: false,
    again: undefined,
    broken: false,
  };
  /** Commands that the host has run. */
  hostCommands = 0;

  constructor(store: EmbeddedStore, ring?: RingTurn) {
    this.#store = store;
    this.#ring = ring;
    this.#kernel = store.kernel;
    this.#memory = store.memory;
    this.#context = store.kernel.contextOpen() >>> 0;
    if (this.#context === 0) throw store.outOfMemory();
    this.#fields = this.#context >>> 2;
    this.#output = this.#field(CONTEXT.output);
    this.#outputBytes = this.#field(CONTEXT.outputBytes);
    this.#args = new Arguments(store.memory);
  }

  /** Gives the context's memory back; the feeder cannot be used any more. */
  close(): void {
    this.#kernel.contextClose(this.#context);
  }

  /**
   * Runs every whole command in `parts`, `total` bytes altogether, that the client sent. Replies go to client.send() in the
   * order of the commands. The outcome is the feeder's own: read it before the next feed().
   * Throws OutOfMemory when linear memory cannot take the input; nothing has been run then.
   */
  feed(client: FeedClient, parts: readonly Uint8Array[], total: number): FeedOutcome {
    const input = this.#place(parts, total);
    const kernel = this.#kernel;
    const outcome = this.#outcome;
    outcome.later = undefined;
    outcome.stopped = false;
    outcome.again = undefined;
    outcome.broken = false;
    this.#ring?.touch();
    let status = kernel.feed(this.#context, client.kernelConnection, input, total);
    for (;;) {
      if (this.#field(CONTEXT.released) !== 0) this.#store.releaseObjects();
      switch (status) {
        case STATUS.host:
          if (client.mustWait && this.#holdsBack(client)) return this.#finish(client, input);
          this.#runOnHost(client);
          if (outcome.later !== undefined || client.closing) return this.#finish(client, input);
          break;
        case STATUS.outputFull:
          this.#sendOutput(client);
          if (client.mustWait) return this.#stop(client, input);
          break;
        case STATUS.large:
          if (client.mustWait) return this.#stop(client, input);
          this.#sendLarge(client);
          break;
        case STATUS.outboxFull:
          this.#ring?.flushLinks();
          break;
        case STATUS.protocolError:
          outcome.broken = true;
          return this.#finish(client, input);
        case STATUS.noMemory:
          this.#reply(client, (reply) =>
            reply.error("OOM the command has more arguments than memory can hold now"),
          );
          outcome.broken = true;
          return this.#finish(client, input);
        default:
          return this.#finish(client, input);
      }
      status = kernel.resume(this.#context);
    }
  }

  /**
   * Reads on in a long command that came in part: `bytes` follow what the kernel has read of it. Returns how many bytes are
   * still needed at least, 0 when all of the command should be fed.
   */
  scan(client: FeedClient, bytes: Uint8Array): number {
    const input = this.#place([bytes], bytes.length);
    if (this.#kernel.scan(this.#context, client.kernelConnection, input, bytes.length) !== 0)
      return 0;
    return this.#field(CONTEXT.wanted);
  }

  #place(parts: readonly Uint8Array[], total: number): number {
    const input = this.#kernel.inputReserve(this.#context, total) >>> 0;
    if (input === 0) throw this.#store.outOfMemory();
    const bytes = this.#memory.bytes;
    if (parts.length === 1) {
      bytes.set(parts[0]!, input);
    } else {
      let at = input;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
    }
    return input;
  }

  #finish(client: FeedClient, input: number): FeedOutcome {
    this.#sendOutput(client);
    this.#outcome.consumed = this.#field(CONTEXT.consumed) - input;
    this.#outcome.wanted = this.#field(CONTEXT.wanted);
    return this.#outcome;
  }

  #stop(client: FeedClient, input: number): FeedOutcome {
    this.#outcome.stopped = true;
    return this.#finish(client, input);
  }

  /** Stops in front of the command that the kernel has handed over, if its reply may be large. */
  #holdsBack(client: FeedClient): boolean {
    const args = this.#args.point(this.#field(CONTEXT.argv), this.#field(CONTEXT.argc));
    if (!client.mayReplyMuch(args)) return false;
    const words = Array.from({ length: args.length }, (_, index) => args.view(index));
    this.#outcome.again = encodeRequest(words);
    this.#outcome.stopped = true;
    return true;
  }

  #runOnHost(client: FeedClient): void {
    this.hostCommands++;
    const args = this.#args.point(this.#field(CONTEXT.argv), this.#field(CONTEXT.argc));
    this.#reply(client, (reply) => {
      this.#outcome.later = client.execute(args, reply);
    });
    this.#store.afterCommand();
  }

  /** Has `write` write a reply, and puts it behind the kernel's output, or sends both where it does not fit. */
  #reply(client: FeedClient, write: (reply: RespWriter) => void): void {
    const writer = this.#writer;
    writer.protocol = client.protocol;
    write(writer);
    const length = writer.length;
    const before = this.#field(CONTEXT.outLength);
    if (before + length <= this.#outputBytes) {
      this.#memory.bytes.set(writer.view(), this.#output + before);
      this.#setOutLength(before + length);
    } else {
      this.#sendOutput(client);
      client.send(writer.view());
    }
    writer.clear();
  }

  /** A value that is larger than the output region: its header behind the output, then the value itself. */
  #sendLarge(client: FeedClient): void {
    const start = this.#field(CONTEXT.large);
    const length = this.#field(CONTEXT.largeLength);
    this.#reply(client, (reply) => reply.bulkHeader(length));
    this.#sendOutput(client);
    client.send(this.#memory.bytes.subarray(start, start + length));
    this.#reply(client, (reply) => reply.bulkEnd());
  }

  #sendOutput(client: FeedClient): void {
    const length = this.#field(CONTEXT.outLength);
    if (length === 0) return;
    client.send(this.#memory.bytes.subarray(this.#output, this.#output + length));
    this.#setOutLength(0);
  }

  #field(index: number): number {
    return this.#memory.words[this.#fields + index]!;
  }

  #setOutLength(length: number): void {
    this.#memory.words[this.#fields + CONTEXT.outLength] = length;
  }
}

/** A command as clients send it: an array of bulk strings. */
export function encodeRequest(command: readonly Uint8Array[]): Uint8Array {
  const headers = command.map((argument) => TEXT.encode(`$${argument.length}\r\n`));
  const count = TEXT.encode(`*${command.length}\r\n`);
  let length = count.length;
  for (const [i, argument] of command.entries()) {
    length += headers[i]!.length + argument.length + 2;
  }
  const request = new Uint8Array(length);
  request.set(count);
  let at = count.length;
  for (const [i, argument] of command.entries()) {
    request.set(headers[i]!, at);
    at += headers[i]!.length;
    request.set(argument, at);
    at += argument.length;
    request[at++] = 13;
    request[at++] = 10;
  }
  return request;
}
