// A replica that stands still for a minute under load. (The system tests pause one for seconds.)
import { test } from "vitest";
import { pauseReplica } from "../system/cluster/paused-replica.ts";

test("a replica that is paused for a minute costs bounded memory, slows nobody, and is equal again", (context) =>
  pauseReplica(context, 60_000));
