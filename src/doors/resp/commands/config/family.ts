// What the subcommands of CONFIG share.

import { fixedParameter, PARAMETERS, type Parameter } from "../../config-parameters.ts";
import type { CommandHost } from "../../session-command.ts";

export const CONFIG = {
  group: "server",
  flags: ["admin", "noscript", "loading", "stale"],
} as const;

/** A parameter by its name in lower case. */
export function findParameter(host: CommandHost, name: string): Parameter | undefined {
  return name === "port" ? portOf(host) : PARAMETERS.get(name);
}

/** All parameters by name. */
export function allParameters(host: CommandHost): [string, Parameter][] {
  return [...PARAMETERS, ["port", portOf(host)]];
}

function portOf(host: CommandHost): Parameter {
  const port = String(host.facts.port());
  return fixedParameter("port", port, "a node listens where it was told when it was started");
}
