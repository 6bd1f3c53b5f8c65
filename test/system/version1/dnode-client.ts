/** The dialling side of a C node, as far as a test needs it: frames of framing version 1 over TCP, written from its description. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { readReply } from "../../unit/store/decode-reply.ts";
import { type Argument, encodeRequest } from "../../unit/store/harness.ts";

export const REQ = 3;
export const REQ_FORWARD = 4;

/** A frame; one character per byte. */
export interface Frame {
  readonly id: number;
  readonly type: number;
  readonly flags: number;
  readonly sameDc: number;
  readonly payload: string;
}

/** The bytes of a frame. */
export function frame(id: number, type: number, payload: string, sameDc = 1): string {
  return `   $2014$ ${id} ${type} 0 1 ${sameDc} *1 d *${payload.length}\r\n${payload}`;
}

/** A request of a command. */
export const request = (id: number, args: readonly Argument[], type = REQ): string =>
  frame(id, type, encodeRequest(args), type === REQ ? 1 : 0);

/** A payload that was encrypted, in the clear; one character per byte. */
export type Decrypt = (payload: string) => string;

function refuseEncrypted(): never {
  throw new Error("the answer is encrypted");
}

export class DnodeClient {
  readonly #socket: Socket;
  readonly #decrypt: Decrypt;
  #received = "";
  #wake = (): void => {};

  /** `decrypt`: what makes a payload of one that is encrypted; without it, none may be. */
  static async connect(port: number, decrypt: Decrypt = refuseEncrypted): Promise<DnodeClient> {
    const socket = createConnection({
      host: "127.0.0.1",
      port,
      noDelay: true,
      allowHalfOpen: true,
    });
    await once(socket, "connect");
    return new DnodeClient(socket, decrypt);
  }

  private constructor(socket: Socket, decrypt: Decrypt) {
    this.#socket = socket;
    this.#decrypt = decrypt;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("end", () => this.#wake());
    socket.on("close", () => this.#wake());
  }

  write(bytes: string): void {
    this.#socket.write(bytes, "latin1");
  }

  /** Sends nothing more. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The next so many frames, of answers. */
  async frames(count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) {
      const read = readAnswer(this.#received, this.#decrypt);
      if (read !== undefined) {
        frames.push(read.frame);
        this.#received = this.#received.slice(read.end);
        continue;
      }
      if (this.#isOver) throw new Error(`the node closed after ${frames.length} frames`);
      await this.#more();
    }
    return frames;
  }

  /** Payloads of the next so many answers. */
  async answers(count: number): Promise<string[]> {
    return (await this.frames(count)).map(({ payload }) => payload);
  }

  /** Waits until the node has closed the connection; what it sent and was not taken. */
  async closed(): Promise<string> {
    while (!this.#isOver) await this.#more();
    return this.#received;
  }

  get #isOver(): boolean {
    return this.#socket.readableEnded || this.#socket.destroyed;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

const HEADER = /^ {3}\$2014\$ (\d+) (\d+) (\d+) 1 ([01]) \*1 d \*(\d+)\r\n/;

/** The frame that a text begins with; undefined while a part of it is missing. Throws for anything that a node must not send. */
function readAnswer(
  text: string,
  decrypt: Decrypt,
): { readonly frame: Frame; readonly end: number } | undefined {
  const header = HEADER.exec(text);
  if (header === null) {
    if (text.includes("\n")) throw new Error(`no header of a frame: ${JSON.stringify(text)}`);
    return undefined;
  }
  const [id, type, flags, sameDc, length] = header.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const start = header[0].length;
  const end = start + length;
  if (text.length < end) return undefined;
  const sent = text.slice(start, end);
  const payload = flags === 1 ? decrypt(sent) : sent;
  if (readReply(payload, 0).end !== payload.length) throw new Error(`no one reply: ${payload}`);
  return { frame: { id, type, flags, sameDc, payload }, end };
}
