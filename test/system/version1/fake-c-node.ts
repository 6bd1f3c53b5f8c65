/**
 * A node of the C engine as its peers see it: the accepting side of framing version 1, with a table in the place of its Redis server.
 * Written from its description: what would close the connection there does so here, and what would kill the process is noted.
 */
import { createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { SessionKey } from "./session-key.ts";

/** What a peer has sent. */
export interface Received {
  readonly type: number;
  readonly sameDc: string;
  readonly args: readonly string[];
}

type Run = (args: readonly string[]) => string;

const HEADER = /\$2014\$ (\d+) (\d+) (\d+) 1 ([01]) \*(\d+) /;

export class FakeCNode {
  /** Requests, without the PINGs. */
  readonly received: Received[] = [];
  pings = 0;
  readonly strings = new Map<string, string>();
  readonly hashes = new Map<string, Map<string, string>>();
  /** Commands at which a connection was closed, and frames that would have killed the process. */
  readonly refused: string[] = [];
  readonly deaths: string[] = [];
  /** Answers in the place of the table: an error of a server that is gone, or nothing at all. */
  instead: ((args: readonly string[]) => string | "nothing") | undefined;
  /** How many requests came encrypted. */
  decrypted = 0;
  readonly #pem: string | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `pem`: the key that it has; without one, an encrypted frame kills it. */
  static async listen(port: number, pem?: string): Promise<FakeCNode> {
    const node = new FakeCNode(pem);
    await new Promise<void>((resolve, reject) => {
      node.#server.once("error", reject);
      node.#server.listen(port, "127.0.0.1", resolve);
    });
    onTestFinished(() => node.stop());
    return node;
  }

  private constructor(pem: string | undefined) {
    this.#pem = pem;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    let text = "";
    let key: SessionKey | undefined;
    this.#sockets.add(socket);
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk: string) => {
      text += chunk;
      for (;;) {
        const header = HEADER.exec(text);
        if (header === null) return;
        const [id, type, flags, sameDc, dataLength] = header.slice(1) as [
          string,
          string,
          string,
          string,
          string,
        ];
        const data = header.index + header[0].length;
        const rest = /^ ?\*(\d+)\r\n/.exec(text.slice(data + Number(dataLength)));
        if (rest === null) return;
        const start = data + Number(dataLength) + rest[0].length;
        if (flags === "1") {
          const end = start + Number(rest[1]);
          if (text.length < end) return;
          const field = text.slice(data, data + Number(dataLength));
          if (this.#pem !== undefined && field !== "d") key = SessionKey.unwrap(this.#pem, field);
          if (key === undefined) this.deaths.push(header[0]);
          const plain = key?.open(text.slice(start, end)) ?? "";
          const args = readRequest(plain, 0)?.args ?? [];
          text = text.slice(end);
          this.decrypted++;
          this.#answer(socket, { id, type: Number(type), sameDc, args }, key);
          if (socket.destroyed) return;
          continue;
        }
        if (type !== "3" && type !== "4") {
          text = text.slice(start + Number(rest[1]));
          continue;
        }
        const request = readRequest(text, start);
        if (request === undefined) return;
        text = text.slice(request.end);
        this.#answer(socket, { id, type: Number(type), sameDc, args: request.args });
        if (socket.destroyed) return;
      }
    });
  }

  #answer(
    socket: Socket,
    { id, ...request }: Received & { readonly id: string },
    key?: SessionKey,
  ): void {
    const { args, sameDc } = request;
    const [name = ""] = args;
    if (name.toLowerCase() === "ping") this.pings++;
    else this.received.push(request);
    const run = this.#commands.get(name.toLowerCase());
    if (run === undefined || args.slice(1, 2).includes("")) {
      this.refused.push(args.join(" "));
      socket.destroy();
      return;
    }
    const reply = this.instead?.(args) ?? run(args);
    if (reply === "nothing") return;
    const payload = key?.seal(reply) ?? reply;
    const head = `   $2014$ ${id} 5 ${key === undefined ? 0 : 1} 1 ${sameDc}`;
    socket.write(`${head} *1 d *${payload.length}\r\n${payload}`, "latin1");
  }

  #add(key: string, by: number): string {
    const value = Number(this.strings.get(key) ?? "0") + by;
    this.strings.set(key, String(value));
    return `:${value}\r\n`;
  }

  /** What it takes, and what its Redis server does with it. */
  readonly #commands: ReadonlyMap<string, Run> = new Map<string, Run>([
    ["ping", () => "+PONG\r\n"],
    ["get", ([, key = ""]) => bulk(this.strings.get(key))],
    ["strlen", ([, key = ""]) => `:${(this.strings.get(key) ?? "").length}\r\n`],
    [
      "set",
      ([, key = "", value = ""]) => {
        this.strings.set(key, value);
        return "+OK\r\n";
      },
    ],
    [
      "mset",
      ([, ...pairs]) => {
        for (let i = 0; i < pairs.length; i += 2) this.strings.set(pairs[i]!, pairs[i + 1]!);
        return "+OK\r\n";
      },
    ],
    ["del", ([, ...keys]) => `:${keys.filter((key) => this.strings.delete(key)).length}\r\n`],
    ["incr", ([, key = ""]) => this.#add(key, 1)],
    ["incrby", ([, key = "", by = ""]) => this.#add(key, Number(by))],
    [
      "hset",
      ([, key = "", field = "", value = ""]) => {
        const hash = this.hashes.get(key) ?? new Map<string, string>();
        const isNew = !hash.has(field);
        this.hashes.set(key, hash.set(field, value));
        return isNew ? ":1\r\n" : ":0\r\n";
      },
    ],
    ["hget", ([, key = "", field = ""]) => bulk(this.hashes.get(key)?.get(field))],
    [
      "hgetall",
      ([, key = ""]) => {
        const items = [...(this.hashes.get(key) ?? [])].flat();
        return `*${items.length}\r\n${items.map(bulk).join("")}`;
      },
    ],
  ]);
}

const bulk = (value: string | undefined): string =>
  value === undefined ? "$-1\r\n" : `$${value.length}\r\n${value}\r\n`;

/** The command at `start`; undefined while a part of it is missing. */
function readRequest(text: string, start: number): { args: string[]; end: number } | undefined {
  const count = /^\*(\d+)\r\n/.exec(text.slice(start, start + 32));
  if (count === null) return undefined;
  const args: string[] = [];
  let at = start + count[0].length;
  for (let left = Number(count[1]); left > 0; left--) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at, at + 32));
    if (length === null) return undefined;
    const from = at + length[0].length;
    at = from + Number(length[1]) + 2;
    if (text.length < at) return undefined;
    args.push(text.slice(from, at - 2));
  }
  return { args, end: at };
}
