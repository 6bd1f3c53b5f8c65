// One client of the RESP door: commands that come in parts, long commands, late replies, and the limits of a connection.
import { describe, expect, it } from "vitest";
import { encodeRequest } from "../../store/harness.ts";
import { RandomSource } from "../../store/random-source.ts";
import { failed, settle, TestNode } from "./node-under-test.ts";

const request = (...words: readonly (string | number)[]) => encodeRequest(words);

/** Commands of the kernel and of the host, of both protocols, with empty ones and an inline one among them. */
const MIXED = [
  request("SET", "a", "1"),
  request("INCR", "a"),
  "\r\n*0\r\n",
  request("HSET", "h", "f", "v"),
  request("GET", "a"),
  'GET "a"\r\n',
  request("HELLO", "3"),
  request("HGETALL", "h"),
  request("GET", "missing"),
  request("SELECT", "1"),
  request("GET", "a"),
  request("SET", "long", "x".repeat(300)),
  request("MULTI"),
  request("APPEND", "long", "y"),
  request("STRLEN", "long"),
  request("EXEC"),
  request("FOO", "bar"),
  request("MGET", "a", "long"),
  request("GET"),
].join("");

describe("a pipeline", () => {
  const node = new TestNode();

  function replies(parts: readonly string[]): string {
    node.connect().run("FLUSHALL");
    const client = node.connect();
    for (const part of parts) client.sendBytes(part);
    const text = client.take();
    client.hangUp();
    // HELLO tells the connection's number.
    return text.replace(/(\$2\r\nid\r\n):\d+/, "$1:0");
  }

  const whole = replies([MIXED]);

  it("is answered in order, whatever runs a command", () => {
    expect(whole).toMatch(/^\+OK\r\n:2\r\n:1\r\n\$1\r\n2\r\n\$1\r\n2\r\n%7/);
    expect(whole).toMatch(
      /\+QUEUED\r\n\+QUEUED\r\n\*2\r\n:301\r\n:301\r\n-ERR unknown command 'FOO'/,
    );
    expect(whole).toMatch(/-ERR wrong number of arguments for 'get' command\r\n$/);
  });

  it("is answered alike when it is cut at any byte", () => {
    for (let cut = 1; cut < MIXED.length; cut++) {
      expect(replies([MIXED.slice(0, cut), MIXED.slice(cut)]), `cut at ${cut}`).toBe(whole);
    }
  });

  it("is answered alike byte by byte, and cut at random", () => {
    expect(replies([...MIXED])).toBe(whole);
    const random = new RandomSource(1);
    for (let run = 0; run < 200; run++) {
      const parts: string[] = [];
      for (let at = 0; at < MIXED.length; ) {
        const length = 1 + random.below(random.pick([3, 20, 200]));
        parts.push(MIXED.slice(at, at + length));
        at += length;
      }
      expect(replies(parts), `run ${run}`).toBe(whole);
    }
  });

  it("of more commands than a batch holds, with host commands between, keeps its order", () => {
    const client = new TestNode().connect();
    let text = "";
    let expected = "";
    for (let i = 0; i < 500; i++) {
      text += request("SET", `k${i}`, i) + (i % 7 === 0 ? request("SETRANGE", "r", 0, "abc") : "");
      expected += `+OK\r\n${i % 7 === 0 ? ":3\r\n" : ""}`;
    }
    client.sendBytes(text);
    expect(client.take()).toBe(expected);
  });
});

