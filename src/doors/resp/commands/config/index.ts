// CONFIG: the node's settings by Redis's names.

import { container, type SessionCommand } from "../../session-command.ts";
import { get } from "./get.ts";
import { resetstat } from "./resetstat.ts";
import { rewrite } from "./rewrite.ts";
import { set } from "./set.ts";

export const config: SessionCommand = container(
  { name: "config", group: "server", since: "2.0.0", summary: "The node's settings." },
  [get, resetstat, rewrite, set],
);
