/** `kernel.wasm` on Node.js. */
import { instantiateSync } from "@assemblyscript/loader";
import type { KernelExports } from "../../store/kernel.ts";
import { readModule } from "./wasm-file.ts";

/** A kernel of its own: one store takes it. */
export function loadKernel(): KernelExports {
  return instantiateSync(readModule("kernel")).instance.exports as unknown as KernelExports;
}
