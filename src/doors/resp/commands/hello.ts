// HELLO: chooses RESP 2 or 3, shows the password and names the connection, all at once; what most clients send first.

import { CommandError, NO_KEYS } from "../../../store/commands/command.ts";
import { readInteger } from "../../../store/commands/parse.ts";
import { checkClientName } from "../client-name.ts";
import { authenticate, wrongPassword } from "../password.ts";
import type { SessionCall, SessionCommand } from "../session-command.ts";
import { REDIS_VERSION } from "../versions.ts";

export const hello: SessionCommand = {
  name: "hello",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  keys: NO_KEYS,
  group: "connection",
  since: "6.0.0",
  complexity: "O(1)",
  summary: "Chooses the protocol, 2 or 3; may show the password and name the connection.",
  run(call) {
    const { session, args, reply } = call;
    const protocol = args.length > 1 ? readProtocol(call) : session.protocol;
    const options = readOptions(call);
    if (options.password !== 0) {
      const user = args.text(options.password - 1);
      if (!authenticate(call.host, session, user, args.view(options.password))) {
        throw wrongPassword();
      }
    }
    if (!session.authenticated) throw mustAuthenticate();
    if (options.name !== undefined) session.name = options.name;
    session.protocol = protocol;
    reply.protocol = protocol;
    describe(call);
  },
};

function readProtocol({ args }: SessionCall): 2 | 3 {
  const version = readInteger(
    args,
    1,
    () => new CommandError("ERR Protocol version is not an integer or out of range"),
  );
  if (version !== 2n && version !== 3n) {
    throw new CommandError("NOPROTO unsupported protocol version");
  }
  return version === 2n ? 2 : 3;
}

/** `password`: the argument that is it, 0 for none. */
function readOptions({ args }: SessionCall): { password: number; name: string | undefined } {
  let password = 0;
  let name: string | undefined;
  for (let i = 2; i < args.length; i++) {
    const option = args.word(i);
    const more = args.length - i - 1;
    if (option === "auth" && more >= 2) {
      password = i + 2;
      i += 2;
    } else if (option === "setname" && more >= 1) {
      name = args.text(++i);
      checkClientName(name, "Client names");
    } else {
      throw new CommandError(`ERR Syntax error in HELLO option '${args.text(i)}'`);
    }
  }
  return { password, name };
}

function describe({ session, reply }: SessionCall): void {
  reply.map(7);
  reply.bulk("server");
  // What every client expects here; INFO says which server it is.
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(REDIS_VERSION);
  reply.bulk("proto");
  reply.integer(session.protocol);
  reply.bulk("id");
  reply.integer(session.facts.id);
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk("master");
  reply.bulk("modules");
  reply.array(0);
}

const mustAuthenticate = () =>
  new CommandError(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
  );
