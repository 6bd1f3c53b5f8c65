// A replica that stands still for a minute under load. (The system tests pause one for seconds.)
import { describe, test } from "vitest";
import { pauseReplica } from "../system/cluster/paused-replica.ts";

const MINUTE_MS = 60_000;

describe("a replica that is paused for a minute costs bounded memory, slows nobody, and is equal again", () => {
  test("when its link times out", (context) => pauseReplica(context, MINUTE_MS));

  test("when it is not cut off, but sent nothing more", (context) =>
    pauseReplica(context, MINUTE_MS, {
      flags: ["--link-timeout-ms", String(10 * MINUTE_MS)],
      says: "they would reach it too late",
    }));
});
