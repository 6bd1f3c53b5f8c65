/** What the kernel must know of the ring: this node's number, its limits, and the tables that it routes by. */
import type { Settings } from "../base/settings.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import type { Peers } from "./peers.ts";
import type { Placement } from "./placement.ts";
import { writeRingTables } from "./tables.ts";

/** Before the first command: number and limits; the tables are written by writeTables(). */
export function setUpKernel(store: EmbeddedStore, settings: Settings, placement: Placement): void {
  const { kernel } = store;
  kernel.setNodeIndex(placement.topology.self.index);
  setKernelLimits(store, settings);
  kernel.ringSetMaxFrame(settings.get("maxFrameBytes"));
  settings.onChange("requestTimeoutMs", () => setKernelLimits(store, settings));
}

function setKernelLimits({ kernel }: EmbeddedStore, settings: Settings): void {
  kernel.ringSetLimits(
    settings.get("requestTimeoutMs"),
    settings.get("maxStampAheadMs"),
    settings.get("maxPendingRequests"),
    settings.get("maxLinkPendingRequests"),
  );
}

/** Writes the tables of a placement, with a node of each other datacenter that is up. Throws OutOfMemory. */
export function writeTables(store: EmbeddedStore, placement: Placement, peers: Peers): void {
  const { kernel, memory } = store;
  const tables = writeRingTables(placement, (member) => peers.isUp(member));
  const address = kernel.ringReserve(tables.length) >>> 0;
  if (address === 0) throw store.outOfMemory();
  memory.bytes.set(tables, address);
  kernel.ringInstall(address);
}
