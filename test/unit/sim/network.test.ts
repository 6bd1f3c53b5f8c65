// The simulated network: streams that deliver every byte in order until something ends them, and what each fault does.
import { describe, expect, it } from "vitest";
import type { Connection } from "../../../src/sim/network/connection.ts";
import type { PathModel } from "../../../src/sim/network/pipe.ts";
import { CALM_PATH, Network } from "../../../src/sim/network.ts";
import type { SimProcess } from "../../../src/sim/process.ts";
import { World } from "../../../src/sim/world.ts";
import type { ByteStream, StreamHandler } from "../../../src/transport/stream.ts";
import { settle } from "./settle.ts";

/** One end of a connection that keeps what it hears. */
class End implements StreamHandler {
  readonly stream: ByteStream;
  bytes: number[] = [];
  chunks: number[] = [];
  events: string[] = [];

  constructor(stream: ByteStream, isStarted = true) {
    this.stream = stream;
    if (isStarted) stream.start(this);
  }
  received(bytes: Uint8Array): void {
    this.bytes.push(...bytes);
    this.chunks.push(bytes.length);
  }
  ended(): void {
    this.events.push("ended");
  }
  drained(): void {
    this.events.push("drained");
  }
  closed(error?: Error & { code?: string }): void {
    this.events.push(error === undefined ? "closed" : `closed ${error.code}`);
  }
}

class Pair {
  readonly world: World;
  readonly network: Network;
  readonly a: SimProcess;
  readonly b: SimProcess;
  dialler!: End;
  acceptor!: End;

  constructor(path: Partial<PathModel> = {}, seed = "seed") {
    this.world = new World({ seed, settle });
    this.network = new Network(this.world, { path: () => ({ ...CALM_PATH, ...path }) });
    this.a = this.world.process("a");
    this.b = this.world.process("b");
  }

  listen(isStarted = true) {
    return this.network.transport(this.b, "hostB").listen({ host: "hostB", port: 1 }, (stream) => {
      this.acceptor = new End(stream, isStarted);
    });
  }

  dial(timeoutMs = 1000, port = 1) {
    return this.network.transport(this.a, "hostA").dial({ host: "hostB", port }, timeoutMs);
  }

  /** Begins to dial, and says how it went so far. */
  tryDial(timeoutMs = 1000, port = 1) {
    const outcome = { said: "nothing" };
    this.dial(timeoutMs, port).then(
      () => {
        outcome.said = "connected";
      },
      (error: { code: string }) => {
        outcome.said = error.code;
      },
    );
    return outcome;
  }

  async connect(): Promise<this> {
    await this.listen();
    this.dial().then((stream) => {
      this.dialler = new End(stream);
    });
    await this.world.until(() => this.dialler !== undefined && this.acceptor !== undefined, 1000);
    return this;
  }

  get connection(): Connection {
    return [...this.network.connections][0]!;
  }
}

const numbers = (count: number, from = 0) => Uint8Array.from({ length: count }, (_, i) => from + i);

