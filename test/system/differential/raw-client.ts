/** A client of any Redis-compatible server that returns replies as they came, one character per byte. */
import { once } from "node:events";
import { createConnection, type NetConnectOpts, type Socket } from "node:net";
import { HalfReply, readReply } from "../../unit/store/decode-reply.ts";
import { type Argument, encodeRequest } from "../../unit/store/harness.ts";

export class RawClient {
  readonly #socket: Socket;
  #received = "";
  #wake = (): void => {};

  static async connect(options: NetConnectOpts): Promise<RawClient> {
    const socket = createConnection(options);
    await once(socket, "connect");
    return new RawClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#wake();
    });
    // "close" follows, and send() tells of it.
    socket.on("error", () => {});
    socket.on("close", () => this.#wake());
  }

  /** Sends commands in one go and returns their replies. */
  async send(commands: readonly (readonly Argument[])[]): Promise<string[]> {
    this.#socket.write(commands.map(encodeRequest).join(""), "latin1");
    const replies: string[] = [];
    let at = 0;
    while (replies.length < commands.length) {
      const end = replyEnd(this.#received, at);
      if (end === undefined) {
        if (this.#socket.destroyed) throw new Error("the server has closed the connection");
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      replies.push(this.#received.slice(at, end));
      at = end;
    }
    this.#received = this.#received.slice(at);
    return replies;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Where the reply at `start` ends; undefined while a part of it is missing. */
function replyEnd(text: string, start: number): number | undefined {
  try {
    const { end } = readReply(text, start);
    return end <= text.length ? end : undefined;
  } catch (error) {
    if (error instanceof HalfReply) return undefined;
    throw error;
  }
}
