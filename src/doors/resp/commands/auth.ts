// AUTH: shows the password. There is one user, "default".

import { CommandError, NO_KEYS, syntaxError } from "../../../store/commands/command.ts";
import { authenticate, wrongPassword } from "../password.ts";
import type { SessionCommand } from "../session-command.ts";

export const auth: SessionCommand = {
  name: "auth",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  keys: NO_KEYS,
  group: "connection",
  since: "1.0.0",
  complexity: "O(N) where N is the length of the password.",
  summary: 'Shows the password, and the user "default" where two arguments are given.',
  run({ host, session, args, reply }) {
    if (args.length > 3) throw syntaxError();
    if (args.length === 2 && host.settings.get("password") === "") throw noPassword();
    const user = args.length === 3 ? args.text(1) : "default";
    if (!authenticate(host, session, user, args.view(args.length - 1))) throw wrongPassword();
    reply.ok();
  },
};

const noPassword = () =>
  new CommandError(
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
  );
