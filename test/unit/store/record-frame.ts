/** Records of small objects and of strings as frames. */
import { recordFrames } from "../../../src/store/apply.ts";
import type { EmbeddedStore } from "../../../src/store/embedded-store.ts";

/** The WRITE frame of all that is known of a key, a tombstone too; undefined for nothing. */
export function recordFrame(
  store: EmbeddedStore,
  database: number,
  key: Uint8Array,
): Uint8Array | undefined {
  const [frame, ...more] = recordFrames(store, database, key);
  if (more.length !== 0) throw new Error("the record takes several frames");
  return frame;
}
