// Runs a node until it is told to stop: starts it, says that it is ready, and drains it on SIGINT, SIGTERM or SHUTDOWN.

import { formatHostPort, isLoopback } from "../base/host-port.ts";
import type { Logger } from "../base/logger.ts";
import { SettingError } from "../base/settings.ts";
import { RINGLET_VERSION } from "../base/version.ts";
import { createNode, type Node } from "../runtime/node/create-node.ts";
import { ListenError } from "../runtime/node/tcp.ts";
import { openLog } from "./log.ts";
import type { ServeOptions } from "./options.ts";
import { StopRequest } from "./stop-request.ts";

/** The node cannot start as asked; the message is one line that says what to do. */
export class CannotServeError extends Error {}

/** Runs a node; resolves to the exit code when it has stopped. Throws CannotServeError when it cannot start. */
export async function serve(options: ServeOptions): Promise<number> {
  const log = openLog(options.logLevel);
  const stop = new StopRequest();
  const node = await start(options, log, stop);
  process.stdout.write(readyLine(node, options));
  warnOfOpenDoor(options, log);

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

async function start(options: ServeOptions, log: Logger, stop: StopRequest): Promise<Node> {
  try {
    return await createNode({
      ...options.settings,
      listen: options.listen,
      statsListen: options.stats,
      log,
      shutdown: () => stop.request("SHUTDOWN"),
    });
  } catch (error) {
    if (error instanceof ListenError || error instanceof SettingError) {
      throw new CannotServeError(error.message, { cause: error });
    }
    throw error;
  }
}

function readyLine(node: Node, options: ServeOptions): string {
  const { address, statsAddress } = node;
  const stats =
    statsAddress === undefined ? "" : `, stats on http://${formatHostPort(statsAddress)}`;
  const host = { "0.0.0.0": "127.0.0.1", "::": "::1" }[address.host] ?? address.host;
  const password = options.settings.password === undefined ? "" : " --askpass";
  return `ringlet ${RINGLET_VERSION} ready on ${formatHostPort(address)}, embedded store${stats}. Try: redis-cli -h ${host} -p ${address.port}${password} ping\n`;
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
