/** AES-128-CBC: the kernel, what the codec chooses on Node.js, node:crypto, WebCrypto and @noble/ciphers. */
import { createCipheriv, createDecipheriv, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { cbc } from "@noble/ciphers/aes.js";
import { createCodec, loadCodec } from "ringlet/codec";
import { type Contender, interleave } from "./interleave.ts";
import type { BenchTable } from "./table.ts";

const SIZES = [64, 1024, 16 * 1024, 1024 * 1024];
const ALGORITHM = "aes-128-cbc";

/** MB/s of plain text. The key is set up anew each time, except for WebCrypto, which imports it once. */
export async function aesBench(): Promise<BenchTable> {
  const key = webcrypto.getRandomValues(new Uint8Array(16));
  const iv = webcrypto.getRandomValues(new Uint8Array(16));
  const names = ["kernel", "codec", "node:crypto", "WebCrypto", "noble"];
  const rows: string[][] = [];
  for (const direction of ["encrypt", "decrypt"] as const) {
    for (const size of SIZES) {
      const contenders = await all(key, iv, filled(size), direction);
      const nanoseconds = await interleave(contenders);
      const rate = (name: string) => ((size / nanoseconds.get(name)!) * 1000).toFixed(0);
      rows.push([`${direction} ${label(size)}`, ...names.map(rate)]);
    }
  }
  return { title: "AES-128-CBC, MB/s", columns: ["", ...names], rows };
}

type Direction = "encrypt" | "decrypt";

async function all(
  key: Uint8Array<ArrayBuffer>,
  iv: Uint8Array<ArrayBuffer>,
  plain: Uint8Array<ArrayBuffer>,
  direction: Direction,
): Promise<Contender[]> {
  const kernel = createCodec(readFileSync(new URL(import.meta.resolve("ringlet/codec.wasm"))));
  const codec = loadCodec();
  const sealed = new Uint8Array(kernel.aesEncrypt(key, iv, plain));
  const webKey = await webcrypto.subtle.importKey("raw", key, "AES-CBC", false, [
    "encrypt",
    "decrypt",
  ]);
  const web = { name: "AES-CBC", iv };
  const ways: Record<string, Record<Direction, () => unknown>> = {
    kernel: {
      encrypt: () => kernel.aesEncrypt(key, iv, plain),
      decrypt: () => kernel.aesDecrypt(key, iv, sealed),
    },
    codec: {
      encrypt: () => codec.aesEncrypt(key, iv, plain),
      decrypt: () => codec.aesDecrypt(key, iv, sealed),
    },
    "node:crypto": {
      encrypt() {
        const cipher = createCipheriv(ALGORITHM, key, iv);
        return [cipher.update(plain), cipher.final()];
      },
      decrypt() {
        const decipher = createDecipheriv(ALGORITHM, key, iv);
        return [decipher.update(sealed), decipher.final()];
      },
    },
    WebCrypto: {
      encrypt: () => webcrypto.subtle.encrypt(web, webKey, plain),
      decrypt: () => webcrypto.subtle.decrypt(web, webKey, sealed),
    },
    noble: {
      encrypt: () => cbc(key, iv).encrypt(plain),
      decrypt: () => cbc(key, iv).decrypt(sealed),
    },
  };
  return Object.entries(ways).map(([name, way]) => {
    const once = way[direction];
    const run =
      name === "WebCrypto"
        ? async (times: number) => {
            for (let n = 0; n < times; n++) await once();
          }
        : (times: number) => {
            for (let n = 0; n < times; n++) once();
          };
    return { name, run };
  });
}

function filled(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => (i * 2654435761) >>> 13);
}

function label(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${size / 1024} KiB` : `${size / 1024 / 1024} MiB`;
}
