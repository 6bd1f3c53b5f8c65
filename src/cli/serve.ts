// Runs a node until it is told to stop: starts it, says that it is ready, and drains it on SIGINT, SIGTERM or SHUTDOWN; on SIGHUP its
// configuration file is read again.

import { readFileSync } from "node:fs";
import { RingletError } from "../base/errors.ts";
import { formatHostPort, isLoopback } from "../base/host-port.ts";
import { type Logger, SILENT } from "../base/logger.ts";
import { Settings } from "../base/settings.ts";
import { RINGLET_VERSION } from "../base/version.ts";
import { askSeeds } from "../conf/ask-seeds.ts";
import type { ClusterOptions } from "../ring/cluster-options.ts";
import { createNode, type Node } from "../runtime/node/create-node.ts";
import { nodeRuntime } from "../runtime/node/node-runtime.ts";
import { loadPemKey } from "../runtime/node/pem-key.ts";
import { nodeSeedLookup } from "../runtime/node/seed-lookup.ts";
import { doorTls, peerTls, statsTls } from "../runtime/node/tls-settings.ts";
import type { ClusterGiven } from "./cluster-flags.ts";
import { openLog } from "./log.ts";
import { Reload } from "./reload.ts";
import type { ServeOptions } from "./serve-options.ts";
import { StopRequest } from "./stop-request.ts";

/** The node cannot start as asked; the message is one line that says what to do. */
export class CannotServeError extends Error {}

/** Runs a node; resolves to the exit code when it has stopped. Throws CannotServeError when it cannot start. */
export async function serve(options: ServeOptions): Promise<number> {
  const log = openLog(options.logLevel);
  const stop = new StopRequest();
  const reload = options.confFile === undefined ? undefined : new Reload(options.confFile, log);
  const cluster = await Promise.race([
    completeCluster(options.cluster, log),
    stop.requested.then((): typeof STOPPED => STOPPED),
  ]);
  if (cluster === STOPPED) return 0;
  const node = await start(options, cluster, log, stop);
  process.stdout.write(readyLine(node, options));
  if (options.backend?.kind !== "memcached") warnOfOpenDoor(options, log);
  warnOfOpenMemcached(options, log);
  warnOfOpenLinks(options, log);
  reload?.begin(node.served.node.settings);
  reloadCertificates(node, log);

  const reason = await stop.requested;
  log.info("Draining: no more clients are taken, and what has been received is answered.", {
    reason,
    clients: node.served.clientCount,
  });
  const left = await node.drain();
  if (left > 0)
    log.warn("Clients were cut off when the time to drain was over.", { clients: left });
  await node.close();
  log.info("Stopped.");
  return 0;
}

const STOPPED = "stopped";

/** What cannot be as asked (an address, a setting, the cluster, a file) is told in one line; any other error stays what it is. */
function cannotServe(error: unknown): unknown {
  return error instanceof RingletError
    ? new CannotServeError(error.message, { cause: error })
    : error;
}

/** Reads all files of keys and certificates that a node would. Throws CannotServeError. */
export function checkFiles({ cluster, settings }: ServeOptions): void {
  withSecurity(cluster, withSecret(cluster));
  try {
    const all = new Settings(settings);
    statsTls(all, doorTls(all, SILENT));
    if (cluster !== undefined) peerTls(all, SILENT);
  } catch (error) {
    throw cannotServe(error);
  }
}

/** On SIGHUP, the files of certificates are read again. With files that are wrong nothing changes; the log says why. */
function reloadCertificates(node: Node, log: Logger): void {
  const { settings } = node.served.node;
  if (settings.get("tlsCertFile") === "" && settings.get("peerTlsCertFile") === "") return;
  process.on("SIGHUP", () => {
    try {
      node.reloadCertificates();
      log.info("The certificates have been read again; connections from now on use them.");
    } catch (error) {
      if (!(error instanceof RingletError)) throw error;
      log.error("The certificates cannot be used, and those that were read before stay.", {
        reason: error.message,
      });
    }
  });
}

async function start(
  options: ServeOptions,
  cluster: ClusterOptions | undefined,
  log: Logger,
  stop: StopRequest,
): Promise<Node> {
  try {
    return await createNode({
      ...options.settings,
      listen: options.listen,
      memcachedListen: options.memcached,
      statsListen: options.stats,
      cluster,
      backend: options.backend,
      log,
      shutdown: () => stop.request("SHUTDOWN"),
    });
  } catch (error) {
    throw cannotServe(error);
  }
}

/** The options of the cluster, with its secret, and the members that its seed source names. */
async function completeCluster(
  cluster: ClusterGiven | undefined,
  log: Logger,
): Promise<ClusterOptions | undefined> {
  const options = withSecurity(cluster, withSecret(cluster));
  if (options === undefined || cluster?.seedSource === undefined) return options;
  try {
    const asked = await askSeeds(cluster.seedSource, {
      lookup: nodeSeedLookup,
      runtime: nodeRuntime,
      log,
    });
    log.info("The members have been asked for.", { members: asked.length });
    return { ...options, seeds: [...new Set([...(options.seeds ?? []), ...asked])] };
  } catch (error) {
    throw cannotServe(error);
  }
}

