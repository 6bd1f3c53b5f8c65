// A node with a server behind it: what clients get, whatever the server does.
import { describe, expect, it } from "vitest";
import { openMetrics } from "../../../../src/doors/http/open-metrics.ts";
import { BackendNode } from "./backend-under-test.ts";

const REFUSED = "-ERR Storage: Datastore refused connection (";
const replies = (text: string) => text.split("\r\n").slice(0, -1);

describe("commands", () => {
  it("reach the server as they came, unknown ones too, and its replies come back as they are", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    expect(await client.ask("SET a 1", "get a", "NEW.COMMAND x", "GET b")).toBe(
      "+OK\r\n$1\r\n1\r\n-ERR unknown command 'NEW.COMMAND'\r\n$-1\r\n",
    );
    expect(node.server.commands).toEqual(["SET a 1", "get a", "NEW.COMMAND x", "GET b"]);
  });

  it("of several clients share a connection, and each client gets its own replies in its order", async () => {
    const node = await BackendNode.start();
    const clients = Array.from({ length: 5 }, () => node.connect());
    for (let round = 0; round < 20; round++) {
      for (const [i, client] of clients.entries()) {
        client.send(`SET k${i} ${round}`, `GET k${i}`);
      }
    }
    await node.world.advance(50);
    for (const client of clients) {
      expect(replies(client.text)).toEqual(
        Array.from({ length: 20 }, (_, round) => [
          "+OK",
          `$${`${round}`.length}`,
          `${round}`,
        ]).flat(),
      );
    }
    expect(new Set(node.server.seen.map(({ connection }) => connection)).size).toBe(1);
  });

  it.each([1, 2, 3, 7])("and replies may come in pieces of %i bytes and less", async (most) => {
    const node = await BackendNode.start();
    node.network.maxPiece = most;
    const value = "\r\n$5\r\n".repeat(20);
    node.server.data.set("0:k", value);
    const clients = [node.connect(), node.connect()];
    for (const client of clients) {
      client.sendRaw("PING\r\n\r\n*0\r\n");
      client.send("GET k", "SELECT 0", "ECHO x", "MULTI", "GET k", "EXEC", "INFO backend", "GET k");
    }
    await node.world.advance(20_000);
    const bulk = `$${value.length}\r\n${value}\r\n`;
    for (const client of clients) {
      const [before, after] = client.text.split(/\$\d+\r\n# Backend\r\n[^$]*\r\n(?=\$)/);
      expect(before).toBe(
        `+PONG\r\n${bulk}+OK\r\n-ERR unknown command 'ECHO'\r\n+OK\r\n+QUEUED\r\n*1\r\n${bulk}`,
      );
      expect(after).toBe(bulk);
    }
  });

  it("that are long, and have many arguments, pass whole", async () => {
    const node = await BackendNode.start();
    node.network.maxPiece = 10_000;
    const client = node.connect();
    const value = "v".repeat(300_000);
    const many = Array.from({ length: 20_000 }, (_, i) => `a${i}`);
    client.send(`SET long ${value}`, "GET long", `MANY ${many.join(" ")}`, "GET long");
    await node.world.advance(2000);
    const bulk = `$${value.length}\r\n${value}\r\n`;
    expect(client.text === `+OK\r\n${bulk}-ERR unknown command 'MANY'\r\n${bulk}`).toBe(true);
    expect(node.server.seen.at(-2)!.words).toEqual(["MANY", ...many]);
  });

  it("that are no commands end the connection, behind the replies to those before", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    client.send("SET a 1");
    client.sendRaw("*1\r\n!3\r\n");
    await node.world.advance(50);
    expect(client.text).toBe("+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    expect(client.isClosed).toBe(true);
    expect(node.server.connections.size).toBe(1);
  });

  it("are shared out over the connections, each client staying on one", async () => {
    const node = await BackendNode.start({ backend: { connections: 2 } });
    const [one, other] = [node.connect(), node.connect()];
    const ids = await Promise.all([one.ask("WHOAMI"), other.ask("WHOAMI")]);
    expect(new Set(ids).size).toBe(2);
    for (let i = 0; i < 3; i++) expect(await one.ask("WHOAMI")).toBe(ids[0]);
  });

  it("wait behind the password of the node, and reach the server with its own", async () => {
    const node = await BackendNode.start({
      settings: { password: "front" },
      backend: { requirepass: "behind" },
      prepare: (server) => {
        server.password = "behind";
      },
    });
    const client = node.connect();
    expect(await client.ask("GET a", "AUTH wrong", "AUTH front", "GET a")).toMatch(
      /^-NOAUTH [^\r]*\r\n-WRONGPASS [^\r]*\r\n\+OK\r\n\$-1\r\n$/,
    );
    expect(node.server.commands).toEqual(["GET a"]);
  });
});

