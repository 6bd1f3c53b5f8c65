// DEBUG PROTOCOL: a reply of each type, the same as Redis's, for tests of clients.

import type { RespWriter } from "../../../../codec/resp-writer.ts";
import { CommandError } from "../../../../store/commands/command.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { DEBUG } from "./family.ts";

export const protocol: SessionCommand = subcommand(
  DEBUG,
  {
    name: "protocol",
    arity: 3,
    since: "6.0.0",
    summary:
      "Answers a value of a type: string, integer, double, bignum, null, array, set, map, verbatim, true, false.",
  },
  ({ args, reply }) => {
    const write = REPLIES[args.word(2)];
    if (write === undefined) {
      throw new CommandError(
        `ERR Wrong protocol type name. Please use one of the following: ${Object.keys(REPLIES).join("|")}`,
      );
    }
    write(reply);
  },
);

const REPLIES: Readonly<Record<string, (reply: RespWriter) => void>> = {
  string: (reply) => reply.bulk("Hello World"),
  integer: (reply) => reply.integer(12345),
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: the same number as Redis answers.
  double: (reply) => reply.double(3.141),
  bignum: (reply) => reply.bigNumber(1234567999999999999999999999999999999n),
  null: (reply) => reply.null(),
  array: (reply) => {
    reply.array(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  set: (reply) => {
    reply.set(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  map: (reply) => {
    reply.map(3);
    for (let i = 0; i < 3; i++) {
      reply.integer(i);
      reply.boolean(i === 1);
    }
  },
  verbatim: (reply) => reply.verbatim("txt", "This is a verbatim\nstring"),
  true: (reply) => reply.boolean(true),
  false: (reply) => reply.boolean(false),
};
