/** The embedded store over build/kernel.wasm, with a fixed secret, as the tests of src/store/ use it. */
import { instantiateSync } from "@assemblyscript/loader";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { EmbeddedStore, type EmbeddedStoreOptions } from "../../../src/store/embedded-store.ts";
import type { KernelExports } from "../../../src/store/kernel.ts";

/** The time that a store under test begins with, in ms since the epoch. */
export const START_MS = 1_700_000_000_000;

/** The secret of the table's hash in tests: bytes 0 to 15. */
export const SECRET = Uint8Array.from({ length: 16 }, (_, index) => index);

let module: WebAssembly.Module | undefined;

/** The exports of a new instance of kernel.wasm. */
export function openKernel(): KernelExports {
  module ??= new WebAssembly.Module(readModule("kernel"));
  return instantiateSync(module).instance.exports as unknown as KernelExports;
}

/** An empty store in `kernel`, by default in an instance of its own. */
export function openStore(
  options: EmbeddedStoreOptions = {},
  kernel: KernelExports = openKernel(),
): EmbeddedStore {
  const store = new EmbeddedStore(kernel, SECRET, options);
  store.setNow(START_MS);
  return store;
}