describe("a client gets a connection of its own for", () => {
  it("a transaction, and gives it back for the next", async () => {
    const node = await BackendNode.start();
    const [one, other] = [node.connect(), node.connect()];
    one.send("MULTI", "SET a 1");
    other.send("SET a 2", "GET a");
    await node.world.advance(50);
    expect(other.text).toBe("+OK\r\n$1\r\n2\r\n");
    expect(await one.ask("GET a", "EXEC")).toBe("+QUEUED\r\n*2\r\n+OK\r\n$1\r\n1\r\n");
    expect(await one.ask("WHOAMI")).toBe(":1\r\n");
    expect(await other.ask("MULTI", "WHOAMI", "EXEC")).toBe("+OK\r\n+QUEUED\r\n*1\r\n:2\r\n");
    expect(node.backend.connectionCount).toEqual({ shared: 1, own: 1, idle: 1 });
  });

  it("WATCH, up to what ends it", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    expect(await client.ask("WATCH a", "WHOAMI")).toBe("+OK\r\n:2\r\n");
    expect(await client.ask("UNWATCH")).toBe("+OK\r\n");
    expect(await client.ask("WHOAMI")).toBe(":1\r\n");
  });

  it("another database, up to SELECT 0", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    expect(await client.ask("SELECT 99", "WHOAMI")).toMatch(/^-ERR DB index[^\r]*\r\n:2\r\n$/s);
    expect(await client.ask("WHOAMI")).toBe(":1\r\n");
    expect(await client.ask("SELECT 3", "SET a three", "SELECT 0", "GET a")).toBe(
      "+OK\r\n+OK\r\n+OK\r\n$-1\r\n",
    );
    expect(await client.ask("WHOAMI")).toBe(":1\r\n");
    expect(node.server.data.get("3:a")).toBe("three");
  });

  it("a command that blocks, while the others go on", async () => {
    const node = await BackendNode.start();
    const [one, other] = [node.connect(), node.connect()];
    one.send("BLPOP l 0", "GET a");
    expect(await other.ask("SET a 1")).toBe("+OK\r\n");
    await node.world.advance(60_000);
    expect(one.text).toBe("");
    node.server.unblock(2, "*2\r\n$1\r\nl\r\n$1\r\nx\r\n");
    await node.world.advance(50);
    expect(one.text).toBe("*2\r\n$1\r\nl\r\n$1\r\nx\r\n$1\r\n1\r\n");
    expect(await one.ask("XREAD BLOCK 0 STREAMS s 0")).toMatch("-ERR unknown");
    expect(node.server.seen.at(-1)!.connection).toBe(2);
    expect(await one.ask("XREAD STREAMS s 0")).toMatch("-ERR unknown");
    expect(node.server.seen.at(-1)!.connection).toBe(1);
  });

  it("a command that blocks, which ends with the client", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    await client.ask("BLPOP l 0");
    expect(node.server.connections.size).toBe(2);
    client.stream.end();
    await node.world.advance(50);
    expect(node.server.connections.size).toBe(1);
  });

  it("SUBSCRIBE, and gets all that comes, until it leaves", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    expect(await client.ask("GET a", "SUBSCRIBE c")).toBe(
      "$-1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n",
    );
    for (const part of ["*3\r\n$7\r\nmess", "age\r\n$1\r\nc\r\n$1\r\nx\r\n"]) {
      node.server.say(2, part);
      await node.world.advance(10_000);
    }
    expect(client.text).toMatch(/\*3\r\n\$7\r\nmessage\r\n\$1\r\nc\r\n\$1\r\nx\r\n$/);
    client.stream.end();
    await node.world.advance(50);
    expect(node.server.connections.size).toBe(1);
  });

  it("protocol 3", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    expect(await client.ask("HELLO 3", "GET a", "WHOAMI")).toMatch(/^%.*_\r\n:2\r\n$/s);
    expect(await client.ask("HELLO 2", "GET a")).toMatch(/^\*.*\$-1\r\n$/s);
    expect(await client.ask("WHOAMI")).toBe(":1\r\n");
  });

  it("and is told where there are too many; what belongs to a refused transaction is not run", async () => {
    const node = await BackendNode.start({ limits: { maxOwnConnections: 1 } });
    const [one, other] = [node.connect(), node.connect()];
    await one.ask("WATCH a");
    const said = replies(await other.ask("MULTI", "SET a 1", "EXEC", "SET b 1"));
    expect(said[0]).toMatch(`${REFUSED}1 clients have a connection of their own`);
    expect(said[1]).toMatch("-ERR the transaction was refused");
    expect(said[2]).toMatch("-EXECABORT ");
    expect(said[3]).toBe("+OK");
    expect([...node.server.data.keys()]).toEqual(["0:b"]);
  });
});

