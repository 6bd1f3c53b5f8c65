// INFO ringlet: what Redis has no name for: who answers commands, and the kernel's memory.

import type { Section } from "./section.ts";

export const ringlet: Section = {
  title: "Ringlet",
  byDefault: true,
  lines({ store, statistics, settings }) {
    const byKernel = statistics.kernelCommandsSinceReset;
    const byHost = statistics.hostCommands.sinceReset;
    const held = store.kernel.heldBytes();
    return [
      ["kernel_commands", byKernel],
      ["host_commands", byHost],
      ["host_commands_percent", ((byHost * 100) / Math.max(1, byKernel + byHost)).toFixed(2)],
      ["kernel_memory_bytes", store.kernel.memory.buffer.byteLength],
      ["kernel_memory_ceiling_bytes", settings.get("ceilingBytes")],
      ["kernel_held_bytes", held],
      ["kernel_live_bytes", store.figure("liveBytes")],
      ["arena_segments", store.figure("segments")],
      ["index_pages", store.figure("tablePages")],
      ["records_moved", statistics.figureSinceReset("moved")],
      ["host_objects", store.objects.count],
    ];
  },
};