describe("a simulated stream", () => {
  it.each([0, 0.5, 1])("delivers every byte in order, cut with chance %d", async (cutChance) => {
    const jitter = { jitterMs: 5, tailChance: 0.1, tailMs: 50, windowBytes: 1000 };
    const pair = await new Pair({ cutChance, ...jitter }, `cut ${cutChance}`).connect();
    const sent: number[] = [];
    for (let i = 0; i < 100; i++) {
      const bytes = numbers(i * 3, i);
      sent.push(...bytes);
      pair.dialler.stream.write(bytes);
      // The bytes were the caller's again.
      bytes.fill(0);
      await pair.world.advance(i % 3);
    }
    await pair.world.advance(60_000);
    expect(pair.acceptor.bytes).toEqual(sent);
    if (cutChance === 1) expect(pair.acceptor.chunks.length).toBeGreaterThan(20);
    expect(pair.dialler.stream.bufferedBytes).toBe(0);
  });

  it("names both sides", async () => {
    const { dialler, acceptor } = await new Pair().connect();
    expect(dialler.stream.remoteAddress).toBe("hostB:1");
    expect(acceptor.stream.remoteAddress).toBe(dialler.stream.localAddress);
    expect(acceptor.stream.remoteAddress).toMatch(/^hostA:\d+$/);
  });

  it("takes as long as latency and bandwidth say", async () => {
    const path = { latencyMs: 20, jitterMs: 0, bandwidth: 10 };
    const pair = new Pair(path);
    await pair.listen();
    pair.dial().then((stream) => {
      pair.dialler = new End(stream);
    });
    await pair.world.advance(39);
    expect(pair.dialler).toBeUndefined();
    await pair.world.advance(1);
    pair.dialler.stream.write(numbers(100));
    await pair.world.advance(29);
    expect(pair.acceptor.bytes).toEqual([]);
    await pair.world.advance(1);
    expect(pair.acceptor.bytes.length).toBe(100);
  });

  it("holds bytes back at the window of a reader that pauses, says so, and tells when they have left", async () => {
    const pair = await new Pair({ windowBytes: 1000 }).connect();
    const { dialler, acceptor } = pair;
    acceptor.stream.pause();
    dialler.stream.write(numbers(600));
    expect(dialler.stream.bufferedBytes).toBe(0);
    dialler.stream.write(numbers(3000));
    await pair.world.advance(1000);
    expect(dialler.stream.bufferedBytes).toBe(2600);
    expect(acceptor.bytes.length).toBe(0);
    expect(dialler.events).toEqual([]);
    acceptor.stream.resume();
    await pair.world.advance(1000);
    expect(acceptor.bytes.length).toBe(3600);
    expect(dialler.stream.bufferedBytes).toBe(0);
    expect(dialler.events).toEqual(["drained"]);
  });

  it("takes back what it handed over when the reader returns", async () => {
    const pair = await new Pair().connect();
    let kept = new Uint8Array(0);
    pair.acceptor.received = (bytes) => {
      kept = bytes as Uint8Array<ArrayBuffer>;
    };
    pair.dialler.stream.write(numbers(3));
    await pair.world.advance(5);
    expect([...kept]).toEqual([255, 255, 255]);
  });

  it("keeps what comes before it is started, its end too", async () => {
    const pair = new Pair();
    await pair.listen(false);
    pair.dial().then((stream) => {
      pair.dialler = new End(stream);
      stream.write(numbers(3));
      stream.end();
    });
    await pair.world.advance(20);
    expect(pair.acceptor.bytes).toEqual([]);
    pair.acceptor.stream.start(pair.acceptor);
    await pair.world.advance(20);
    expect(pair.acceptor.bytes).toEqual([0, 1, 2]);
    expect(pair.acceptor.events).toEqual(["ended"]);
  });

  it("ends behind its last byte, half by half", async () => {
    const { dialler, acceptor, world, network } = await new Pair({ windowBytes: 10 }).connect();
    dialler.stream.write(numbers(100));
    dialler.stream.end();
    dialler.stream.write(numbers(5));
    await world.advance(100);
    expect(acceptor.bytes.length).toBe(100);
    expect(acceptor.events).toEqual(["ended"]);
    acceptor.stream.write(numbers(5));
    acceptor.stream.end();
    await world.advance(100);
    expect(dialler.bytes.length).toBe(5);
    expect(dialler.events).toEqual(["drained", "ended", "closed"]);
    expect(acceptor.events).toEqual(["ended", "closed"]);
    expect(network.connections.size).toBe(0);
  });

  it("that was ended closes after a while, also where the other side never ends", async () => {
    const { dialler, acceptor, world } = await new Pair().connect();
    dialler.stream.end();
    await world.advance(1900);
    expect(dialler.events).toEqual([]);
    await world.advance(200);
    expect(dialler.events).toEqual(["closed"]);
    acceptor.stream.write(numbers(1));
    await world.advance(10);
    expect(acceptor.events).toEqual(["ended", "closed ECONNRESET"]);
  });

  it("that is destroyed delivers what the network has, and no more", async () => {
    const { dialler, acceptor, world } = await new Pair({ windowBytes: 10 }).connect();
    dialler.stream.write(numbers(30));
    dialler.stream.destroy();
    dialler.stream.write(numbers(30));
    await world.advance(50);
    expect(acceptor.bytes.length).toBe(10);
    expect(acceptor.events).toEqual(["ended"]);
    expect(dialler.events).toEqual(["closed"]);
    dialler.stream.destroy();
    await world.advance(50);
    expect(dialler.events).toEqual(["closed"]);
  });

  it("that is destroyed with bytes unread resets the other side", async () => {
    const { dialler, acceptor, world } = await new Pair().connect();
    acceptor.stream.pause();
    dialler.stream.write(numbers(30));
    await world.advance(50);
    acceptor.stream.destroy();
    await world.advance(50);
    expect(dialler.events).toEqual(["closed ECONNRESET"]);
  });
});

