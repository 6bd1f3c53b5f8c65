// INFO keyspace: the databases that hold keys.

import type { Section } from "./section.ts";

export const keyspace: Section = {
  title: "Keyspace",
  byDefault: true,
  lines: ({ store }) =>
    store.databases
      .filter((database) => database.size !== 0)
      .map((database) => [
        `db${database.index}`,
        `keys=${database.size},expires=${database.volatileSize},avg_ttl=0`,
      ]),
};
