// What bad input gets, over real sockets: Redis's own texts, the end of that connection where the stream cannot be followed any
// more, and nothing for any other client.
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { RedisServer, redisServerPath } from "./differential/redis-server.ts";
import { type NodeOptions, type RunningNode, startNode } from "./harness.ts";
import { requireFound } from "./programs.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startNode({ keep: true });
});
afterAll(async () => {
  await node.stop();
});

/** A socket to a server: what it has received, one character per byte, and whether it is closed. */
class Peer {
  readonly socket: Socket;
  received = "";
  closed = false;
  #changed = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      this.received += text;
      this.#changed();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.#changed();
    });
  }

  /** Sends text, one character per byte. */
  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Resolves when `holds` does. */
  async until(holds: (peer: Peer) => boolean): Promise<void> {
    while (!holds(this)) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Waits for the server to close, and returns all that came. */
  async toTheEnd(): Promise<string> {
    await this.until((peer) => peer.closed);
    return this.received;
  }

  /** Waits until `text` is all that came. */
  async gets(text: string): Promise<void> {
    await this.until((peer) => peer.received.length >= text.length || peer.closed);
    expect(this.received).toBe(text);
    this.received = "";
  }
}

async function connect(to: { host?: string; port?: number; path?: string }): Promise<Peer> {
  const socket = createConnection(to as { host: string; port: number });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return new Peer(socket);
}

const at = ({ port }: RunningNode) => ({ host: "127.0.0.1", port });

const LONG = "x".repeat(70_000);

/** What is sent, and the text of the protocol error. */
const ERRORS: readonly (readonly [what: string, bytes: string, text: string])[] = [
  ["a count that is no number", "*abc\r\n", "invalid multibulk length"],
  ["a count beyond all limits", "*3000000000\r\n", "invalid multibulk length"],
  ["a count with a sign and a space", "*+1 \r\n", "invalid multibulk length"],
  ["an endless count", `*${"1".repeat(70_000)}`, "too big mbulk count string"],
  ["an argument without $", "*1\r\nGET\r\n", "expected '$', got 'G'"],
  ["a line end where $ should be", "*1\r\n\r\n", "expected '$', got ' '"],
  ["a negative length", "*2\r\n$3\r\nGET\r\n$-10\r\n", "invalid bulk length"],
  ["a length that is no number", "*1\r\n$abc\r\n", "invalid bulk length"],
  [
    "a length above the limit",
    "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n",
    "invalid bulk length",
  ],
  ["an endless length", `*1\r\n$${"1".repeat(70_000)}`, "too big bulk count string"],
  ["an endless inline command", LONG, "too big inline request"],
  ["quotes that do not end", "SET a 'b\r\n", "unbalanced quotes in request"],
  ["quotes with something behind them", 'SET a "b"c\r\n', "unbalanced quotes in request"],
];

describe("a protocol error", () => {
  it.each(ERRORS)("%s is answered, and only that connection closes", async (_, bytes, text) => {
    const other = await connect(at(node));
    const peer = await connect(at(node));
    peer.send(`SET before 1\r\n${bytes}`);
    expect(await peer.toTheEnd()).toBe(`+OK\r\n-ERR Protocol error: ${text}\r\n`);
    await other.send("PING\r\n").gets("+PONG\r\n");
  });

  it("has the text that redis-server gives it", async (context) => {
    requireFound(context, redisServerPath, "redis-server is missing: apt-get install redis-server");
    const server = await RedisServer.start();
    try {
      for (const [what, bytes, text] of ERRORS) {
        const peer = await connect({ path: server.path });
        peer.send(bytes);
        expect([what, await peer.toTheEnd()]).toEqual([what, `-ERR Protocol error: ${text}\r\n`]);
      }
    } finally {
      await server.stop();
    }
  });

  it("a bulk string without its line end closes the connection, what follows is not run", async () => {
    const peer = await connect(at(node));
    peer.send("*2\r\n$3\r\nGET\r\n$1\r\naXX*1\r\n$4\r\nPING\r\n");
    expect(await peer.toTheEnd()).toBe("-ERR Protocol error: expected CR LF after bulk string\r\n");
  });

  it("what came before it is answered first, whatever the split", async () => {
    const bytes = "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n*1\r\n!";
    for (let cut = 1; cut < bytes.length; cut += 3) {
      const peer = await connect(at(node));
      peer.send(bytes.slice(0, cut));
      await delay(1);
      peer.send(bytes.slice(cut));
      expect(await peer.toTheEnd()).toBe(
        "+PONG\r\n$2\r\nhi\r\n-ERR Protocol error: expected '$', got '!'\r\n",
      );
    }
  });
});

describe("what is no error", () => {
  it("empty lines, empty and negative counts are skipped", async () => {
    const peer = await connect(at(node));
    await peer.send("\r\n*0\r\n*-1\r\n*-10\r\n\r\nPING\r\n").gets("+PONG\r\n");
  });

  it("inline commands with quotes and escapes", async () => {
    const peer = await connect(at(node));
    await peer.send('ECHO "a\\x41\\n" \r\n').gets("$3\r\naA\n\r\n");
    await peer.send("echo 'it\\'s'\n").gets("$4\r\nit's\r\n");
  });

  it("an unknown command, a wrong arity, a wrong type: the connection stays open", async () => {
    const peer = await connect(at(node));
    const telling: [string, string][] = [
      ["nonsense a b", "-ERR unknown command 'nonsense', with args beginning with: 'a' 'b' "],
      ["get", "-ERR wrong number of arguments for 'get' command"],
      ["hset h f v", ":1"],
      ["get h", "-WRONGTYPE Operation against a key holding the wrong kind of value"],
      ["set n x", "+OK"],
      ["incr n", "-ERR value is not an integer or out of range"],
      ["set n 9223372036854775807", "+OK"],
      ["incr n", "-ERR increment or decrement would overflow"],
      ["set a b ex 0", "-ERR invalid expire time in 'set' command"],
      ["set a b ex", "-ERR syntax error"],
      ["setrange a -1 x", "-ERR offset is out of range"],
      ["ping", "+PONG"],
    ];
    for (const [line, reply] of telling) await peer.send(`${line}\r\n`).gets(`${reply}\r\n`);
  });
});

