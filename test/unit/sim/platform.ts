/** What Node.js lends to simulations in tests. */
import { loadCodec } from "../../../src/runtime/node/codec.ts";
import { nodeLinkCrypto } from "../../../src/runtime/node/link-crypto.ts";
import type { SimPlatform } from "../../../src/sim/cluster.ts";
import type { KernelExports } from "../../../src/store/kernel.ts";
import { openKernel } from "../store/store-under-test.ts";

/** A platform whose kernels are used again. */
export function platformUnderTest(): SimPlatform {
  const kernels: KernelExports[] = [];
  return {
    takeKernel: () => kernels.pop() ?? openKernel(),
    releaseKernel: (kernel) => {
      kernels.push(kernel);
    },
    codec: loadCodec(),
    crypto: nodeLinkCrypto,
  };
}
