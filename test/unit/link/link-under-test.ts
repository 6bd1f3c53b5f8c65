/** Nodes with nothing but links, in a world of their own: what a ring would do with sessions is written down here. */
import type { Logger } from "../../../src/base/logger.ts";
import type { Runtime } from "../../../src/base/runtime.ts";
import type { CapabilityRegistry } from "../../../src/link/capability.ts";
import { FRAME_FIRST_OF, frameHead } from "../../../src/link/frame.ts";
import { FrameSplitter } from "../../../src/link/frame-splitter.ts";
import { LinkHub, type LinkHubOptions } from "../../../src/link/hub.ts";
import type { LinkLimits } from "../../../src/link/limits.ts";
import type { HelloFacts, LinkEvents, LinkSession } from "../../../src/link/link.ts";
import { loadCodec } from "../../../src/runtime/node/codec.ts";
import { nodeLinkCrypto } from "../../../src/runtime/node/link-crypto.ts";
import { MemoryNetwork, TestWorld } from "./memory-network.ts";

export const codec = loadCodec();
export const SECRET = "correct horse battery staple";

export interface TestNodeOptions {
  readonly secret?: string;
  readonly capabilities?: CapabilityRegistry;
  readonly limits?: Partial<LinkLimits>;
  readonly cluster?: string;
  readonly crypto?: LinkHubOptions["crypto"];
  /** How far its wall clock is ahead of that of the world, in ms. */
  readonly skewMs?: number;
}

/** A node whose ring is this class. */
export class TestNode implements LinkEvents {
  readonly hub: LinkHub;
  readonly link: number;
  readonly address: { readonly host: string; readonly port: number };
  /** What it has said as a warning. */
  readonly warnings: string[] = [];
  readonly openedSessions: LinkSession[] = [];
  /** "link reason" of every session that ended. */
  readonly ends: string[] = [];
  /** Frames that came, the link's own left out, by session. */
  readonly frames = new Map<LinkSession, Uint8Array[]>();
  readonly #splitters = new Map<LinkSession, FrameSplitter>();
  readonly #cluster: string;
  readonly #runtime: Runtime;
  state: Record<string, unknown> = {};

  constructor(network: MemoryNetwork, link: number, options: TestNodeOptions = {}) {
    const { cluster = "test", crypto = nodeLinkCrypto, secret, skewMs = 0, ...rest } = options;
    const { world } = network;
    this.link = link;
    this.address = { host: `node${link}`, port: 8101 };
    this.#cluster = cluster;
    this.#runtime = {
      now: () => world.now() + skewMs,
      monotonic: () => world.monotonic(),
      randomBytes: (length) => world.randomBytes(length),
      after: (delayMs, task) => world.after(delayMs, task),
      every: (periodMs, task) => world.every(periodMs, task),
      endOfTurn: (task) => world.endOfTurn(task),
    };
    const warn = (message: string) => {
      this.warnings.push(message);
    };
    const log: Logger = { debug() {}, info() {}, warn, error: warn };
    this.hub = new LinkHub({
      runtime: this.#runtime,
      transport: network.transport(this.address.host),
      codec,
      crypto,
      log,
      self: link,
      peers: [],
      events: this,
      ...(secret === undefined ? {} : { secret }),
      ...rest,
    });
  }

  /** Listens, and keeps sessions with `peers`. */
  async run(...peers: readonly TestNode[]): Promise<void> {
    await this.hub.listen(this.address);
    this.hub.setPeers(peers.map(({ link, address }) => ({ link, address })));
    this.hub.start();
  }

  facts(): HelloFacts {
    return {
      cluster: this.#cluster,
      datacenter: "dc",
      rack: `rack${this.link}`,
      tokens: [String(this.link)],
      epoch: "e",
      now: this.#runtime.now(),
      state: this.state,
    };
  }

  admit({ cluster, tokens }: HelloFacts): { link: number } | { refusal: string } {
    if (cluster !== this.#cluster) {
      return { refusal: `one node is of the cluster ${cluster}, the other of ${this.#cluster}` };
    }
    return { link: Number(tokens[0]) };
  }

  opened(session: LinkSession): void {
    this.openedSessions.push(session);
    this.frames.set(session, []);
    this.#splitters.set(session, new FrameSplitter(this.hub.limits.maxFrameBytes));
  }

  received(session: LinkSession, bytes: Uint8Array): void {
    try {
      this.#splitters.get(session)!.push(bytes, (frame) => {
        if (frameHead(frame).type < FRAME_FIRST_OF.kernel) session.control(frame);
        else this.frames.get(session)!.push(frame.slice());
        return session.isOpen;
      });
    } catch (error) {
      session.reject((error as Error).message);
    }
  }

  closed(session: LinkSession, reason: string): void {
    this.ends.push(`${session.link} ${reason}`);
  }
}

/** A world with a network and nodes 0 … that know one another. */
export async function startNodes(
  options: readonly TestNodeOptions[],
  seed = 1,
): Promise<{ world: TestWorld; network: MemoryNetwork; nodes: TestNode[] }> {
  const world = new TestWorld(seed);
  const network = new MemoryNetwork(world);
  const nodes = options.map((one, link) => new TestNode(network, link, one));
  for (const node of nodes) await node.run(...nodes);
  return { world, network, nodes };
}