describe("limits", () => {
  async function started(...flags: string[]): Promise<RunningNode> {
    return startNode({ flags } satisfies NodeOptions);
  }

  it("over maxclients: an error, and the connection closes", async () => {
    const small = await started("--maxclients", "2");
    const one = await connect(at(small));
    const two = await connect(at(small));
    await two.send("PING\r\n").gets("+PONG\r\n");
    const three = await connect(at(small));
    expect(await three.toTheEnd()).toBe("-ERR max number of clients reached\r\n");
    one.socket.destroy();
    // As soon as the node has noticed, there is room for one more.
    for (;;) {
      const four = await connect(at(small));
      four.send("PING\r\n");
      await four.until(({ received }) => received.endsWith("\r\n"));
      if (four.received === "+PONG\r\n") break;
      await delay(10);
    }
  });

  it("before AUTH: NOAUTH, a wrong password WRONGPASS, and no long commands", async () => {
    const guarded = await started("--requirepass", "secret");
    const peer = await connect(at(guarded));
    await peer.send("GET a\r\n").gets("-NOAUTH Authentication required.\r\n");
    await peer
      .send("AUTH wrong\r\n")
      .gets("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    const many = await connect(at(guarded));
    expect(await many.send("*11\r\n").toTheEnd()).toBe(
      "-ERR Protocol error: unauthenticated multibulk length\r\n",
    );
    const long = await connect(at(guarded));
    expect(await long.send("*2\r\n$4\r\nAUTH\r\n$16385\r\n").toTheEnd()).toBe(
      "-ERR Protocol error: unauthenticated bulk length\r\n",
    );
    await peer.send("AUTH secret\r\n").gets("+OK\r\n");
    await peer.send("GET a\r\n").gets("$-1\r\n");
  });

  it("at maxmemory and at the ceiling: OOM, and reads go on", async () => {
    const tight = await started("--memory-ceiling", "32mb");
    const peer = await connect(at(tight));
    const value = "x".repeat(1_000_000);
    let replies = "";
    let written = 0;
    for (; written < 50; written++) {
      peer.send(`*3\r\n$3\r\nSET\r\n$4\r\nk${100 + written}\r\n$1000000\r\n${value}\r\n`);
      await peer.until(({ received }) => received.endsWith("\r\n"));
      replies = peer.received;
      peer.received = "";
      if (replies !== "+OK\r\n") break;
    }
    expect(written).toBeGreaterThan(10);
    expect(replies).toMatch(/^-OOM /);
    await peer.send("STRLEN k100\r\n").gets(":1000000\r\n");
    await peer.send("DEL k100\r\n").gets(":1\r\n");
    await peer.send("SET small 1\r\n").gets("+OK\r\n");
  });

  it("a client that does not read is cut off, and nobody else notices", async () => {
    const small = await started("--output-limit", "4mb", "--stalled-request-ms", "500");
    const reader = await connect(at(small));
    await reader.send(`SET big ${"x".repeat(60_000)}\r\n`).gets("+OK\r\n");
    const deaf = await connect(at(small));
    // A client is in CLIENT LIST from its first reply on at the latest.
    await deaf.send("PING\r\n").gets("+PONG\r\n");
    deaf.socket.pause();
    const asked = 2000;
    deaf.send("GET big\r\n".repeat(asked));
    for (;;) {
      reader.received = "";
      reader.send("CLIENT LIST\r\n");
      await reader.until(({ received }) => received.endsWith("\n\r\n"));
      if (!/^id=2 /m.test(reader.received)) break;
      await delay(20);
    }
    deaf.socket.resume();
    await deaf.until((peer) => peer.closed);
    expect(deaf.received.length).toBeLessThan(asked * 60_000);
  });

  it("a command longer than a request may be is refused before it has all come", async () => {
    const small = await started("--client-query-buffer-limit", "1mb");
    const peer = await connect(at(small));
    peer.send(`*100\r\n${`$500000\r\n${"x".repeat(500_000)}\r\n`.repeat(4)}`);
    expect(await peer.toTheEnd()).toMatch(/^-ERR Protocol error: .*longer than/);
  });

  it("half a command, and then the end of the connection, is forgotten", async () => {
    const peer = await connect(at(node));
    peer.send("*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$5\r\nhal");
    peer.socket.end();
    expect(await peer.toTheEnd()).toBe("");
    const other = await connect(at(node));
    await other.send("EXISTS half\r\n").gets(":0\r\n");
  });

  it("a client that has sent all it has and closes its side gets every answer", async () => {
    const peer = await connect(at(node));
    peer.send("PING\r\n".repeat(1000));
    peer.socket.end();
    expect(await peer.toTheEnd()).toBe("+PONG\r\n".repeat(1000));
  });
});
