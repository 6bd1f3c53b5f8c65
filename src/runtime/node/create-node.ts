/** `createNode` on Node.js: a node with a RESP door over TCP and, if wanted, an HTTP door for operators. */
import { hostname, release, type } from "node:os";
import { RingletError } from "../../base/errors.ts";
import { type Logger, SILENT } from "../../base/logger.ts";
import type { SettingValues } from "../../base/setting-table.ts";
import { Settings } from "../../base/settings.ts";
import { RINGLET_VERSION } from "../../base/version.ts";
import { type Listen, ServedNode } from "../../doors/served-node.ts";
import { RingletNode } from "../../node/node.ts";
import type { NodeClient } from "../../node/node-client.ts";
import type { ClusterOptions } from "../../ring/cluster-options.ts";
import type { MemberEvent } from "../../ring/peers.ts";
import type { MemberView } from "../../ring/view.ts";
import type { BackendOptions } from "../../store/backend-options.ts";
import type { Listener } from "../../transport/stream.ts";
import { loadCodec } from "./codec.ts";
import { endOfTurn } from "./end-of-turn.ts";
import { listenHttp } from "./http.ts";
import { loadKernel } from "./kernel.ts";
import { nodeLinkCrypto } from "./link-crypto.ts";
import { nodeRuntime } from "./node-runtime.ts";
import { listenTcp } from "./tcp.ts";
import { dialBackend, tcpTransport } from "./tcp-transport.ts";
import { listenTls, tlsTransport } from "./tls.ts";
import { doorTls, peerTls, statsTls } from "./tls-settings.ts";

/** An address to listen on; port 0 takes any that is free. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface CreateNodeOptions extends Partial<SettingValues> {
  /** Where Redis clients connect, or, before a memcached server, memcached clients; 127.0.0.1:8102 by default. */
  readonly listen?: ListenAddress;
  /** Where memcached clients connect; nowhere by default. */
  readonly memcachedListen?: ListenAddress | undefined;
  /** What makes it a member of a cluster; without it the node is alone. */
  readonly cluster?: ClusterOptions | undefined;
  /** The Redis, Valkey or memcached server that keeps the data; without it the node does. */
  readonly backend?: BackendOptions | undefined;
  /** Where /healthz, /metrics and /info are served; nowhere by default. */
  readonly statsListen?: ListenAddress | undefined;
  /** Says what an operator should know; nothing by default. */
  readonly log?: Logger;
  /** Begins to close the node when a client sends SHUTDOWN; without it, clients may not. */
  readonly shutdown?: () => void;
}

/** Where a node listens for Redis clients by default. */
export const DEFAULT_LISTEN: ListenAddress = { host: "127.0.0.1", port: 8102 };

