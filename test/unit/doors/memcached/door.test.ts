// The memcached door of a node alone, through streams in memory: cut anywhere, quiet where it should be, and held to its limits.
import { describe, expect, it } from "vitest";
import type { SettingValues } from "../../../../src/base/setting-table.ts";
import { openMetrics } from "../../../../src/doors/http/open-metrics.ts";
import { loadCodec } from "../../../../src/runtime/node/codec.ts";
import type { ByteStream } from "../../../../src/transport/stream.ts";
import { FuzzBuffer } from "../../../fuzz/fuzz-buffer.ts";
import { generateMemcachedRequests } from "../../../fuzz/generate/memcached.ts";
import { Random } from "../../../fuzz/random.ts";
import { settle, TestClient, TestNode } from "../resp/node-under-test.ts";

class MemcachedNode extends TestNode {
  #acceptMemcached: (stream: ByteStream) => void = () => {};

  constructor(settings: Partial<SettingValues> = {}) {
    super(settings);
    this.served.listenMemcached((accept) => {
      this.#acceptMemcached = accept;
      return Promise.resolve({ host: "127.0.0.1", port: 11211, close: () => Promise.resolve() });
    }, codec);
  }

  memcached(remoteAddress = "127.0.0.1:60000"): TestClient {
    const client = new TestClient(remoteAddress);
    this.#acceptMemcached(client);
    return client;
  }
}

const codec = loadCodec();
const MIB = 1024 * 1024;

function ask(client: TestClient, text: string): string {
  client.sendBytes(text);
  return client.take();
}

const CONVERSATION = [
  "set a 5 0 3\r\nabc\r\nget a none a\r\nappend a 0 0 2\r\n\r\n\r\ngets none\r\nbogus\r\n",
  "set n 0 0 2 noreply\r\n10\r\nincr n 5\r\nget n\r\nmg a v f k\r\nms b 2 F9 q\r\nhi\r\nget b\r\n",
  "set big 0 0 999999\r\nget a\r\ndelete a\r\ntouch a 5\r\nmn\r\n",
];
const ANSWERS = [
  "STORED\r\nVALUE a 5 3\r\nabc\r\nVALUE a 5 3\r\nabc\r\nEND\r\nSTORED\r\nEND\r\nERROR\r\n",
  "15\r\nVALUE n 0 2\r\n15\r\nEND\r\nVA 5 f5 ka\r\nabc\r\n\r\nVALUE b 9 2\r\nhi\r\nEND\r\n",
];

describe("requests", () => {
  const text = CONVERSATION.slice(0, 2).join("");

  it("are answered in one chunk", () => {
    expect(ask(new MemcachedNode().memcached(), text)).toBe(ANSWERS.join(""));
  });

  it("are answered the same wherever they are cut", () => {
    const node = new MemcachedNode();
    for (let at = 1; at < text.length; at++) {
      const client = node.memcached();
      ask(client, "flush_all\r\n");
      client.sendBytes(text.slice(0, at));
      client.sendBytes(text.slice(at));
      expect([at, client.take()]).toEqual([at, ANSWERS.join("")]);
    }
  });

  it("are answered the same byte by byte", () => {
    const client = new MemcachedNode().memcached();
    for (const byte of text) client.sendBytes(byte);
    expect(client.take()).toBe(ANSWERS.join(""));
  });

  it("in part are answered when they are whole", () => {
    const client = new MemcachedNode().memcached();
    expect(ask(client, "set a 0 0 10\r\n01234")).toBe("");
    expect(ask(client, "56789")).toBe("");
    expect(ask(client, "\r\nget a\r\n")).toBe("STORED\r\nVALUE a 0 10\r\n0123456789\r\nEND\r\n");
  });
});

describe("whatever a client sends", () => {
  it("is answered the same wherever it is cut, and the node goes on", () => {
    const random = new Random(5);
    const buffer = new FuzzBuffer();
    const [whole, cut] = [new MemcachedNode(), new MemcachedNode()];
    let answered = 0;
    for (let i = 0; i < 1500; i++) {
      buffer.clear();
      generateMemcachedRequests(random, buffer);
      const text = Buffer.from(buffer.view()).toString("latin1");
      const [one, other] = [whole.memcached(), cut.memcached()];
      const expected = ask(one, text);
      for (let at = 0; at < text.length; ) {
        const next = at + random.between(1, random.pick([3, 30, 3000]));
        other.sendBytes(text.slice(at, next));
        at = next;
      }
      // Counts of bytes are those of what has come by then.
      const [theirs, ours] = [expected, other.take()].map((answer) => {
        return answer.replace(/^STAT bytes_(?:read|written) \d+\r\n/gm, "");
      });
      expect([i, ours, other.closed]).toEqual([i, theirs, one.closed]);
      if (expected !== "") answered++;
      for (const client of [one, other]) client.hangUp();
    }
    expect(answered).toBeGreaterThan(500);
    expect(whole.served.clientCount).toBe(0);
    expect(ask(whole.memcached(), "mn\r\n")).toBe("MN\r\n");
  });
});

