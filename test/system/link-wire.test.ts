/** The same link code over TCP and over the simulated network: one script, the same frames on the wire. */
import { describe, expect, it } from "vitest";
import { SILENT } from "../../src/base/logger.ts";
import type { Runtime } from "../../src/base/runtime.ts";
import { FRAME_FIRST_OF, frameHead } from "../../src/link/frame.ts";
import { FrameSplitter } from "../../src/link/frame-splitter.ts";
import { LinkHub } from "../../src/link/hub.ts";
import { LINK_LIMITS } from "../../src/link/limits.ts";
import type { HelloFacts, LinkEvents, LinkSession } from "../../src/link/link.ts";
import { loadCodec } from "../../src/runtime/node/codec.ts";
import { nodeLinkCrypto } from "../../src/runtime/node/link-crypto.ts";
import { nodeRuntime } from "../../src/runtime/node/node-runtime.ts";
import { tcpTransport } from "../../src/runtime/node/tcp-transport.ts";
import { CALM_PATH, Network } from "../../src/sim/network.ts";
import { Random } from "../../src/sim/random.ts";
import { World } from "../../src/sim/world.ts";
import type { ByteStream } from "../../src/transport/stream.ts";
import type { PeerAddress, Transport } from "../../src/transport/transport.ts";

const codec = loadCodec();
/** Neither pings nor time-outs: they come when they come. */
const LIMITS = { pingIntervalMs: 3_600_000, linkTimeoutMs: 3_600_000 };

/** Where two nodes run, and how a test waits for something there. */
interface Stage {
  readonly nodes: readonly { readonly runtime: Runtime; readonly transport: Transport }[];
  readonly address: PeerAddress;
  until(condition: () => boolean): Promise<void>;
}

function tcpStage(): Stage {
  const node = () => ({ runtime: nodeRuntime, transport: tcpTransport() });
  return {
    nodes: [node(), node()],
    address: { host: "127.0.0.1", port: 0 },
    until: async (condition) => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
    },
  };
}

function simulatedStage(): Stage {
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const world = new World({ seed: "wire", settle });
  // Cut at every chance: what is written must not depend on how it arrives.
  const network = new Network(world, { path: () => ({ ...CALM_PATH, cutChance: 0.5 }) });
  const node = (name: string) => {
    const runtime = world.process(name);
    return { runtime, transport: network.transport(runtime, name) };
  };
  return {
    nodes: [node("a"), node("b")],
    address: { host: "b", port: 0 },
    until: async (condition) => {
      if (!(await world.until(condition, 60_000))) throw new Error("it did not happen");
    },
  };
}

/** The same chance and the same clock on every stage; timers and turns are the stage's own. */
function scripted(runtime: Runtime, name: string): Runtime {
  const random = new Random(name);
  return {
    ...{ now: () => 1_800_000_000_000, monotonic: () => 0 },
    randomBytes: (length) => random.bytes(length),
    after: (delayMs, task) => runtime.after(delayMs, task),
    every: (periodMs, task) => runtime.every(periodMs, task),
    endOfTurn: (task) => runtime.endOfTurn(task),
  };
}

/** A transport that keeps what is written to its streams. */
function recording(transport: Transport, written: Uint8Array[]): Transport {
  const record = (stream: ByteStream): ByteStream => {
    const write = stream.write.bind(stream);
    stream.write = (bytes) => {
      written.push(bytes.slice());
      write(bytes);
    };
    return stream;
  };
  return {
    dial: async (address, timeoutMs) => record(await transport.dial(address, timeoutMs)),
    listen: (address, accept) => transport.listen(address, (stream) => accept(record(stream))),
  };
}

class Peer implements LinkEvents {
  readonly written: Uint8Array[] = [];
  readonly hub: LinkHub;
  readonly frames: string[] = [];
  readonly ends: string[] = [];
  readonly #link: number;
  readonly #splitter = new FrameSplitter(LINK_LIMITS.maxFrameBytes);
  session: LinkSession | undefined;

  constructor({ nodes }: Stage, link: number, secret: string | undefined) {
    const { runtime, transport } = nodes[link]!;
    this.#link = link;
    this.hub = new LinkHub({
      runtime: scripted(runtime, `peer ${link}`),
      transport: recording(transport, this.written),
      ...{ codec, crypto: nodeLinkCrypto, log: SILENT, self: link, peers: [], events: this },
      ...(secret === undefined ? {} : { secret }),
      limits: LIMITS,
    });
  }

  facts(): HelloFacts {
    const place = { datacenter: "dc", rack: `rack${this.#link}`, tokens: [`${this.#link}`] };
    return { cluster: "wire", ...place, epoch: "e", now: 1_800_000_000_000, state: { x: 1 } };
  }
  admit(facts: HelloFacts) {
    return { link: Number(facts.tokens[0]) };
  }
  opened(session: LinkSession): void {
    this.session = session;
  }
  received(session: LinkSession, bytes: Uint8Array): void {
    this.#splitter.push(bytes, (frame) => {
      if (frameHead(frame).type < FRAME_FIRST_OF.kernel) session.control(frame);
      else this.frames.push(Array.from(frame).join());
      return session.isOpen;
    });
  }
  closed(_: LinkSession, reason: string): void {
    this.ends.push(reason);
  }
}

function frame(type: number, length: number): Uint8Array {
  const bytes = Uint8Array.from({ length: 8 + length }, (_, i) => (i * 7) % 251);
  new DataView(bytes.buffer).setUint32(0, bytes.length, true);
  bytes[4] = type;
  return bytes;
}

/** What two nodes say to each other: the first dials, both send frames in turns, and one says goodbye. */
async function perform(stage: Stage, secret: string | undefined) {
  const [a, b] = [new Peer(stage, 0, secret), new Peer(stage, 1, secret)];
  const { port } = await b.hub.listen(stage.address);
  a.hub.setPeers([{ link: 1, address: { host: stage.address.host, port } }]);
  a.hub.start();
  await stage.until(() => a.session !== undefined && b.session !== undefined);
  for (const [i, length] of [0, 1, 100, 5000, 100_000].entries()) {
    a.session!.send(frame(0x10 + i, length));
    await stage.until(() => b.frames.length === i + 1);
    b.session!.send(frame(0x20 + i, length * 2));
    await stage.until(() => a.frames.length === i + 1);
  }
  a.session!.close("the script is over");
  await stage.until(() => a.ends.length === 1 && b.ends.length === 1);
  const closing = Promise.all([a.hub.close(), b.hub.close()]);
  let closed = false;
  closing.then(() => {
    closed = true;
  });
  await stage.until(() => closed);
  return [a, b].map(({ written, frames, ends }) => ({
    written: Buffer.concat(written),
    frames,
    ends,
  }));
}

describe("a script over TCP and over the simulated network", () => {
  it.each([
    ["without a secret", undefined],
    ["with a secret", "the secret of this test"],
  ])("writes the same bytes and hears the same frames, %s", async (_, secret) => {
    const real = await perform(tcpStage(), secret);
    const simulated = await perform(simulatedStage(), secret);
    for (const i of [0, 1]) {
      expect(real[i]!.frames).toHaveLength(5);
      expect(simulated[i]!.frames).toEqual(real[i]!.frames);
      expect(simulated[i]!.ends).toEqual(real[i]!.ends);
      expect(simulated[i]!.written.equals(real[i]!.written)).toBe(true);
    }
  });
});
