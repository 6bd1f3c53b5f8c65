// INFO: sections, and figures that are true.
import { describe, expect, it } from "vitest";
import { TestNode } from "./node-under-test.ts";

/** The fields of all sections in a reply of INFO. */
function fields(text: unknown): Record<string, string> {
  const lines = String(text).split("\r\n");
  return Object.fromEntries(
    lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1)];
      }),
  );
}

describe("INFO", () => {
  it("has Redis's shape, and the sections that were asked for", () => {
    const client = new TestNode().connect();
    const titles = (...words: string[]) =>
      [...String(client.run("INFO", ...words)).matchAll(/^# (.*)\r$/gm)].map(([, title]) => title);
    expect(titles()).toEqual([
      "Server",
      "Clients",
      "Memory",
      "Persistence",
      "Stats",
      "Replication",
      "CPU",
      "Modules",
      "Errorstats",
      "Cluster",
      "Keyspace",
      "Ring",
      "Backend",
      "Ringlet",
    ]);
    expect(titles("everything")).toContain("Commandstats");
    expect(titles("all")).toContain("Commandstats");
    expect(titles("KEYSPACE", "server", "server")).toEqual(["Server", "Keyspace"]);
    expect(titles("default", "commandstats")).toHaveLength(15);
    expect(client.run("INFO", "nothing")).toBe("");
    client.run("SET", "a", 1);
    expect(client.run("INFO", "keyspace")).toBe("# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n");
    expect(client.run("INFO", "cluster", "keyspace")).toBe(
      "# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n",
    );
    client.raw("HELLO", 3);
    expect(client.raw("INFO", "cluster")).toBe("=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n");
  });

  it("tells what the node is", async () => {
    const node = new TestNode();
    const client = node.connect();
    await node.runtime.advance(90_061_000);
    expect(fields(client.run("INFO", "server", "replication", "cpu", "persistence"))).toMatchObject(
      {
        redis_version: "7.2.4",
        ringlet_version: "0.0.0-test",
        redis_mode: "standalone",
        process_id: "1",
        run_id: "07".repeat(20),
        tcp_port: "8102",
        uptime_in_seconds: "90061",
        uptime_in_days: "1",
        role: "master",
        connected_slaves: "0",
        used_cpu_user: "1.500000",
        used_cpu_sys: "0.250000",
        loading: "0",
        aof_enabled: "0",
      },
    );
  });

  it("counts what clients did", () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("SET", "a", "value");
    client.run("GET", "a");
    client.run("GET", "missing");
    client.run("HGET", "missing", "f");
    client.run("foo");
    client.run("SET", "b", 1, "PX", 1);
    const stats = fields(client.run("INFO", "stats", "ringlet", "clients", "keyspace"));
    expect(stats).toMatchObject({
      connected_clients: "1",
      maxclients: "10000",
      total_connections_received: "1",
      // Five that ran and INFO itself; "foo" did not.
      total_commands_processed: "6",
      keyspace_hits: "1",
      keyspace_misses: "2",
      total_error_replies: "1",
      kernel_commands: "4",
      host_commands: "2",
      host_commands_percent: "33.33",
      db0: "keys=2,expires=1,avg_ttl=0",
    });
    expect(Number(stats.total_net_input_bytes)).toBeGreaterThan(100);
    expect(Number(stats.total_net_output_bytes)).toBeGreaterThan(50);
  });

  it("counts keys that expired, and commands per second", async () => {
    const node = new TestNode();
    const client = node.connect();
    client.run("SET", "a", 1, "PX", 1);
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 10; j++) client.run("PING");
      await node.runtime.advance(100);
    }
    const stats = fields(client.run("INFO", "stats"));
    expect(stats.expired_keys).toBe("1");
    expect(stats.instantaneous_ops_per_sec).toBe("100");
    expect(stats.instantaneous_input_kbps).toBe("1.37");
  });

  it("shows the memory that the data takes, also of host objects, and its peak", () => {
    const node = new TestNode({ maxMemoryBytes: 1_000_000_000 });
    const client = node.connect();
    const memory = () => fields(client.run("INFO", "memory"));
    const before = memory();
    expect(before).toMatchObject({
      maxmemory: "1000000000",
      maxmemory_human: "953.67M",
      maxmemory_policy: "noeviction",
      used_memory_rss: "50000000",
      used_memory_rss_human: "47.68M",
    });
    client.run("SET", "a", "x".repeat(1_000_000));
    client.run("HSET", "h", "f", "y".repeat(1_000_000));
    const during = memory();
    const grown = Number(during.used_memory) - Number(before.used_memory);
    expect(grown).toBeGreaterThanOrEqual(2_000_000);
    expect(grown).toBeLessThan(2_200_000);
    client.run("FLUSHALL");
    const after = memory();
    expect(Number(after.used_memory)).toBeLessThan(Number(before.used_memory) + 1000);
    expect(after.used_memory_peak).toBe(during.used_memory);
  });
});