describe("a client that sends nothing", () => {
  it("is closed after the time of the setting, unless it blocks or has subscribed", async () => {
    const node = await BackendNode.start({ settings: { idleTimeoutSeconds: 5 } });
    const [idle, blocked, listener] = [node.connect(), node.connect(), node.connect()];
    await idle.ask("GET a");
    await blocked.ask("BLPOP l 0");
    await listener.ask("SUBSCRIBE c");
    await node.world.advance(10_000);
    expect([idle, blocked, listener].map(({ isClosed }) => isClosed)).toEqual([true, false, false]);
  });
});

describe("the node itself", () => {
  it("answers what is about the connection to it, behind the replies of the server", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    const text = await client.ask(
      "SET a 1",
      "CLIENT SETNAME me",
      "CLIENT GETNAME",
      "GET a",
      "QUIT",
    );
    expect(text).toBe("+OK\r\n+OK\r\n$2\r\nme\r\n$1\r\n1\r\n+OK\r\n");
    expect(client.isClosed).toBe(true);
    expect(node.server.commands).toEqual(["SET a 1", "GET a"]);
  });

  it("refuses what would take the server from the others", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    for (const command of [
      "SCRIPT DEBUG YES",
      "DEBUG SLEEP 1",
      "REPLICAOF a 1",
      "SYNC",
      "PSYNC ? -1",
      "FAILOVER",
    ]) {
      expect(await client.ask(command)).toMatch(/^-ERR [A-Z ]+ is not passed on: /);
    }
    expect(node.server.commands).toEqual([]);
  });

  it("lets no transaction run of which it has refused a part", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    const said = replies(await client.ask("MULTI", "SET a 1", "CLIENT ID", "EXEC", "GET a"));
    expect(said.slice(0, 2)).toEqual(["+OK", "+QUEUED"]);
    expect(said[2]).toBe("-ERR CLIENT cannot be part of a transaction here");
    expect(said[3]).toMatch("-EXECABORT ");
    expect(said[4]).toBe("$-1");
  });

  it("holds commands back while clients are paused", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    expect(await client.ask("CLIENT PAUSE 1000", "SET a 1")).toBe("+OK\r\n");
    await node.world.advance(2000);
    expect(client.text).toBe("+OK\r\n+OK\r\n");
  });
});

