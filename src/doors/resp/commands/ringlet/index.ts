// RINGLET: the ring, and this connection in it.

import { container, type SessionCommand } from "../../session-command.ts";
import { consistency } from "./consistency.ts";
import { digest } from "./digest.ts";
import { ring } from "./ring.ts";
import { status } from "./status.ts";

export const ringletCommand: SessionCommand = container(
  {
    name: "ringlet",
    group: "server",
    since: "1.0.0",
    summary: "Tells about the ring, and sets the consistency levels of this connection.",
  },
  [consistency, digest, ring, status],
);
