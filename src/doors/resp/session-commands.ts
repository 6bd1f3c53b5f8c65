// Every command of the session. One more is a file in commands/ and a row here.

import { acl } from "./commands/acl.ts";
import { auth } from "./commands/auth.ts";
import { client } from "./commands/client/index.ts";
import { cluster } from "./commands/cluster.ts";
import { command } from "./commands/command/index.ts";
import { config } from "./commands/config/index.ts";
import { debug } from "./commands/debug/index.ts";
import { discard } from "./commands/discard.ts";
import { dynoConfig } from "./commands/dyno-config.ts";
import { echo } from "./commands/echo.ts";
import { exec } from "./commands/exec.ts";
import { functionCommand } from "./commands/function.ts";
import { hello } from "./commands/hello.ts";
import { info } from "./commands/info/index.ts";
import { latency } from "./commands/latency.ts";
import { module } from "./commands/module.ts";
import { multi } from "./commands/multi.ts";
import { ping } from "./commands/ping.ts";
import { quit } from "./commands/quit.ts";
import { reset } from "./commands/reset.ts";
import { ringletCommand } from "./commands/ringlet/index.ts";
import { role } from "./commands/role.ts";
import { select } from "./commands/select.ts";
import { shutdown } from "./commands/shutdown.ts";
import { slowlog } from "./commands/slowlog.ts";
import { time } from "./commands/time.ts";
import { unwatch } from "./commands/unwatch.ts";
import { wait } from "./commands/wait.ts";
import { watch } from "./commands/watch.ts";
import type { SessionCommand } from "./session-command.ts";

export const sessionCommands: readonly SessionCommand[] = [
  acl,
  auth,
  client,
  cluster,
  command,
  config,
  debug,
  discard,
  dynoConfig,
  echo,
  exec,
  functionCommand,
  hello,
  info,
  latency,
  module,
  multi,
  ping,
  quit,
  reset,
  ringletCommand,
  role,
  select,
  shutdown,
  slowlog,
  time,
  unwatch,
  wait,
  watch,
];
