// INFO cpu: processor time of the process.

import type { Section } from "./section.ts";

export const cpu: Section = {
  title: "CPU",
  byDefault: true,
  lines({ facts }) {
    const { user, system } = facts.cpuSeconds();
    return [
      ["used_cpu_sys", system.toFixed(6)],
      ["used_cpu_user", user.toFixed(6)],
      ["used_cpu_sys_children", "0.000000"],
      ["used_cpu_user_children", "0.000000"],
    ];
  },
};
