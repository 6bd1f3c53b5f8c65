// INFO memory: what the data takes, from the kernel's own figures, and what the process takes.

import { humanBytes, type Line, type Section } from "./section.ts";

const PAGE_BYTES = 65536;

export const memory: Section = {
  title: "Memory",
  byDefault: true,
  lines({ store, settings, statistics, facts, clients }) {
    const used = store.figure("usedBytes");
    const index = store.figure("tablePages") * PAGE_BYTES;
    const peak = statistics.peakBytes;
    const limit = settings.get("maxMemoryBytes");
    let buffered = 0;
    for (const handle of clients) buffered += handle.pendingInputBytes + handle.pendingOutputBytes;
    return [
      ...both("used_memory", used),
      ...processLines(facts.residentBytes(), used),
      ...both("used_memory_peak", peak),
      ["used_memory_peak_perc", percent(used, peak)],
      ["used_memory_overhead", index],
      ["used_memory_dataset", used - index],
      ["used_memory_dataset_perc", percent(used - index, used)],
      ["number_of_cached_scripts", 0],
      ["number_of_functions", 0],
      ["number_of_libraries", 0],
      ...both("maxmemory", limit),
      ["maxmemory_policy", settings.get("maxMemoryPolicy")],
      ["mem_not_counted_for_evict", 0],
      ["mem_clients_slaves", 0],
      ["mem_clients_normal", buffered],
      ["mem_aof_buffer", 0],
      ["mem_allocator", "ringlet"],
      ["active_defrag_running", 0],
      ["lazyfree_pending_objects", 0],
      ["lazyfreed_objects", 0],
    ];
  },
};

/** What only the process knows; nothing where it does not. */
function processLines(resident: number, used: number): Line[] {
  if (resident === 0) return [];
  return [
    ...both("used_memory_rss", resident),
    ["mem_fragmentation_ratio", (resident / Math.max(1, used)).toFixed(2)],
    ["mem_fragmentation_bytes", resident - used],
  ];
}

function both(name: string, bytes: number): Line[] {
  return [
    [name, bytes],
    [`${name}_human`, humanBytes(bytes)],
  ];
}

function percent(part: number, whole: number): string {
  return `${((part * 100) / Math.max(1, whole)).toFixed(2)}%`;
}
