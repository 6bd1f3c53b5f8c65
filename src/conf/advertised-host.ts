// The name by which a node tells the others to reach it, from the environment variables of the C engine.

import type { Variable } from "./seed-source.ts";

const NAMES = ["PUBLIC_HOSTNAME", "PUBLIC_IPV4", "LOCAL_IPV4"] as const;

/** A host and the variable that it is from. */
export interface AdvertisedHost {
  readonly variable: string;
  readonly host: string;
}

/**
 * The host that the environment names: of PUBLIC_HOSTNAME, PUBLIC_IPV4 and LOCAL_IPV4 the first that is set; where the key `env` begins
 * with aws, as it does by default, EC2_PUBLIC_HOSTNAME and so on come before these. Undefined: none is set.
 */
export function advertisedHost(env: string, variable: Variable): AdvertisedHost | undefined {
  const names = env.startsWith("aws") ? [...NAMES.map((name) => `EC2_${name}`), ...NAMES] : NAMES;
  for (const name of names) {
    const host = variable(name);
    if (host !== undefined) return { variable: name, host };
  }
  return undefined;
}