describe("where the server does not answer, a client", () => {
  it("gets the error at once for each command, in order, and goes on when it does", async () => {
    const node = await BackendNode.start({
      prepare: (server) => {
        server.isDown = true;
      },
    });
    expect(node.backend.isUp).toBe(false);
    const client = node.connect();
    const said = replies(await client.ask("GET a", "SET a 1", "CLIENT ID", "MULTI", "EXEC"));
    expect(said[0]).toBe(`${REFUSED}nobody listens on server:6379: nothing was sent)`);
    expect(said[1]).toBe(said[0]);
    expect(said[2]).toMatch(/^:\d+$/);
    expect(said[3]).toBe(said[0]);
    expect(said[4]).toMatch("-EXECABORT ");
    expect(await node.info("server_state")).toMatch(/connecting|down/);
    await node.world.advance(10_000);
    expect(await node.info("server_state")).toBe("down");
    expect(await node.info("server_ejects")).toBe("1");
    expect(Number(await node.info("server_err"))).toBeGreaterThan(3);
    // Waits of at most the retry timeout.
    const waits = node.network.dials.map(({ at }, i, all) => at - (all[i - 1]?.at ?? at));
    expect(Math.max(...waits)).toBeLessThanOrEqual(1000 + 2);
    node.server.isDown = false;
    await node.world.advance(1100);
    expect(await client.ask("SET a 1", "GET a")).toBe("+OK\r\n$1\r\n1\r\n");
    expect(await node.info("server_state")).toBe("up");
  });

  it("is told when the connection was lost under its commands, and that they may have been executed", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    client.send("SET a 1", "NOTHING", "GET a");
    await node.world.advance(20);
    node.server.isDown = true;
    await node.world.advance(20);
    const said = replies(client.text);
    expect(said[0]).toBe("+OK");
    expect(said.slice(1)).toHaveLength(2);
    for (const line of said.slice(1)) {
      expect(line).toMatch(
        `${REFUSED}the connection was lost: connection reset before it answered`,
      );
      expect(line).toMatch("may have been executed");
    }
    expect(await node.info("server_dropped_requests")).toBe("2");
  });

  it("is told after the timeout, and the connection is made anew", async () => {
    const node = await BackendNode.start({ settings: { requestTimeoutMs: 500 } });
    const [one, other] = [node.connect(), node.connect()];
    one.send("NOTHING");
    await node.world.advance(300);
    other.send("GET a");
    await node.world.advance(195);
    expect(one.text + other.text).toBe("");
    await node.world.advance(30);
    for (const { text } of [one, other]) {
      expect(replies(text)).toEqual([
        `${REFUSED}no reply within 500 ms: the command may have been executed)`,
      ]);
    }
    await node.world.advance(200);
    expect(await one.ask("GET a")).toBe("$-1\r\n");
    expect(await node.info("server_timedout")).toBe("1");
    expect(await node.info("server_timedout_requests")).toBe("2");
    expect(await node.info("server_connects")).toBe("2");
  });

  it("gets the reply that has come while the node stood still", async () => {
    const node = await BackendNode.start({ settings: { requestTimeoutMs: 500 } });
    const client = node.connect();
    node.server.isStalled = true;
    client.send("SET a 1");
    await node.world.advance(502);
    node.server.isStalled = false;
    await node.world.advance(10);
    expect(client.text).toBe("+OK\r\n");
  });

  it("that another database was selected for has it again when the server is back", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    await client.ask("SELECT 3");
    node.server.isDown = true;
    await node.world.advance(50);
    expect(await client.ask("SELECT 0")).toMatch(/^-ERR Storage: /);
    node.server.isDown = false;
    await node.world.advance(2000);
    expect(await client.ask("SET a 1", "SELECT 0", "SET b 1")).toBe("+OK\r\n+OK\r\n+OK\r\n");
    expect([...node.server.data.keys()]).toEqual(["3:a", "0:b"]);
  });

  it("loses its connection where a reply has come in part", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    node.server.replies.set("torn", "$10\r\nabc");
    await client.ask("TORN");
    expect(client.text).toBe("$10\r\nabc");
    node.server.isDown = true;
    await node.world.advance(50);
    expect(client.isClosed).toBe(true);
    expect(client.text).toBe("$10\r\nabc");
  });

  it("loses its connection where the server has forgotten its transaction", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    await client.ask("MULTI", "SET a 1");
    node.server.isDown = true;
    await node.world.advance(50);
    node.server.isDown = false;
    await node.world.advance(2000);
    expect(await client.ask("SET b 1", "EXEC")).toMatch(/^-ERR Storage: [^\r]*\r\n$/);
    expect(client.isClosed).toBe(true);
    expect(node.server.data.size).toBe(0);
  });

  it("is answered by none of what the server says unasked", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    node.server.replies.set("twice", "+one\r\n+two\r\n");
    expect(await client.ask("TWICE")).toBe("+one\r\n");
    await node.world.advance(200);
    expect(await client.ask("GET a")).toBe("$-1\r\n");
    expect(await node.info("server_err")).toBe("1");
  });

  it("hears why the server turns the node away", async () => {
    const node = await BackendNode.start({
      prepare: (server) => {
        server.password = "x";
      },
    });
    const client = node.connect();
    expect(await client.ask("GET a")).toMatch("wants a password: set redis_requirepass");
    node.server.password = "";
    node.server.replies.set("client", "-ERR max number of clients reached\r\n");
    await node.world.advance(1100);
    expect(await client.ask("GET a")).toMatch("max number of clients reached");
  });
});