describe("a value that is too large", () => {
  it("is refused and passed over, however it comes", () => {
    const value = "get a\r\n".repeat(200_000);
    const request = `set a 0 0 ${value.length}\r\n${value}\r\nget a\r\n`;
    for (const size of [999, 65_536, 1_000_000, request.length]) {
      const client = new MemcachedNode({ maxBulkBytes: MIB }).memcached();
      for (let at = 0; at < request.length; at += size) {
        client.sendBytes(request.slice(at, at + size));
      }
      expect(client.take()).toBe("SERVER_ERROR object too large for cache\r\nEND\r\n");
    }
  });

  it("does not come about by appending", () => {
    const client = new MemcachedNode({ maxBulkBytes: MIB }).memcached();
    const most = "x".repeat(MIB - 1);
    expect(ask(client, `set a 0 0 ${MIB - 1}\r\n${most}\r\nappend a 0 0 2\r\nyz\r\n`)).toBe(
      "STORED\r\nSERVER_ERROR object too large for cache\r\n",
    );
    expect(ask(client, "append a 0 0 1\r\ny\r\nmg a s\r\n")).toBe(`STORED\r\nHD s${MIB}\r\n`);
  });
});

describe("Redis and memcached clients", () => {
  it("share strings", () => {
    const node = new MemcachedNode();
    const [redis, client] = [node.connect(), node.memcached()];
    redis.run("SET", "a", "from redis");
    expect(ask(client, "get a\r\n")).toBe("VALUE a 0 10\r\nfrom redis\r\nEND\r\n");
    expect(ask(client, "set a 77 0 3\r\nabc\r\n")).toBe("STORED\r\n");
    expect(redis.run("GET", "a")).toBe("abc");
    expect(redis.run("STRLEN", "a")).toBe(3);
    expect(redis.run("GETRANGE", "a", "1", "9")).toBe("bc");
    expect(redis.run("MGET", "a", "none")).toEqual(["abc", null]);
    expect(redis.run("TYPE", "a")).toBe("string");
  });

  it("keep the flags of what is renamed, copied and given another expiry", () => {
    const node = new MemcachedNode();
    const [redis, client] = [node.connect(), node.memcached()];
    ask(client, "set a 77 0 3\r\nabc\r\n");
    redis.run("RENAME", "a", "b");
    redis.run("COPY", "b", "c");
    redis.run("EXPIRE", "c", "100");
    expect(ask(client, "get a b c\r\n")).toBe(
      "VALUE b 77 3\r\nabc\r\nVALUE c 77 3\r\nabc\r\nEND\r\n",
    );
  });

  it("write values without flags over those that have some", () => {
    const node = new MemcachedNode();
    const [redis, client] = [node.connect(), node.memcached()];
    const writes = [
      ["SET", "a", "xyz"],
      ["APPEND", "a", "de"],
      ["APPEND", "a", "a longer end than fits"],
      ["SETRANGE", "a", "10", "x"],
      ["GETSET", "a", "v"],
      ["MSET", "a", "v"],
    ];
    for (const words of writes) {
      ask(client, "set a 77 0 3\r\nabc\r\n");
      redis.run(...words);
      expect([words, ask(client, "get a\r\n")]).toEqual([
        words,
        expect.stringMatching(/^VALUE a 0 /),
      ]);
    }
  });

  it("have no name for the commands that run operations on items", () => {
    const reply = new MemcachedNode().connect().raw("memcached|read", "a", '{"do":"read"}', "");
    expect(reply).toMatch(/^-ERR unknown command/);
  });

  it("see no item where there is no string", () => {
    const node = new MemcachedNode();
    const [redis, client] = [node.connect(), node.memcached()];
    redis.run("HSET", "h", "f", "v");
    expect(ask(client, "get h\r\nmg h v\r\ntouch h 1\r\n")).toBe("END\r\nEN\r\nNOT_FOUND\r\n");
    expect(ask(client, "add h 0 0 1\r\nx\r\nappend h 0 0 1\r\nx\r\n")).toBe(
      "NOT_STORED\r\nNOT_STORED\r\n",
    );
    expect(ask(client, "incr h 1\r\n")).toMatch(/^CLIENT_ERROR cannot increment/);
    expect(redis.run("HGET", "h", "f")).toBe("v");
    expect(ask(client, "set h 3 0 1\r\nx\r\nget h\r\n")).toBe(
      "STORED\r\nVALUE h 3 1\r\nx\r\nEND\r\n",
    );
  });
});

