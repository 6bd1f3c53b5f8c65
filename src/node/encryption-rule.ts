/** Nodes that require encryption must be able to encrypt. */
import { SettingError, type Settings } from "../base/settings.ts";
import type { LinkCrypto } from "../link/crypto.ts";

/** Throws SettingError where the setting `requireEncryption` is on and no link of this member of a ring could be encrypted. */
export function requireMeansToEncrypt(
  settings: Settings,
  secret: string | undefined,
  { aes256Gcm }: LinkCrypto,
): void {
  if (!settings.get("requireEncryption") || settings.get("peerTlsCertFile") !== "") return;
  if (secret === undefined || secret === "") {
    throw new SettingError(
      "requireEncryption",
      "links are encrypted with the secret of the cluster, and this node has none: give all members the same one (--cluster-secret-file, or RINGLET_CLUSTER_SECRET), or certificates (--peer-tls-cert-file)",
    );
  }
  if (aes256Gcm === undefined) {
    throw new SettingError(
      "requireEncryption",
      "this runtime has no AES-256-GCM that links could use: run the node on Node.js, or leave the setting out",
    );
  }
}
