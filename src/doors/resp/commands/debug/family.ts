// What the subcommands of DEBUG share.

export const DEBUG = {
  group: "server",
  flags: ["admin", "noscript", "loading", "stale"],
} as const;