describe("a node that closes", () => {
  it("answers what has come, and lets blocked clients go", async () => {
    const node = await BackendNode.start();
    const [one, idle, blocked] = [node.connect(), node.connect(), node.connect()];
    blocked.send("BLPOP l 0");
    one.send("SET a 1", "CLIENT GETNAME", "MULTI", "GET a", "EXEC", "GET a");
    await node.world.advance(1);
    void node.served.drain();
    await node.world.advance(100);
    expect(one.text).toBe("+OK\r\n$-1\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\n1\r\n$1\r\n1\r\n");
    expect([one, idle, blocked].map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
    expect(node.served.clientCount).toBe(0);
  });
});

describe("a slow server", () => {
  it("has only so many requests to answer: clients wait, and are not read from", async () => {
    const node = await BackendNode.start({ limits: { maxOutstandingRequests: 10 } });
    const clients = Array.from({ length: 4 }, () => node.connect());
    node.server.isStalled = true;
    for (const client of clients) {
      for (let i = 0; i < 200; i++) client.send(`SET k ${"x".repeat(1000)}`);
    }
    await node.world.advance(100);
    expect(node.backend.queues.out).toBeGreaterThanOrEqual(10);
    const sent = node.server.commands.length;
    expect(sent).toBeLessThan(100);
    // What is neither sent nor held here waits in the streams of the clients.
    for (const client of clients) expect(client.stream.bufferedBytes).toBeGreaterThan(10_000);
    node.server.isStalled = false;
    await node.world.advance(3000);
    for (const { text } of clients) expect(text).toBe("+OK\r\n".repeat(200));
  });

  it("fails all that waits for it in the end", async () => {
    const node = await BackendNode.start({
      limits: { maxOutstandingRequests: 10 },
      settings: { requestTimeoutMs: 500 },
    });
    const clients = Array.from({ length: 4 }, () => node.connect());
    node.server.isStalled = true;
    node.network.unreachable.add("server:6379");
    for (const client of clients) for (let i = 0; i < 50; i++) client.send("SET k 1");
    await node.world.advance(600);
    for (const { text } of clients) {
      expect(replies(text)).toHaveLength(50);
      for (const line of replies(text)) expect(line).toMatch(REFUSED);
    }
  });
});

describe("a client that does not read its replies", () => {
  it("is not run any further, and keeps nobody else from theirs", async () => {
    const node = await BackendNode.start({ settings: { outputLimitBytes: 10_000 } });
    const [slow, other] = [node.connect(), node.connect()];
    node.server.data.set("0:v", "v".repeat(1000));
    slow.stream.pause();
    for (let i = 0; i < 100; i++) {
      slow.send("GET v");
      await node.world.advance(10);
    }
    const gets = node.server.commands.length;
    expect(gets).toBeLessThan(20);
    expect(await other.ask("SET a 1")).toBe("+OK\r\n");
    slow.stream.resume();
    await node.world.advance(1000);
    expect(slow.text).toBe(`$1000\r\n${"v".repeat(1000)}\r\n`.repeat(100));
  });

  it("is cut off where the replies to what was running are more than may wait", async () => {
    const settings = { outputLimitBytes: 10_000, inFlightBudgetBytes: 1024 * 1024 };
    const node = await BackendNode.start({ settings });
    const [slow, other] = [node.connect(), node.connect()];
    node.server.data.set("0:v", "v".repeat(10_000));
    slow.stream.pause();
    slow.send(...Array.from({ length: 200 }, () => "GET v"));
    await node.world.advance(200);
    expect(slow.isClosed).toBe(true);
    expect(await other.ask("SET a 1")).toBe("+OK\r\n");
  });
});

describe("operators", () => {
  it("see the state of the server and what has passed", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    const before = Number(await node.info("requests"));
    await client.ask("SET a 1", "GET a");
    expect(Number(await node.info("requests"))).toBe(before + 2);
    expect(Number(await node.info("responses"))).toBe(before + 2);
    expect(await node.info("server_name")).toBe("behind");
    expect(await node.info("server_connections")).toBe("1");
    client.send("NOTHING");
    await node.world.advance(10);
    expect(await node.info("out_queue")).toBe("1");
    for (const { stream } of node.server.connections) stream.end();
    await node.world.advance(5);
    expect(await node.info("server_eof")).toBe("1");
  });

  it("see connections of one client each, bytes, and what waits", async () => {
    const node = await BackendNode.start();
    const [one, other] = [node.connect(), node.connect()];
    const figure = async (name: string) => Number(await node.info(name));
    const [sent, received] = [await figure("request_bytes"), await figure("response_bytes")];
    await one.ask("SET a 1");
    expect(await figure("request_bytes")).toBe(
      sent + "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n".length,
    );
    expect(await figure("response_bytes")).toBe(received + "+OK\r\n".length);
    await one.ask("WATCH a");
    expect(await figure("server_own_connections")).toBe(1);
    expect(await figure("server_idle_connections")).toBe(0);
    await one.ask("UNWATCH");
    expect(await figure("server_idle_connections")).toBe(1);
    await node.world.advance(31_000);
    expect(await figure("server_own_connections")).toBe(0);
    for (const { stream } of node.server.connections) stream.pause();
    other.send(`SET long ${"x".repeat(5000)}`);
    await node.world.advance(10);
    expect(await figure("in_queue_bytes")).toBeGreaterThan(5000);
    expect(await figure("out_queue")).toBe(1);
  });

  it("find all of it in the metrics", async () => {
    const node = await BackendNode.start();
    const client = node.connect();
    await client.ask("SET a 1", "WATCH a");
    const lines = openMetrics(node.served.metrics)
      .split("\n")
      .filter((line) => line.startsWith("ringlet_backend_"));
    const { counters } = node.backend;
    expect(lines).toEqual([
      "ringlet_backend_up 1",
      'ringlet_backend_connections{use="shared"} 1',
      'ringlet_backend_connections{use="own"} 1',
      'ringlet_backend_connections{use="idle"} 0',
      "ringlet_backend_connects_total 2",
      'ringlet_backend_lost_connections_total{reason="eof"} 0',
      'ringlet_backend_lost_connections_total{reason="err"} 0',
      'ringlet_backend_lost_connections_total{reason="timedout"} 0',
      "ringlet_backend_ejects_total 0",
      // Two for each connection that was opened.
      "ringlet_backend_requests_total 6",
      "ringlet_backend_replies_total 6",
      `ringlet_backend_bytes_total{direction="sent"} ${counters.requestBytes}`,
      `ringlet_backend_bytes_total{direction="received"} ${counters.responseBytes}`,
      "ringlet_backend_failed_requests_total 0",
      "ringlet_backend_outstanding_requests 0",
      "ringlet_backend_queued_bytes 0",
    ]);
  });
});
