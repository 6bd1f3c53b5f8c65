// Certificates for tests, made anew by openssl in a directory that goes with the test. No key is kept anywhere.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** The paths of a certificate and of its key. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A directory for files of this test; it goes when the test ends. */
export function testDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ringlet-tls-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A certificate authority. */
export class Authority {
  readonly #directory: string;
  readonly #name: string;
  readonly #own: Pair;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
    this.#own = this.#paths(name);
    const { cert, key } = this.#own;
    openssl("req", "-x509", ...KEY, key, "-out", cert, "-subj", `/CN=${name}`, "-days", "30");
  }

  /** The file of its own certificate. */
  get file(): string {
    return this.#own.cert;
  }

  /** A certificate for this machine. `days`: how long it is valid; below 0, it has expired. */
  issue(name: string, { days = 30 } = {}): Pair {
    const pair = this.#paths(`${this.#name}-${name}`);
    const request = `${pair.key}.csr`;
    const extensions = `${pair.key}.ext`;
    writeFileSync(extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    openssl("req", ...KEY, pair.key, "-out", request, "-subj", `/CN=${name}`);
    openssl(
      ...["x509", "-req", "-in", request, "-CA", this.#own.cert, "-CAkey", this.#own.key],
      ...["-days", String(days), "-extfile", extensions, "-out", pair.cert],
    );
    return pair;
  }

  #paths(name: string): Pair {
    const path = join(this.#directory, name);
    return { cert: `${path}.pem`, key: `${path}.key` };
  }
}

/** What has openssl make a key without a passphrase, in the file whose path follows. */
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"];

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
