/** Asking for the members of a cluster over HTTP and DNS, on Node.js. */
import { lookup, Resolver } from "node:dns/promises";
import { get } from "node:http";
import { isIP } from "node:net";
import { formatHostPort, type HostPort } from "../../base/host-port.ts";
import type { SeedLookup } from "../../conf/ask-seeds.ts";

/** How long one question may take. */
const TIMEOUT_MS = 5000;
/** Longest answer over HTTP, in characters: 1023 members, some with many tokens. */
const MAX_BODY_LENGTH = 16 * 1024 * 1024;

export const nodeSeedLookup: SeedLookup = {
  http: ({ server, path }) => getText(server, path),
  dns: async ({ name, server }) => {
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
    if (server !== undefined) resolver.setServers([await addressOf(server)]);
    // A record over 255 bytes comes in parts.
    return (await resolver.resolveTxt(name)).map((parts) => parts.join(""));
  },
};

/** A DNS server is set by its address, so a name is looked up the way of the system. */
async function addressOf(server: HostPort): Promise<string> {
  if (isIP(server.host) !== 0) return formatHostPort(server);
  return formatHostPort({ host: (await lookup(server.host)).address, port: server.port });
}

function getText({ host, port }: HostPort, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const giveUp = (reason: string) => {
      reject(new Error(reason));
      request.destroy();
    };
    const request = get({ host, port, path, agent: false }, (response) => {
      if (response.statusCode !== 200) giveUp(`the answer has status ${response.statusCode}`);
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
        if (body.length > MAX_BODY_LENGTH) giveUp("the answer is too long");
      });
      response.on("end", () => resolve(body));
      response.on("error", reject);
    });
    const timer = setTimeout(() => giveUp(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
    request.on("error", reject);
    request.on("close", () => clearTimeout(timer));
  });
}
