// Where a node asks at its start who the other members are, besides those that the configuration names: the seed providers of the
// C engine, with its environment variables.

import { RingletError } from "../base/errors.ts";
import { type HostPort, parseHostPort } from "../base/host-port.ts";
import { shown } from "../ring/seed.ts";

/** `simple_provider`: nobody is asked. */
export const SEED_PROVIDERS = ["simple_provider", "florida_provider", "dns_provider"] as const;

export type SeedProvider = (typeof SEED_PROVIDERS)[number];

/** Who is asked for the members. */
export type SeedSource =
  | { readonly kind: "http"; readonly server: HostPort; readonly path: string }
  | {
      readonly kind: "dns";
      /** Its TXT records hold the members. */
      readonly name: string;
      /** The DNS server; undefined: that of the system. */
      readonly server: HostPort | undefined;
    };

/** The value of an environment variable; undefined where it is not set, or empty. */
export type Variable = (name: string) => string | undefined;

const FLORIDA_IP = "127.0.0.1";
const FLORIDA_PORT = 8080;
const FLORIDA_PATH = "/REST/v1/admin/get_seeds";
const DNS_NAME = "_dynomite.ec2-internal";

/**
 * Who a provider asks: florida_provider the HTTP server of DYNOMITE_FLORIDA_IP, _PORT and _REQUEST, dns_provider the TXT records of
 * DYNOMITE_DNS_NAME; undefined: nobody. Throws RingletError BAD_SEED_SOURCE for a variable that cannot be.
 */
export function seedSourceOf(
  provider: SeedProvider,
  variable: Variable,
  dnsServer: HostPort | undefined,
): SeedSource | undefined {
  switch (provider) {
    case "simple_provider":
      return undefined;
    case "florida_provider":
      return {
        kind: "http",
        server: floridaServer(variable),
        path: floridaPath(variable("DYNOMITE_FLORIDA_REQUEST")),
      };
    case "dns_provider":
      refuseAddresses(variable("DYNOMITE_DNS_TYPE"));
      return { kind: "dns", name: variable("DYNOMITE_DNS_NAME") ?? DNS_NAME, server: dnsServer };
  }
}

function floridaServer(variable: Variable): HostPort {
  const host = variable("DYNOMITE_FLORIDA_IP") ?? FLORIDA_IP;
  const port = variable("DYNOMITE_FLORIDA_PORT") ?? String(FLORIDA_PORT);
  const bracketed = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const server = parseHostPort(`${bracketed}:${port}`);
  if (server !== undefined && server.port > 0) return server;
  throw new RingletError(
    "BAD_SEED_SOURCE",
    `DYNOMITE_FLORIDA_IP and DYNOMITE_FLORIDA_PORT cannot be ${shown(host)} and ${shown(port)}: give an address and a port, as in 127.0.0.1 and 8080`,
  );
}

/** The path of a request as the C engine has it, head of HTTP and all; a path alone will do. */
function floridaPath(request: string | undefined): string {
  if (request === undefined) return FLORIDA_PATH;
  const path = /^(?:GET +)?(\/[\x21-\x7e]*)(?:[ \r\n\\]|$)/.exec(request)?.[1];
  if (path !== undefined) return path;
  throw new RingletError(
    "BAD_SEED_SOURCE",
    `DYNOMITE_FLORIDA_REQUEST cannot be ${shown(request)}: give a path, as in ${FLORIDA_PATH}, or a whole request that begins with GET and the path`,
  );
}

/** An address record has no rack, datacenter and tokens. The C engine asks for them, and discards every answer. */
function refuseAddresses(type: string | undefined): void {
  if (type === undefined || type.toUpperCase() === "TXT") return;
  throw new RingletError(
    "BAD_SEED_SOURCE",
    type.toUpperCase() === "A"
      ? "DYNOMITE_DNS_TYPE cannot be A: an address record says nothing of rack, datacenter and tokens (the C engine discards it); write host:port:rack:datacenter:tokens into a TXT record, and leave the variable out"
      : `DYNOMITE_DNS_TYPE cannot be ${shown(type)}: give TXT`,
  );
}
