// CONFIG GET: the parameters whose names fit one of the patterns.

import { fromLatin1 } from "../../../../store/arguments.ts";
import { matchesGlob } from "../../../../store/commands/glob.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { allParameters, CONFIG, findParameter } from "./family.ts";

export const get: SessionCommand = subcommand(
  CONFIG,
  {
    name: "get",
    arity: -3,
    since: "2.0.0",
    complexity: "O(N) where N is the number of patterns.",
    summary: "Answers the parameters that fit the patterns.",
  },
  ({ host, args, reply }) => {
    const found = new Map<string, string>();
    for (let i = 2; i < args.length; i++) {
      const name = args.text(i);
      if (!/[*?[]/.test(name)) {
        // Answered under the name as it was asked for.
        const parameter = findParameter(host, name.toLowerCase());
        if (parameter !== undefined) found.set(name, parameter.read(host.settings));
        continue;
      }
      for (const [each, parameter] of allParameters(host)) {
        if (!matchesGlob(args.view(i), fromLatin1(each), true)) continue;
        found.set(each, parameter.read(host.settings));
      }
    }
    reply.map(found.size);
    for (const [name, value] of found) {
      reply.latin1(name);
      reply.bulk(value);
    }
  },
);
