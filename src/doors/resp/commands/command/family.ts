// What the subcommands of COMMAND share.

export const COMMAND = { group: "server", flags: ["loading", "stale"] } as const;
