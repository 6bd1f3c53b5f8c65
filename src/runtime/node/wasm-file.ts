/** Reads one of the package's WebAssembly modules from disk: from `dist/`, or from `build/` when run from the sources. */
import { readFileSync } from "node:fs";

export function readModule(name: "codec" | "kernel"): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(new URL(`../../${name}.wasm`, import.meta.url));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return readFileSync(new URL(`../../../build/${name}.wasm`, import.meta.url));
  }
}