describe("long commands", () => {
  it("a value that comes in thousands of parts is whole", () => {
    const client = new TestNode().connect();
    const value = Array.from({ length: 300_000 }, (_, i) => String.fromCharCode(i % 251)).join("");
    const text = request("SET", "big", value) + request("STRLEN", "big");
    for (let at = 0; at < text.length; at += 77) client.sendBytes(text.slice(at, at + 77));
    expect(client.take()).toBe("+OK\r\n:300000\r\n");
    expect(client.raw("GET", "big")).toBe(`$300000\r\n${value}\r\n`);
  });

  it("many arguments that come in parts are read on, not anew, and all arrive", () => {
    const client = new TestNode().connect();
    const words: string[] = ["MSET"];
    for (let i = 0; i < 40_000; i++) words.push(`key${i}`, `value${i}`);
    const text = encodeRequest(words);
    for (let at = 0; at < text.length; at += 1000) client.sendBytes(text.slice(at, at + 1000));
    expect(client.take()).toBe("+OK\r\n");
    expect(client.raw("DBSIZE")).toBe(":40000\r\n");
    expect(client.raw("MGET", "key0", "key39999")).toBe(
      "*2\r\n$6\r\nvalue0\r\n$10\r\nvalue39999\r\n",
    );
  });

  it("an error deep in a long command that came in parts is answered, and the connection closes", () => {
    const client = new TestNode().connect();
    let text = "*50000\r\n$4\r\nMSET\r\n";
    for (let i = 0; i < 5000; i++) text += `$5\r\n${String(i).padStart(5, "0")}\r\n`;
    client.sendBytes(text);
    client.sendBytes("!oops\r\n");
    expect(client.take()).toBe("-ERR Protocol error: expected '$', got '!'\r\n");
    expect(client.closed).toBe(true);
  });

  it("a reply that is longer than the output region comes whole, between its neighbours", () => {
    const client = new TestNode().connect();
    const value = "v".repeat(700_000);
    client.run("SET", "big", value);
    client.send(["PING"], ["GET", "big"], ["MGET", "big", "big"], ["PING"]);
    const bulk = `$700000\r\n${value}\r\n`;
    expect(client.take()).toBe(`+PONG\r\n${bulk}*2\r\n${bulk}${bulk}+PONG\r\n`);
  });

  it("replies that together are longer than the output region come in order", () => {
    const client = new TestNode().connect();
    const value = "v".repeat(100_000);
    client.run("SET", "a", value);
    client.send(
      ...Array.from({ length: 20 }, (_, i) => (i % 5 === 4 ? ["TYPE", "a"] : ["GET", "a"])),
    );
    const bulk = `$100000\r\n${value}\r\n`;
    expect(client.take()).toBe(`${bulk.repeat(4)}+string\r\n`.repeat(4));
  });

  it("a command over the limit of a request is refused before it has all come", () => {
    const client = new TestNode({ maxRequestBytes: 1024 * 1024 }).connect();
    client.sendBytes("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2000000\r\nxyz");
    expect(client.take()).toMatch(/^-ERR Protocol error: /);
    expect(client.closed).toBe(true);
  });
});

describe("before the password", () => {
  it.each([
    ["*11\r\n", "unauthenticated multibulk length"],
    ["*1\r\n$16385\r\n", "unauthenticated bulk length"],
    ["*1\r\n$100000000\r\n", "unauthenticated bulk length"],
    ["*1\r\n$600000000\r\n", "invalid bulk length"],
  ])("%j is too long", (bytes, text) => {
    const client = new TestNode({ password: "secret" }).connect();
    client.sendBytes(bytes);
    expect(client.take()).toBe(`-ERR Protocol error: ${text}\r\n`);
    expect(client.closed).toBe(true);
  });
});

describe("a failure of our own", () => {
  it("closes one connection, and the others go on", () => {
    const node = new TestNode();
    const [one, other] = [node.connect(), node.connect()];
    node.served.commander.execute = () => {
      throw new TypeError("as if a command were wrong");
    };
    one.send(["DBSIZE"]);
    expect(one.closed).toBe(true);
    expect(other.raw("SET", "a", "1")).toBe("+OK\r\n");
  });

  it("does not hide a trap of the kernel", () => {
    const node = new TestNode();
    node.served.commander.execute = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    expect(() => node.connect().send(["DBSIZE"])).toThrow(WebAssembly.RuntimeError);
  });
});

