// What the subcommands of CLIENT share.

export const CLIENT = {
  group: "connection",
  flags: ["noscript", "loading", "stale"],
} as const;

export const CLIENT_ADMIN = {
  group: "connection",
  flags: ["admin", "noscript", "loading", "stale"],
} as const;
