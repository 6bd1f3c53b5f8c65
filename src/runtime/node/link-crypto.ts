/** The cryptography of links on Node.js: node:crypto. */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from "node:crypto";
import { type AeadCipher, type LinkCrypto, TAG_BYTES } from "../../link/crypto.ts";

const ALGORITHM = "aes-256-gcm";

export const nodeLinkCrypto: LinkCrypto = {
  hmacSha256: (key, data) => new Uint8Array(createHmac("sha256", key).update(data).digest()),
  aes256Gcm,
};

function aes256Gcm(bytes: Uint8Array): AeadCipher {
  const key = createSecretKey(bytes);
  const options = { authTagLength: TAG_BYTES };
  return {
    seal(nonce, header, plain, out) {
      const cipher = createCipheriv(ALGORITHM, key, nonce, options);
      cipher.setAAD(header);
      out.set(cipher.update(plain));
      cipher.final();
      out.set(cipher.getAuthTag(), plain.length);
    },
    open(nonce, header, sealed, out) {
      const length = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv(ALGORITHM, key, nonce, options);
      decipher.setAAD(header);
      decipher.setAuthTag(sealed.subarray(length));
      const plain = decipher.update(sealed.subarray(0, length));
      try {
        decipher.final();
      } catch {
        return false;
      }
      out.set(plain);
      return true;
    },
  };
}
