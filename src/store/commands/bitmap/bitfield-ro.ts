// BITFIELD_RO key [GET type offset ...]

import { type Command, CommandError } from "../command.ts";
import { bitfield, runOperations } from "./bitfield.ts";
import { readOperations } from "./field-operations.ts";

export const bitfieldRo: Command = {
  ...bitfield,
  name: "bitfield_ro",
  flags: ["readonly", "fast"],
  since: "6.0.0",
  summary: "Reads integers of any width at any bit of the string at a key.",
  run(call) {
    const operations = readOperations(call);
    if (operations.some(({ kind }) => kind !== "get")) {
      throw new CommandError("ERR BITFIELD_RO only supports the GET subcommand");
    }
    runOperations(call, operations);
  },
};