describe("at the ceiling of linear memory", () => {
  const MIB = 1024 * 1024;

  function fullNode(): TestNode {
    const node = new TestNode({ ceilingBytes: 16 * MIB });
    const client = node.connect();
    const value = "x".repeat(100_000);
    for (let i = 0; client.raw("SET", i, value) === "+OK\r\n"; i++) expect(i).toBeLessThan(1000);
    return node;
  }

  it("a command that does not fit is refused, and its client only", () => {
    const node = fullNode();
    const other = node.connect();
    const value = "x".repeat(9 * MIB);
    const text = request("MSET", "a", "x".repeat(100_000), "b", value);
    for (const step of [text.length, 4 * MIB, 100_000]) {
      const client = node.connect();
      for (let at = 0; at < text.length && !client.closed; at += step) {
        client.sendBytes(text.slice(at, at + step));
      }
      expect(client.take()).toMatch(/^-OOM the command is longer than memory can hold now/);
      expect(client.closed).toBe(true);
      expect(other.raw("EXISTS", "a", "b")).toBe(":0\r\n");
    }
  });

  it("room that is made is used again", () => {
    const client = fullNode().connect();
    expect(client.raw("SET", "b", "x".repeat(100_000))).toMatch(/^-OOM /);
    expect(client.raw("FLUSHALL")).toBe("+OK\r\n");
    expect(client.raw("SET", "b", "x".repeat(4 * MIB))).toBe("+OK\r\n");
  });
});

describe("a late reply", () => {
  it("holds back the commands behind it, and only those of its client", async () => {
    const node = new TestNode();
    const [one, other] = [node.connect(), node.connect()];
    one.send(["SET", "a", "1"], ["WAIT", 1, 50], ["GET", "a"]);
    one.send(["INCR", "a"]);
    other.send(["GET", "a"]);
    expect(one.take()).toBe("+OK\r\n");
    expect(other.take()).toBe("$1\r\n1\r\n");
    await node.runtime.advance(60);
    await settle();
    expect(one.take()).toBe(":0\r\n$1\r\n1\r\n:2\r\n");
  });

  it("is dropped with its client", async () => {
    const node = new TestNode();
    const one = node.connect();
    one.send(["WAIT", 1, 50], ["SET", "a", "1"]);
    one.hangUp();
    await node.runtime.advance(60);
    expect(node.connect().raw("EXISTS", "a")).toBe(":0\r\n");
  });

  it("in front of a long command in part does not confuse the reading of it", async () => {
    const node = new TestNode();
    const client = node.connect();
    const value = "x".repeat(40_000);
    const text = request("WAIT", 1, 50) + request("MSET", "a", value, "b", value);
    client.sendBytes(text.slice(0, 60_000));
    await node.runtime.advance(60);
    client.sendBytes(text.slice(60_000));
    expect(client.take()).toBe(":0\r\n+OK\r\n");
  });
});