/** A node that runs. Its commands go the way of a client's; errors and options are described at NodeClient. */
export interface Node extends Pick<NodeClient, "get" | "set" | "del" | "execute"> {
  /** Where Redis clients connect, or, before a memcached server, memcached clients. */
  readonly address: ListenAddress;
  /** Where memcached clients connect; undefined where they do not. */
  readonly memcachedAddress: ListenAddress | undefined;
  /** Where the HTTP door is; undefined without one. */
  readonly statsAddress: ListenAddress | undefined;
  /** Where its peers connect; undefined for a node that is alone. */
  readonly peerAddress: ListenAddress | undefined;
  readonly served: ServedNode;
  /**
   * Resolves when the node takes requests: at once when it is alone; a member, when it has reached a majority of its datacenter and
   * copied its ranges. Rejects with the reason of `signal` when that is aborted.
   */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** The members of the cluster as this node sees them; none on a node that is alone. */
  members(): readonly MemberView[];
  /**
   * Calls `listener` when a member comes up or goes down, has to copy its ranges before it answers reads ("fenced"), or has copied
   * them ("caught-up"); this node is one of them. Returns what ends that.
   */
  onMember(listener: (event: MemberEvent) => void): () => void;
  /**
   * Reads the files of its certificates again, for connections from then on. Throws RingletError TLS_… for files that cannot be used;
   * nothing was changed then. Without TLS it does nothing.
   */
  reloadCertificates(): void;
  /**
   * Takes no more clients, answers what has been received, and lets connections go; resolves to how many were left after
   * drainTimeoutMs.
   */
  drain(): Promise<number>;
  /** Closes everything. The data is gone with the node. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a node in this process. Throws SettingError (BAD_SETTING) for a setting that cannot be, RingletError for a cluster that
 * cannot be (see buildTopology()), a backend that cannot (BACKEND_LISTEN, BACKEND_IN_RING) or certificates that cannot (TLS_…, see
 * TlsIdentity), ListenError (LISTEN_…) for an address that cannot be listened on; nothing is left running then.
 *
 * ```ts
 * const node = await createNode({ listen: { host: "127.0.0.1", port: 0 } });
 * try {
 *   await node.set("greeting", "hello");
 *   console.log(new TextDecoder().decode(await node.get("greeting")));
 * } finally {
 *   await node.close();
 * }
 * ```
 */
export async function createNode(options: CreateNodeOptions = {}): Promise<Node> {
  const {
    listen = DEFAULT_LISTEN,
    memcachedListen,
    cluster,
    backend,
    statsListen,
    log = SILENT,
    shutdown,
    ...settings
  } = options;
  if (backend !== undefined) checkBackend(backend, options);
  const isMemcached = backend?.kind === "memcached";
  const codec = loadCodec();
  const wanted = new Settings(settings);
  const clientTls = doorTls(wanted, log);
  const linkTls = cluster === undefined ? undefined : peerTls(wanted, log);
  const transport = linkTls === undefined ? tcpTransport() : tlsTransport(linkTls);
  const listenFor = ({ host, port }: ListenAddress): Listen =>
    clientTls === undefined
      ? (accept) => listenTcp(host, port, accept)
      : (accept, refused) => listenTls({ host, port }, clientTls, { accept, refused });
  const node = new RingletNode({
    runtime: { ...nodeRuntime, endOfTurn: endOfTurn() },
    kernel: loadKernel(),
    log,
    settings,
    cluster:
      cluster === undefined
        ? undefined
        : { options: cluster, transport, crypto: nodeLinkCrypto, codec },
    backend:
      backend === undefined
        ? undefined
        : { options: backend, dial: dialBackend(), codec: loadCodec() },
  });
  const served = new ServedNode({ node, facts: PROCESS_FACTS, shutdown });
  try {
    await node.start();
    const forMemcached = isMemcached ? listen : memcachedListen;
    const redis = isMemcached ? undefined : await served.listen(listenFor(listen));
    const memcached =
      forMemcached && (await served.listenMemcached(listenFor(forMemcached), codec));
    const stats =
      statsListen === undefined
        ? undefined
        : await served.listenStats((handler) =>
            listenHttp(statsListen.host, statsListen.port, handler, statsTls(wanted, clientTls)),
          );
    const client = served.embed(codec);
    const close = async () => {
      await client.close();
      await served.close();
    };
    return {
      get: client.get.bind(client),
      set: client.set.bind(client),
      del: client.del.bind(client),
      execute: client.execute.bind(client),
      ready: ({ signal } = {}) => untilAborted(node.ring?.whenReady() ?? Promise.resolve(), signal),
      members: () => served.ring?.members() ?? [],
      onMember: (listener) => node.ring?.onMembers(listener) ?? (() => {}),
      address: addressOf((redis ?? memcached)!),
      memcachedAddress: memcached === undefined ? undefined : addressOf(memcached),
      statsAddress: stats === undefined ? undefined : addressOf(stats),
      peerAddress: node.ring?.listener === undefined ? undefined : addressOf(node.ring.listener),
      served,
      reloadCertificates: () => {
        // All are read before any is used.
        const uses = [clientTls, linkTls].map((tls) => tls?.identity.reload());
        for (const use of uses) use?.();
      },
      drain: () => served.drain(),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await served.close();
    throw error;
  }
}

function untilAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve).finally(() => signal.removeEventListener("abort", abort));
  });
}

function checkBackend(
  { kind }: BackendOptions,
  { cluster, memcachedListen }: CreateNodeOptions,
): void {
  if (kind === "memcached" && memcachedListen !== undefined) {
    throw new RingletError(
      "BACKEND_LISTEN",
      "before a memcached server, memcached clients connect where the node listens (listen): leave out --memcached-listen",
    );
  }
  const isRing = cluster?.seeds !== undefined && cluster.seeds.length !== 0;
  if (kind === "redis" || !isRing) return;
  throw new RingletError(
    "BACKEND_IN_RING",
    "this version serves a memcached server behind the node only where the node has no other members: let the nodes keep the data (data_store: embedded), or name no seeds",
  );
}

const PROCESS_FACTS = {
  version: RINGLET_VERSION,
  host: hostname(),
  platform: `${type()} ${release()} ${process.arch}`,
  processId: process.pid,
  residentBytes: () => process.memoryUsage.rss(),
  cpuSeconds: () => {
    const { user, system } = process.cpuUsage();
    return { user: user / 1e6, system: system / 1e6 };
  },
};

function addressOf({ host, port }: Listener): ListenAddress {
  return { host, port };
}
