// INFO server: which program this is, since when it runs, where it listens.

import { REDIS_VERSION } from "../../versions.ts";
import type { Section } from "./section.ts";

export const server: Section = {
  title: "Server",
  byDefault: true,
  lines(host) {
    const { facts, runtime } = host;
    const uptime = Math.floor((runtime.monotonic() - host.startedAt) / 1000);
    return [
      // Clients look at this before they use a command.
      ["redis_version", REDIS_VERSION],
      ["ringlet_version", facts.version],
      ["redis_git_sha1", "00000000"],
      ["redis_git_dirty", 0],
      ["redis_mode", "standalone"],
      ["os", facts.platform],
      // Of the addresses of the data.
      ["arch_bits", 32],
      ["process_id", facts.processId],
      ["run_id", host.runId],
      ["tcp_port", facts.port()],
      ["server_time_usec", Math.floor(runtime.now() * 1000)],
      ["uptime_in_seconds", uptime],
      ["uptime_in_days", Math.floor(uptime / 86_400)],
      ["hz", 10],
      ["configured_hz", 10],
      ["lru_clock", Math.floor(runtime.now() / 1000) & 0xffffff],
      ["config_file", ""],
      ["io_threads_active", 0],
    ];
  },
};