describe("time", () => {
  it("ends items as their exptime says", async () => {
    const node = new MemcachedNode();
    const client = node.memcached();
    const now = Math.floor(node.runtime.now() / 1000);
    ask(
      client,
      `set rel 1 10 1\r\nx\r\nset abs 1 ${now + 20} 1\r\nx\r\nset past 1 ${now - 5} 1\r\nx\r\n`,
    );
    ask(client, "set never 1 0 1\r\nx\r\nset gone 1 -1 1\r\nx\r\n");
    const there = () => ask(client, "get rel abs past never gone\r\n").match(/VALUE \S+/g);
    expect(there()).toEqual(["VALUE rel", "VALUE abs", "VALUE never"]);
    await node.runtime.advance(11_000);
    expect(there()).toEqual(["VALUE abs", "VALUE never"]);
    await node.runtime.advance(10_000);
    expect(there()).toEqual(["VALUE never"]);
  });

  it("comes for a flush_all with a delay, of which the last one counts", async () => {
    const node = new MemcachedNode();
    const client = node.memcached();
    ask(client, "set a 0 0 1\r\nx\r\nflush_all 5\r\nflush_all 10 noreply\r\n");
    await node.runtime.advance(9000);
    expect(ask(client, "get a\r\n")).toBe("VALUE a 0 1\r\nx\r\nEND\r\n");
    await node.runtime.advance(2000);
    expect(ask(client, "get a\r\n")).toBe("END\r\n");
  });
});

describe("what the node says of itself", () => {
  it("has the figures that monitoring reads", async () => {
    const node = new MemcachedNode();
    await settle();
    const client = node.memcached();
    ask(client, "set a 0 0 1\r\nx\r\nget a b\r\nincr a 1\r\ndelete b\r\n");
    const stats = new Map(
      [...ask(client, "stats\r\n").matchAll(/^STAT (\S+) (.*)\r$/gm)].map(([, name, value]) => [
        name!,
        value!,
      ]),
    );
    const figures = { cmd_get: "2", get_hits: "1", get_misses: "1", cmd_set: "1", curr_items: "1" };
    for (const [name, value] of Object.entries(figures)) expect(stats.get(name), name).toBe(value);
    for (const name of ["pid", "uptime", "version", "bytes", "evictions", "limit_maxbytes"]) {
      expect(stats.has(name), name).toBe(true);
    }
    expect(ask(client, "stats reset\r\nstats items\r\nstats slabs\r\nstats what\r\n")).toBe(
      "RESET\r\nEND\r\nEND\r\nERROR\r\n",
    );
    expect(ask(client, "stats\r\n")).toContain("STAT cmd_get 0\r\n");
    const metrics = openMetrics(node.served.metrics);
    for (const line of [
      "ringlet_memcached_clients 1",
      "ringlet_memcached_clients_accepted_total 1",
      'ringlet_memcached_commands_total{command="get"} 2',
      'ringlet_memcached_gets_total{found="no"} 1',
    ]) {
      expect(metrics).toContain(`${line}\n`);
    }
    expect(ask(client, "stats settings\r\n")).toContain("STAT tcpport 11211\r\n");
    expect(ask(client, "version\r\nverbosity 1\r\n")).toBe("VERSION 1.6.18\r\nOK\r\n");
  });
});