describe("limits", () => {
  it("a client over maxclients hears why", () => {
    const node = new TestNode({ maxClients: 2 });
    node.connect();
    const second = node.connect();
    const third = node.connect();
    expect(third.take()).toBe("-ERR max number of clients reached\r\n");
    expect(third.closed).toBe(true);
    second.hangUp();
    expect(node.connect().raw("PING")).toBe("+PONG\r\n");
  });

  it("nothing of a client runs while more replies wait than may, and all of it when they have left", () => {
    const node = new TestNode({ outputLimitBytes: 1_000_000 });
    const [slow, other] = [node.connect(), node.connect()];
    const value = "x".repeat(300_000);
    slow.run("SET", "large", value);
    slow.run("SET", "small", value.slice(0, 1000));
    slow.isReading = false;
    slow.send(...Array.from({ length: 10 }, () => ["GET", "large"]), ["INCR", "ran"]);
    slow.send(["INCR", "ran"]);
    expect(slow.bufferedBytes).toBeGreaterThan(1_000_000);
    expect(slow.bufferedBytes).toBeLessThan(1_400_000);
    expect(other.raw("EXISTS", "ran")).toBe(":0\r\n");
    slow.takeAll();
    expect(other.raw("EXISTS", "ran")).toBe(":0\r\n");
    slow.takeAll();
    expect(slow.take()).toBe(`${`$300000\r\n${value}\r\n`.repeat(10)}:1\r\n:2\r\n`);
  });

  it("a client of which nothing runs is not read from without end", () => {
    const node = new TestNode({ outputLimitBytes: 1_000_000 });
    const client = node.connect();
    client.run("SET", "small", "x".repeat(1000));
    client.isReading = false;
    let sent = 0;
    for (; !client.paused && sent < 10_000; sent++) client.send(["GET", "small"]);
    expect(sent).toBeLessThan(4000);
    expect(client.bufferedBytes).toBeLessThan(1_400_000);
    client.isReading = true;
    client.takeAll();
    expect(client.paused).toBe(false);
    expect(client.take()).toBe(`$1000\r\n${"x".repeat(1000)}\r\n`.repeat(sent));
  });

  it("a client that takes none of its replies is cut off, and no other", async () => {
    const node = new TestNode({ outputLimitBytes: 1_000_000, stalledRequestMs: 500 });
    const [deaf, slow, other] = [node.connect(), node.connect(), node.connect()];
    deaf.run("SET", "a", "x".repeat(300_000));
    for (const client of [deaf, slow]) {
      client.isReading = false;
      client.send(...Array.from({ length: 100 }, () => ["GET", "a"]));
    }
    for (let i = 0; i < 8; i++) {
      await node.runtime.advance(100);
      slow.bufferedBytes -= 1000;
    }
    expect([deaf.closed, slow.closed]).toEqual([true, false]);
    expect(other.raw("PING")).toBe("+PONG\r\n");
    expect(node.served.clientCount).toBe(2);
    await node.runtime.advance(800);
    expect(slow.closed).toBe(true);
  });

  it("a client that hangs up its side is answered all the same when its replies have left", () => {
    const node = new TestNode({ outputLimitBytes: 1_000_000 });
    const client = node.connect();
    client.run("SET", "a", "x".repeat(600_000));
    client.isReading = false;
    client.send(["GET", "a"], ["GET", "a"], ["GET", "a"], ["SET", "ran", "1"]);
    client.endInput();
    expect(client.closed).toBe(false);
    client.takeAll();
    expect(client.closed).toBe(true);
    expect(node.connect().raw("GET", "ran")).toBe("$1\r\n1\r\n");
  });

  it("replies of many clients together stay near the budget; small ones are answered meanwhile", async () => {
    const MIB = 1024 * 1024;
    const node = new TestNode({ inFlightBudgetBytes: 4 * MIB });
    const writer = node.connect();
    writer.run("SET", "a", "x".repeat(MIB));
    writer.run("HSET", "h", "f", "x".repeat(MIB));
    const clients = Array.from({ length: 40 }, () => node.connect());
    for (const [i, client] of clients.entries()) {
      client.isReading = false;
      client.send(i % 2 === 0 ? ["GET", "a"] : ["HGETALL", "h"], ["PING"]);
    }
    const waiting = () => clients.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
    expect(waiting()).toBeLessThan(6 * MIB);
    expect(writer.raw("INCR", "n")).toBe(":1\r\n");
    expect(writer.raw("CONFIG", "GET", "maxclients")).toContain("10000");
    for (let round = 0; round < 40; round++) {
      for (const client of clients) if (client.bufferedBytes !== 0) client.takeAll();
      expect(waiting()).toBeLessThan(6 * MIB);
    }
    for (const client of clients) expect(client.take()).toMatch(/x\r\n\+PONG\r\n$/);
  });

  it("a client alone goes on though its own replies exceed the budget", () => {
    const MIB = 1024 * 1024;
    const client = new TestNode({ inFlightBudgetBytes: MIB }).connect();
    client.run("SET", "a", "x".repeat(3 * MIB));
    client.isReading = false;
    client.send(["GET", "a"], ["GETRANGE", "a", 0, -1], ["GET", "a"]);
    client.takeAll();
    client.takeAll();
    client.takeAll();
    expect(client.take().length).toBeGreaterThan(9 * MIB);
  });

  it("a reply over the output limit is an error instead, alone and in a transaction", () => {
    const node = new TestNode({ outputLimitBytes: 1_000_000 });
    const client = node.connect();
    const value = "x".repeat(300_000);
    const tooLong = failed(
      "ERR the command was run, but its reply is longer than 1000000 bytes (client-output-buffer-limit) and was dropped: ask for less at a time",
    );
    client.run("SET", "a", value);
    client.run("HSET", "h", "f", value);
    expect(client.run("MGET", "a", "a", "a")).toEqual([value, value, value]);
    expect(client.run("MGET", "a", "a", "a", "a")).toEqual(tooLong);
    expect(client.run("HRANDFIELD", "h", "-1000", "WITHVALUES")).toEqual(tooLong);
    client.send(
      ["MULTI"],
      ["GET", "a"],
      ["HGETALL", "h"],
      ["GET", "a"],
      ["GETDEL", "a"],
      ["DEL", "h"],
    );
    client.take();
    expect(client.run("EXEC")).toEqual([value, ["f", value], value, tooLong, 1]);
    expect(client.run("DBSIZE")).toBe(0);
  });

  it("a client whose command waits is not read from without end", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.send(["WAIT", 1, 50]);
    const command = request("SET", "a", "x".repeat(1000));
    let sent = 0;
    while (!client.paused && sent < 1000) {
      client.sendBytes(command);
      sent++;
    }
    expect(sent).toBeLessThan(100);
    await node.runtime.advance(60);
    expect(client.paused).toBe(false);
    expect(client.take()).toBe(`:0\r\n${"+OK\r\n".repeat(sent)}`);
  });

  it("a client whose next command waits too stays unread", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.send(["WAIT", 1, 50]);
    client.sendBytes(request("WAIT", 1, 50) + request("ECHO", "x".repeat(70_000)));
    expect(client.paused).toBe(true);
    await node.runtime.advance(60);
    expect(client.paused).toBe(true);
    await node.runtime.advance(60);
    expect(client.paused).toBe(false);
    expect(client.take()).toMatch(/^:0\r\n:0\r\n\$70000\r\nx/);
  });

  it("over the budget only those who hold much wait, and the longest command goes on", async () => {
    const MIB = 1024 * 1024;
    const node = new TestNode({ inFlightBudgetBytes: 4 * MIB, stalledRequestMs: 500 });
    const begin = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$9000000\r\n";
    const [first, longest, light] = [node.connect(), node.connect(), node.connect()];
    first.sendBytes(begin + "x".repeat(2 * MIB));
    longest.sendBytes(begin + "x".repeat(3 * MIB));
    expect([first.paused, longest.paused, light.paused]).toEqual([true, false, false]);
    expect(light.raw("PING")).toBe("+PONG\r\n");
    longest.sendBytes(`${"x".repeat(9_000_000 - 3 * MIB)}\r\n`);
    expect(longest.take()).toBe("+OK\r\n");
    await node.runtime.advance(200);
    expect(first.paused).toBe(false);
  });

  it("half a command each of many clients stays near the budget", () => {
    const MIB = 1024 * 1024;
    const node = new TestNode({ inFlightBudgetBytes: 4 * MIB });
    const clients = Array.from({ length: 40 }, () => node.connect());
    const chunk = "x".repeat(64 * 1024);
    for (const client of clients) client.sendBytes("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000000\r\n");
    let sent = 0;
    for (let round = 0; round < 10; round++) {
      for (const client of clients) {
        if (client.paused) continue;
        client.sendBytes(chunk);
        sent += chunk.length;
      }
    }
    expect(sent).toBeGreaterThan(4 * MIB);
    expect(sent).toBeLessThan(9 * MIB);
  });

  it("over the budget a client that only holds is cut off", async () => {
    const MIB = 1024 * 1024;
    const node = new TestNode({ inFlightBudgetBytes: 2 * MIB, stalledRequestMs: 500 });
    const client = node.connect();
    client.sendBytes(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$9000000\r\n${"x".repeat(3 * MIB)}`);
    await node.runtime.advance(400);
    expect(client.closed).toBe(false);
    await node.runtime.advance(400);
    expect(client.closed).toBe(true);
  });

  it("an idle client is closed after the timeout, one that waits is not", async () => {
    const node = new TestNode({ idleTimeoutSeconds: 1 });
    const [idle, waiting] = [node.connect(), node.connect()];
    waiting.send(["WAIT", 1, 5000]);
    await node.runtime.advance(1200);
    expect(idle.closed).toBe(true);
    expect(waiting.closed).toBe(false);
  });
});