describe("dialling", () => {
  it("is refused where nobody listens, or no longer", async () => {
    const pair = new Pair();
    const outcome = pair.tryDial();
    await pair.world.advance(10);
    expect(outcome.said).toBe("DIAL_REFUSED");
    const listener = await pair.listen();
    await listener.close();
    const again = pair.tryDial();
    await pair.world.advance(10);
    expect(again.said).toBe("DIAL_REFUSED");
  });

  it("is refused by a host that is told to", async () => {
    const pair = new Pair();
    await pair.listen();
    pair.network.setRefusing("hostB", true);
    const refused = pair.tryDial();
    await pair.world.advance(10);
    expect(refused.said).toBe("DIAL_REFUSED");
    pair.network.setRefusing("hostB", false);
    const taken = pair.tryDial();
    await pair.world.advance(10);
    expect(taken.said).toBe("connected");
  });

  it.each([
    ["hostA", "hostB"],
    ["hostB", "hostA"],
  ])("times out while %s does not reach %s", async (from, to) => {
    const pair = new Pair();
    await pair.listen();
    pair.network.block(from, to);
    const outcome = pair.tryDial(500);
    await pair.world.advance(499);
    expect(outcome.said).toBe("nothing");
    await pair.world.advance(10);
    expect(outcome.said).toBe("DIAL_TIMEOUT");
    pair.network.unblock(from, to);
    await pair.world.advance(5000);
    expect(outcome.said).toBe("DIAL_TIMEOUT");
  });

  it("gets through when the network heals in time", async () => {
    const pair = new Pair();
    await pair.listen();
    pair.network.block("hostA", "hostB");
    const outcome = pair.tryDial(5000);
    await pair.world.advance(900);
    pair.network.unblock("hostA", "hostB");
    await pair.world.advance(1000);
    expect(outcome.said).toBe("connected");
  });

  it("connects to a process that is paused, which hears of it later", async () => {
    const pair = new Pair();
    await pair.listen();
    pair.b.pause();
    const outcome = pair.tryDial();
    await pair.world.advance(100);
    expect(outcome.said).toBe("connected");
    expect(pair.acceptor).toBeUndefined();
    pair.b.resume();
    await pair.world.advance(1);
    expect(pair.acceptor).toBeDefined();
  });

  it("says that a place is taken, and gives free ones for port 0", async () => {
    const pair = new Pair();
    const transport = pair.network.transport(pair.b, "hostB");
    const first = await transport.listen({ host: "hostB", port: 0 }, () => {});
    const second = await transport.listen({ host: "hostB", port: 0 }, () => {});
    expect(second.port).not.toBe(first.port);
    const again = transport.listen({ host: "hostB", port: first.port }, () => {});
    await expect(again).rejects.toMatchObject({ code: "LISTEN_IN_USE" });
  });
});