describe("limits", () => {
  it("refuse clients beyond maxClients, and from other machines", () => {
    const node = new MemcachedNode({ maxClients: 1 });
    node.memcached();
    const second = node.memcached();
    expect([second.take(), second.closed]).toEqual([
      "SERVER_ERROR max number of clients reached\r\n",
      true,
    ]);
    const stranger = new MemcachedNode().memcached("10.0.0.1:5000");
    expect(stranger.take()).toMatch(
      /^SERVER_ERROR this node answers only clients on its own machine/,
    );
    const open = new MemcachedNode({ protectedMode: false }).memcached("10.0.0.1:5000");
    expect(ask(open, "mn\r\n")).toBe("MN\r\n");
  });

  it("hold a client back whose replies wait, within one get too, and then go on", () => {
    const node = new MemcachedNode({ outputLimitBytes: 100_000 });
    const client = node.memcached();
    const value = "x".repeat(50_000);
    ask(client, `set a 1 0 50000\r\n${value}\r\n`);
    client.isReading = false;
    client.sendBytes(`get ${"a ".repeat(20)}\r\nget a\r\nmn\r\n`);
    let got = client.take();
    expect(got.length).toBeLessThan(300_000);
    for (let i = 0; i < 20 && !got.endsWith("MN\r\n"); i++) {
      client.takeAll();
      got += client.take();
    }
    const item = `VALUE a 1 50000\r\n${value}\r\n`;
    expect(got === `${item.repeat(20)}END\r\n${item}END\r\nMN\r\n`).toBe(true);
  });

  it("cut off a client that takes none of its replies", async () => {
    const node = new MemcachedNode({ outputLimitBytes: 10_000, stalledRequestMs: 1000 });
    const client = node.memcached();
    ask(client, `set a 1 0 90000\r\n${"x".repeat(90_000)}\r\n`);
    client.isReading = false;
    client.sendBytes("get a\r\n");
    await node.runtime.advance(500);
    expect(client.closed).toBe(false);
    await node.runtime.advance(1500);
    expect(client.closed).toBe(true);
  });

  it("refuse what memory cannot take, with nothing changed", () => {
    const node = new MemcachedNode({ maxMemoryBytes: 1 });
    const client = node.memcached();
    expect(ask(client, "set a 0 0 1\r\nx\r\nget a\r\ndelete a\r\n")).toBe(
      "SERVER_ERROR out of memory storing object\r\nEND\r\nNOT_FOUND\r\n",
    );
  });

  it("close a connection whose line never ends", () => {
    const client = new MemcachedNode().memcached();
    client.sendBytes(`get ${"k".repeat(70_000)}`);
    expect([client.take(), client.closed]).toEqual(["CLIENT_ERROR line too long\r\n", true]);
  });
});

describe("the end", () => {
  it("comes with quit, behind the answers before it", () => {
    const client = new MemcachedNode().memcached();
    client.sendBytes("mn\r\nquit\r\nmn\r\n");
    expect([client.take(), client.closed]).toEqual(["MN\r\n", true]);
  });

  it("comes when the client sends nothing more", () => {
    const client = new MemcachedNode().memcached();
    client.sendBytes("mn\r\n");
    client.endInput();
    expect([client.take(), client.closed]).toEqual(["MN\r\n", true]);
  });

  it("comes by draining, when what was sent is answered", async () => {
    const node = new MemcachedNode();
    const client = node.memcached();
    client.sendBytes("set a 0 0 1\r\nx\r\n");
    const drained = node.served.drain();
    expect([client.take(), client.closed]).toEqual(["STORED\r\n", true]);
    client.hangUp();
    expect(await drained).toBe(0);
    expect(node.memcached().take()).toBe("SERVER_ERROR the node is shutting down\r\n");
  });
});

describe("a password", () => {
  it("and a memcached door exclude each other, at the start and later", async () => {
    const node = new TestNode({ password: "secret" });
    const listen = () => Promise.reject(new Error("must not be called"));
    await expect(node.served.listenMemcached(listen, codec)).rejects.toThrow(
      /leave out --requirepass or --memcached-listen/,
    );
    const open = new MemcachedNode();
    const reply = open.connect().raw("CONFIG", "SET", "requirepass", "secret");
    expect(reply).toMatch(/^-ERR .*memcached/);
    expect(open.connect().run("PING")).toBe("PONG");
  });
});

describe("a pause of the clients", () => {
  it("holds requests back, and keeps their order", async () => {
    const node = new MemcachedNode();
    const client = node.memcached();
    node.connect().run("CLIENT", "PAUSE", "1000", "WRITE");
    expect(ask(client, "get a\r\nset a 4 0 1\r\nx\r\nget a\r\n")).toBe("END\r\n");
    await node.runtime.advance(1500);
    expect(client.take()).toBe("STORED\r\nVALUE a 4 1\r\nx\r\nEND\r\n");
  });
});
