/** TLS as the settings of a node ask for it: at the doors of clients, and between members. */
import type { Logger } from "../../base/logger.ts";
import { SettingError, type Settings } from "../../base/settings.ts";
import type { TlsOptions } from "./tls.ts";
import { TlsIdentity } from "./tls-identity.ts";

/** The settings of one of the two. */
interface Names {
  readonly flags: string;
  readonly cert: "tlsCertFile" | "peerTlsCertFile";
  readonly key: "tlsKeyFile" | "peerTlsKeyFile";
  readonly ca: "tlsCaFile" | "peerTlsCaFile";
  readonly authentication: "tlsAuthClients" | "peerTlsAuthClients";
}

const DOORS: Names = {
  flags: "--tls",
  cert: "tlsCertFile",
  key: "tlsKeyFile",
  ca: "tlsCaFile",
  authentication: "tlsAuthClients",
};

const PEERS: Names = {
  flags: "--peer-tls",
  cert: "peerTlsCertFile",
  key: "peerTlsKeyFile",
  ca: "peerTlsCaFile",
  authentication: "peerTlsAuthClients",
};

/** TLS at the doors of clients; undefined: they have none. Throws SettingError, and RingletError TLS_… as TlsIdentity does. */
export function doorTls(settings: Settings, log: Logger): TlsOptions | undefined {
  const tls = read(DOORS, settings, log);
  if (tls !== undefined && tls.authentication !== "no") requireCa(DOORS, settings);
  return tls;
}

/** TLS at the HTTP door, which is that of the other doors. Throws SettingError where it is asked for and they have none. */
export function statsTls(
  settings: Settings,
  doors: TlsOptions | undefined,
): TlsOptions | undefined {
  if (!settings.get("statsTls")) return undefined;
  if (doors !== undefined) return doors;
  throw new SettingError("statsTls", "HTTPS needs a certificate: give --tls-cert-file too");
}

/** TLS between members; undefined: they have none. Throws as doorTls() does. */
export function peerTls(settings: Settings, log: Logger): TlsOptions | undefined {
  const tls = read(PEERS, settings, log);
  // Those that this node dials show a certificate, whether it asks those that dial it for one or not.
  if (tls !== undefined) requireCa(PEERS, settings);
  return tls;
}

function read(
  { flags, cert, key, ca, authentication }: Names,
  settings: Settings,
  log: Logger,
): TlsOptions | undefined {
  const [certFile, keyFile, caFile] = [settings.get(cert), settings.get(key), settings.get(ca)];
  if (certFile === "" && keyFile === "" && caFile === "") return undefined;
  return {
    identity: new TlsIdentity({ flags, certFile, keyFile, caFile }, log),
    authentication: settings.get(authentication),
    handshakeTimeoutMs: settings.get("handshakeTimeoutMs"),
  };
}

/** Throws SettingError where certificates are asked for that nothing can be compared with. */
function requireCa({ flags, ca }: Names, settings: Settings): void {
  if (settings.get(ca) !== "") return;
  const orNot = flags === "--tls" ? `, or ${flags}-auth-clients no` : "";
  throw new SettingError(
    ca,
    `certificates are asked for, and nothing says whose are trusted: give ${flags}-ca-cert-file${orNot}`,
  );
}
