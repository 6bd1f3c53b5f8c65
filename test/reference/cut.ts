/** What the slow parsers share: bytes as text, and how a parser says that the input ends too early or is wrong. */

/** Thrown where the input ends before the message does: it must have `needed` bytes at least. */
export class Incomplete {
  readonly needed: number;

  constructor(needed: number) {
    this.needed = needed;
  }
}

/** One character per byte: the slow parsers read text. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** What a slow parser found in a stream of messages. */
export interface SlowStream<Message> {
  readonly messages: Message[];
  /** Offset behind each message. */
  readonly ends: number[];
  /** Offset behind the last message. */
  readonly consumed: number;
  /** "complete", "incomplete", or the code of what is wrong. */
  readonly status: string;
  /** With "incomplete": how many more bytes are needed at least. Else 0. */
  readonly wanted: number;
}

/** Calls `read` for one message after the other. It returns the message and its end, throws Incomplete, or throws a code. */
export function readAll<Message>(
  length: number,
  read: (at: number) => readonly [message: Message, end: number],
  most = Number.POSITIVE_INFINITY,
): SlowStream<Message> {
  const messages: Message[] = [];
  const ends: number[] = [];
  let consumed = 0;
  try {
    while (consumed < length && messages.length < most) {
      const [message, end] = read(consumed);
      messages.push(message);
      ends.push(end);
      consumed = end;
    }
  } catch (reason) {
    if (reason instanceof Incomplete) {
      return { messages, ends, consumed, status: "incomplete", wanted: reason.needed - length };
    }
    if (typeof reason === "string") return { messages, ends, consumed, status: reason, wanted: 0 };
    throw reason;
  }
  return { messages, ends, consumed, status: "complete", wanted: 0 };
}