/** The options of the cluster, with the key that is in the file for it. */
function withSecurity(
  cluster: ClusterGiven | undefined,
  options: ClusterOptions | undefined,
): ClusterOptions | undefined {
  if (options === undefined || cluster?.security === undefined) return options;
  const { keyFile, ...security } = cluster.security;
  try {
    return { ...options, security: { ...security, key: loadPemKey(keyFile) } };
  } catch (error) {
    throw cannotServe(error);
  }
}

/** The options of the cluster, with the secret that is in its file. */
function withSecret(cluster: ClusterGiven | undefined): ClusterOptions | undefined {
  if (cluster?.secretFile === undefined) return cluster?.options;
  try {
    // An editor ends a file with a line break, which is no part of the secret.
    const secret = readFileSync(cluster.secretFile, "utf8").trim();
    return { ...cluster.options, secret };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CannotServeError(`the secret of the cluster cannot be read: ${reason}`);
  }
}

function readyLine(node: Node, options: ServeOptions): string {
  const { address, memcachedAddress, statsAddress, peerAddress } = node;
  const isMemcached = options.backend?.kind === "memcached";
  const memcached =
    memcachedAddress === undefined || isMemcached
      ? ""
      : `, memcached on ${formatHostPort(memcachedAddress)}`;
  const peers = peerAddress === undefined ? "" : `, peers on ${formatHostPort(peerAddress)}`;
  const scheme = options.settings.statsTls === true ? "https" : "http";
  const stats =
    statsAddress === undefined ? "" : `, stats on ${scheme}://${formatHostPort(statsAddress)}`;
  const host = { "0.0.0.0": "127.0.0.1", "::": "::1" }[address.host] ?? address.host;
  const tls = tlsFlagsOf(options.settings);
  const password = options.settings.password === undefined ? "" : " --askpass";
  const line =
    tls === ""
      ? `nc ${host} ${address.port}`
      : `openssl s_client -quiet -connect ${host}:${address.port}`;
  const attempt = isMemcached
    ? `printf 'version\\r\\nquit\\r\\n' | ${line}`
    : `redis-cli${tls} -h ${host} -p ${address.port}${password} ping`;
  return `ringlet ${RINGLET_VERSION} ready on ${formatHostPort(address)}, ${storeOf(options)}${memcached}${peers}${stats}. Try: ${attempt}\n`;
}

/** What redis-cli needs for a door with TLS. */
function tlsFlagsOf({
  tlsCertFile = "",
  tlsAuthClients = "yes",
}: ServeOptions["settings"]): string {
  if (tlsCertFile === "") return "";
  const own = tlsAuthClients === "yes" ? " --cert <file> --key <file>" : "";
  return ` --tls --cacert <file>${own}`;
}

function storeOf({ backend }: ServeOptions): string {
  if (backend === undefined) return "embedded store";
  const { address, kind } = backend;
  return `${kind} at ${"path" in address ? address.path : formatHostPort(address)} behind it`;
}

function warnOfOpenDoor({ listen, settings }: ServeOptions, log: Logger): void {
  if (isLoopback(listen.host) || settings.password !== undefined) return;
  log.warn(
    settings.protectedMode === false
      ? "Everybody who reaches this address can read and change the data: set --requirepass, or listen on 127.0.0.1."
      : "No password is set, so clients of other machines are refused: set --requirepass to let them in.",
    { listen: formatHostPort(listen) },
  );
}

function warnOfOpenMemcached({ backend, listen, settings, ...options }: ServeOptions, log: Logger) {
  const memcached = backend?.kind === "memcached" ? listen : options.memcached;
  if (memcached === undefined || isLoopback(memcached.host)) return;
  log.warn(
    settings.protectedMode === false
      ? "Everybody who reaches this address can read and change the data: memcached clients send no password. Listen on 127.0.0.1, or where only trusted machines reach it."
      : "Memcached clients of other machines are refused, since they send no password: set --protected-mode no where only trusted machines reach this address.",
    { listen: formatHostPort(memcached) },
  );
}

function warnOfOpenLinks({ cluster, settings }: ServeOptions, log: Logger): void {
  if (cluster === undefined || isLoopback(cluster.options.listen.host)) return;
  if (settings.peerTlsCertFile !== undefined && settings.peerTlsAuthClients !== "no") return;
  if (cluster.options.secret !== undefined || cluster.secretFile !== undefined) return;
  if (cluster.security !== undefined) return;
  log.warn(
    "The links between members are open: everybody who reaches this address can read and change the data. Set --cluster-secret-file, or --peer-tls-cert-file, on all members.",
    { listen: formatHostPort(cluster.options.listen) },
  );
}
