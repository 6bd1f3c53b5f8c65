// CONFIG SET: changes parameters, all of those named or none.

import type { SettingValues } from "../../../../base/setting-table.ts";
import { SettingError } from "../../../../base/settings.ts";
import { CommandError, syntaxError } from "../../../../store/commands/command.ts";
import { FixedParameter, type Parameter } from "../../config-parameters.ts";
import { type SessionCall, type SessionCommand, subcommand } from "../../session-command.ts";
import { CONFIG, findParameter } from "./family.ts";

export const set: SessionCommand = subcommand(
  CONFIG,
  {
    name: "set",
    arity: -4,
    since: "2.0.0",
    complexity: "O(N) where N is the number of parameters.",
    summary: "Changes parameters, all of them or none.",
  },
  (call) => {
    const { host, args, reply } = call;
    if (args.length % 2 !== 0) throw syntaxError();
    const parameters = findAll(call);
    let changes: Partial<SettingValues> = {};
    for (const [i, parameter] of parameters) {
      changes = {
        ...changes,
        ...explained(args.text(i), () => parameter.parse(textAfter(call, i))),
      };
    }
    explained(args.text(2), () => host.settings.setAll(changes));
    reply.ok();
  },
);

/** The parameters by the index of the argument that names them. */
function findAll({ host, args }: SessionCall): Map<number, Parameter> {
  const found = new Map<number, Parameter>();
  const subjects = new Set<string>();
  for (let i = 2; i < args.length; i += 2) {
    const parameter = findParameter(host, args.word(i));
    if (parameter === undefined) {
      throw new CommandError(
        `ERR Unknown option or number of arguments for CONFIG SET - '${args.text(i)}'`,
      );
    }
    if (subjects.has(parameter.subject)) throw failed(args.text(i), "duplicate parameter");
    subjects.add(parameter.subject);
    found.set(i, parameter);
  }
  return found;
}

function textAfter({ args }: SessionCall, name: number): string {
  try {
    return UTF_8.decode(args.view(name + 1));
  } catch {
    throw failed(args.text(name), "argument must be text in UTF-8");
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Runs `change`; what is wrong with the parameter `name` becomes the error that says so. */
function explained<T>(name: string, change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (error instanceof SettingError) throw failed(name, error.reason);
    if (error instanceof FixedParameter) throw failed(name, error.message);
    throw error;
  }
}

const failed = (name: string, reason: string) =>
  new CommandError(`ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`);