describe("a fault of the network", () => {
  it("that blocks one direction holds its bytes until it is over, and not those of the other", async () => {
    const pair = await new Pair().connect();
    pair.network.block("hostA", "hostB");
    pair.network.block("hostA", "hostB");
    pair.dialler.stream.write(numbers(5));
    pair.acceptor.stream.write(numbers(7));
    await pair.world.advance(60_000);
    expect(pair.acceptor.bytes.length).toBe(0);
    expect(pair.dialler.bytes.length).toBe(7);
    pair.network.unblock("hostA", "hostB");
    await pair.world.advance(60_000);
    expect(pair.acceptor.bytes.length).toBe(0);
    pair.network.unblock("hostA", "hostB");
    await pair.world.advance(5000);
    expect(pair.acceptor.bytes.length).toBe(5);
  });

  it("that stalls one side of one connection leaves the others alone", async () => {
    const pair = await new Pair().connect();
    const stalled = pair.connection;
    const { dialler, acceptor } = pair;
    stalled.stall(stalled.dialler, true);
    pair.dial().then((stream) => new End(stream).stream.write(numbers(2)));
    dialler.stream.write(numbers(5));
    acceptor.stream.write(numbers(7));
    await pair.world.advance(60_000);
    expect(acceptor.bytes.length).toBe(0);
    expect(dialler.bytes.length).toBe(7);
    expect(pair.acceptor.bytes.length).toBe(2);
    stalled.stall(stalled.dialler, false);
    await pair.world.advance(50);
    expect(acceptor.bytes.length).toBe(5);
  });

  it("that cuts a connection delivers a part of what was on its way, up to any byte", async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const pair = await new Pair({ cutChance: 0.3 }, `${seed}`).connect();
      for (let i = 0; i < 5; i++) pair.dialler.stream.write(numbers(4, i * 4));
      pair.connection.cut(seed % 2 === 0 ? "reset" : "fin");
      await pair.world.advance(100);
      const { bytes, events } = pair.acceptor;
      expect(bytes).toEqual([...numbers(bytes.length)]);
      lengths.add(bytes.length);
      expect(events).toEqual(seed % 2 === 0 ? ["closed ECONNRESET"] : ["ended"]);
      expect(pair.dialler.events).toEqual(events);
    }
    expect(lengths.size).toBeGreaterThan(12);
  });

  it("that leaves a connection half open is known to one side until the other sends", async () => {
    const pair = await new Pair().connect();
    pair.connection.cut("half-open");
    await pair.world.advance(60_000);
    expect(pair.acceptor.events).toEqual(["closed ECONNRESET"]);
    expect(pair.dialler.events).toEqual([]);
    pair.dialler.stream.write(numbers(1));
    await pair.world.advance(10);
    expect(pair.dialler.events).toEqual(["closed ECONNRESET"]);
    expect(pair.network.connections.size).toBe(0);
  });

  it("that swallows a connection is told to nobody", async () => {
    const pair = await new Pair({ windowBytes: 100 }).connect();
    pair.connection.cut("silent");
    pair.dialler.stream.write(numbers(150));
    await pair.world.advance(600_000);
    expect(pair.dialler.events).toEqual([]);
    expect(pair.acceptor.bytes).toEqual([]);
    expect(pair.dialler.stream.bufferedBytes).toBe(50);
  });
});

describe("a process", () => {
  it("that is paused reads nothing, and all of it when it goes on", async () => {
    const pair = await new Pair({ windowBytes: 100 }).connect();
    pair.b.pause();
    pair.dialler.stream.write(numbers(150));
    await pair.world.advance(1000);
    expect(pair.acceptor.bytes).toEqual([]);
    expect(pair.dialler.stream.bufferedBytes).toBe(50);
    pair.b.resume();
    await pair.world.advance(10);
    expect(pair.acceptor.bytes.length).toBe(150);
  });

  it("that is killed has its connections closed by its system, and its places too", async () => {
    const pair = await new Pair().connect();
    pair.acceptor.stream.write(numbers(5));
    pair.b.kill();
    const outcome = pair.tryDial();
    await pair.world.advance(10);
    expect(pair.dialler.bytes.length).toBe(5);
    expect(pair.dialler.events).toEqual(["ended"]);
    expect(pair.acceptor.events).toEqual([]);
    expect(outcome.said).toBe("DIAL_REFUSED");
    pair.dialler.stream.write(numbers(5));
    await pair.world.advance(10);
    expect(pair.dialler.events).toEqual(["ended", "closed ECONNRESET"]);
  });

  it("whose machine loses its power says nothing, and resets what comes when it is back", async () => {
    const pair = await new Pair().connect();
    pair.dialler.stream.write(numbers(5));
    pair.network.powerDown("hostB");
    pair.b.kill();
    const outcome = pair.tryDial(500);
    await pair.world.advance(60_000);
    expect(pair.dialler.events).toEqual([]);
    expect(outcome.said).toBe("DIAL_TIMEOUT");
    pair.network.powerUp("hostB");
    await pair.world.advance(5000);
    expect(pair.dialler.events).toEqual(["closed ECONNRESET"]);
    const again = pair.tryDial(500);
    await pair.world.advance(600);
    expect(again.said).toBe("DIAL_REFUSED");
  });
});
