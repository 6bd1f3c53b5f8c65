// The sections of INFO about what a node does not have: files, replicas of Redis's kind, modules, Redis Cluster. Tools read
// them, and find the truth.

import type { Section } from "./section.ts";

export const persistence: Section = {
  title: "Persistence",
  byDefault: true,
  lines: ({ store }) => [
    ["loading", 0],
    ["async_loading", 0],
    // Nothing is ever saved: all changes since the start.
    ["rdb_changes_since_last_save", store.figure("changes")],
    ["rdb_bgsave_in_progress", 0],
    ["rdb_last_bgsave_status", "ok"],
    ["aof_enabled", 0],
    ["aof_rewrite_in_progress", 0],
    ["aof_rewrite_scheduled", 0],
    ["aof_last_bgrewrite_status", "ok"],
    ["aof_last_write_status", "ok"],
  ],
};

export const replication: Section = {
  title: "Replication",
  byDefault: true,
  lines: ({ runId }) => [
    ["role", "master"],
    ["connected_slaves", 0],
    ["master_failover_state", "no-failover"],
    ["master_replid", runId],
    ["master_replid2", "0".repeat(40)],
    ["master_repl_offset", 0],
    ["second_repl_offset", -1],
    ["repl_backlog_active", 0],
    ["repl_backlog_size", 0],
    ["repl_backlog_first_byte_offset", 0],
    ["repl_backlog_histlen", 0],
  ],
};

export const modules: Section = { title: "Modules", byDefault: true, lines: () => [] };

export const cluster: Section = {
  title: "Cluster",
  byDefault: true,
  lines: () => [["cluster_enabled", 0]],
};
