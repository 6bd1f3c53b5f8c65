/** Whether the certificate that the other side of a TLS connection has shown is trusted, and what went wrong in TLS, in words. */
import type { TLSSocket } from "node:tls";

/** Whether the other side must show a certificate; "optional": it may, and one that is shown must be right. */
export type Authentication = "yes" | "no" | "optional";

/** Why the other side is not trusted, as the end of a sentence; undefined: it is. `flags`: those of the CA that it is held to. */
export function distrustOf(
  socket: TLSSocket,
  authentication: Authentication,
  flags: string,
): string | undefined {
  if (authentication === "no" || socket.authorized) return undefined;
  if (Object.keys(socket.getPeerCertificate()).length === 0) {
    return authentication === "optional" ? undefined : "it has shown no certificate";
  }
  const code = String(socket.authorizationError);
  return `its certificate ${TRUST_WORDS[code] ?? `is not from a CA in ${flags}-ca-cert-file`} (${code})`;
}

const TRUST_WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "has expired",
  CERT_NOT_YET_VALID: "is not valid yet",
  CERT_REVOKED: "has been revoked",
  CERT_SIGNATURE_FAILURE: "has a wrong signature",
  INVALID_PURPOSE: "is not meant for this (extended key usage)",
};

/**
 * Why TLS was not agreed on, as the end of a sentence that begins with the other side; undefined: it only closed the connection, as
 * those do who look whether somebody listens.
 */
export function tlsFailure(
  error: Error & { readonly code?: string | undefined },
): string | undefined {
  const { code = "", message } = error;
  if (code === "ECONNRESET" || code === "EPIPE") return undefined;
  if (NO_TLS.some((name) => code === name)) return "it does not speak TLS";
  const alert = /alert (.+?)(?:$|:)/.exec(message.replaceAll("\n", ""))?.[1];
  if (alert !== undefined) return `it does not take this node's certificate or TLS (${alert})`;
  return `TLS could not be agreed on (${code || message})`;
}

/** What OpenSSL says of bytes that are no TLS. */
const NO_TLS = [
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_HTTPS_PROXY_REQUEST",
  "ERR_SSL_UNKNOWN_PROTOCOL",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_BAD_RECORD_TYPE",
  "ERR_SSL_RECORD_LAYER_FAILURE",
];
