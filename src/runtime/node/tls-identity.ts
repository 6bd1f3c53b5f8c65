/** What a node shows of itself in TLS, and whom it trusts: certificate, key and CAs from files, which can be read again. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { RingletError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";

/** Oldest version of TLS that is spoken. */
export const MIN_TLS_VERSION = "TLSv1.2";

export interface TlsFiles {
  /** What the flags with these files begin with: `--tls` or `--peer-tls`. */
  readonly flags: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Empty: nobody's certificate is asked for. */
  readonly caFile: string;
}

/** What is read from the files, whole and checked. */
interface Loaded {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

export class TlsIdentity {
  readonly #files: TlsFiles;
  readonly #log: Logger;
  readonly #listeners = new Set<(options: SecureContextOptions) => void>();
  #loaded: Loaded;

  /** Reads the files. Throws RingletError TLS_FILE_MISSING, TLS_FILE_UNREADABLE, TLS_BAD_CERT, TLS_BAD_KEY, TLS_KEY_MISMATCH or TLS_BAD_CA. */
  constructor(files: TlsFiles, log: Logger) {
    this.#files = files;
    this.#log = log;
    this.#loaded = this.#load();
  }

  /** For connections that are made from now on. */
  get context(): SecureContext {
    return this.#loaded.context;
  }

  get options(): SecureContextOptions {
    return this.#loaded.options;
  }

  /** What the flags with the files begin with. */
  get flags(): string {
    return this.#files.flags;
  }

  /** Reads the files again and returns what puts them in use; connections that are open stay as they are. Throws as the constructor. */
  reload(): () => void {
    const loaded = this.#load();
    return () => {
      this.#loaded = loaded;
      for (const listener of this.#listeners) listener(loaded.options);
    };
  }

  /** Calls `listener` when other files are in use; returns what ends that. */
  onReload(listener: (options: SecureContextOptions) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #load(): Loaded {
    const { certFile, keyFile, caFile, flags } = this.#files;
    const cert = this.#read("cert-file", certFile);
    const key = this.#read("key-file", keyFile);
    const [certificate] = this.#certificates("TLS_BAD_CERT", "cert-file", certFile, cert);
    if (!certificate!.checkPrivateKey(this.#privateKey(key))) {
      throw new RingletError(
        "TLS_KEY_MISMATCH",
        `the key in ${keyFile} is not that of the certificate in ${certFile}: give ${flags}-cert-file and ${flags}-key-file files that belong together`,
      );
    }
    const ca = caFile === "" ? undefined : this.#read("ca-cert-file", caFile);
    if (ca !== undefined) this.#certificates("TLS_BAD_CA", "ca-cert-file", caFile, ca);
    this.#warnOfTime(certificate!);
    const options: SecureContextOptions = {
      cert,
      key,
      // Without it, the CAs of the web would be trusted.
      ca: ca ?? [],
      minVersion: MIN_TLS_VERSION,
    };
    try {
      return { options, context: createSecureContext(options) };
    } catch (error) {
      throw new RingletError(
        "TLS_BAD_CERT",
        `the certificate in ${certFile} cannot be used: ${messageOf(error)}; give ${flags}-cert-file another`,
        { cause: error },
      );
    }
  }

  #read(name: string, path: string): string {
    const { flags } = this.#files;
    if (path === "") {
      throw new RingletError(
        "TLS_FILE_MISSING",
        `TLS needs a certificate and its key: give ${flags}-${name} too`,
      );
    }
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new RingletError(
        "TLS_FILE_UNREADABLE",
        `${flags}-${name}: the file cannot be read: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  /** The certificates of a file, at least one. */
  #certificates(code: string, name: string, path: string, text: string): X509Certificate[] {
    const parts = text.match(PEM_CERTIFICATE) ?? [];
    try {
      if (parts.length === 0) throw new Error("there is no certificate in it");
      return parts.map((part) => new X509Certificate(part));
    } catch (error) {
      throw new RingletError(
        code,
        `${this.#files.flags}-${name}: ${path} cannot be used: ${messageOf(error)}; give a file with certificates in PEM form`,
        { cause: error },
      );
    }
  }

  #privateKey(text: string): KeyObject {
    const { flags, keyFile } = this.#files;
    try {
      return createPrivateKey(text);
    } catch (error) {
      throw new RingletError(
        "TLS_BAD_KEY",
        `${flags}-key-file: ${keyFile} cannot be used: ${messageOf(error)}; give a private key in PEM form without a passphrase`,
        { cause: error },
      );
    }
  }

  /** A node whose certificate is not valid now still serves those who do not look. */
  #warnOfTime({ validFrom, validTo }: X509Certificate): void {
    const now = Date.now();
    if (now >= Date.parse(validFrom) && now <= Date.parse(validTo)) return;
    this.#log.warn(
      "The certificate of this node is not valid at this time, so whoever looks at it refuses the node: renew it, or set the clock.",
      { file: this.#files.certFile, from: validFrom, to: validTo },
    );
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
