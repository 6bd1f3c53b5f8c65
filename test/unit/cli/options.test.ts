import { describe, expect, it } from "vitest";
import type { Setting } from "../../../src/base/setting.ts";
import { SETTINGS, settingNames } from "../../../src/base/setting-table.ts";
import { FLAGS, usageOf, variableOf } from "../../../src/cli/flags.ts";
import { helpText } from "../../../src/cli/help.ts";
import { readInvocation } from "../../../src/cli/options.ts";
import type { ServeOptions } from "../../../src/cli/serve-options.ts";

function serve(args: string[], environment: Record<string, string> = {}): ServeOptions {
  const invocation = readInvocation(["serve", ...args], environment);
  if (invocation.command !== "serve") throw new Error(`read as ${invocation.command}`);
  return invocation.options;
}

describe("ringlet serve", () => {
  it("listens on loopback, serves no HTTP and logs at info when nothing is given", () => {
    expect(serve([])).toEqual({
      listen: { host: "127.0.0.1", port: 8102 },
      stats: undefined,
      logLevel: "info",
      cluster: undefined,
      settings: {},
    });
  });

  it("reads flags, with the value behind a space or an equals sign", () => {
    const args = ["--listen", "0.0.0.0:7000", "--stats-listen=[::1]:9100", "--log-level", "debug"];
    expect(serve([...args, "--maxmemory", "100mb", "--requirepass=--x", "--timeout", "5"])).toEqual(
      {
        listen: { host: "0.0.0.0", port: 7000 },
        stats: { host: "::1", port: 9100 },
        logLevel: "debug",
        cluster: undefined,
        settings: { maxMemoryBytes: 104_857_600, password: "--x", idleTimeoutSeconds: 5 },
      },
    );
  });

  it("reads variables, and lets a flag win over its variable", () => {
    const environment = {
      RINGLET_LISTEN: "127.0.0.1:1",
      RINGLET_STATS_LISTEN: "127.0.0.1:2",
      RINGLET_MAXMEMORY_POLICY: "allkeys-lru",
      RINGLET_REQUIREPASS: "",
      PATH: "/bin",
    };
    expect(serve(["--listen", "127.0.0.1:3"], environment)).toMatchObject({
      listen: { port: 3 },
      stats: { port: 2 },
      settings: { maxMemoryPolicy: "allkeys-lru" },
    });
    expect(serve([], environment).settings).not.toHaveProperty("password");
  });

  it("turns HTTP off by flag where the variable turns it on", () => {
    const environment = { RINGLET_STATS_LISTEN: "127.0.0.1:2" };
    expect(serve(["--stats-listen", "off"], environment).stats).toBeUndefined();
  });

  it("takes the last of two values of a flag", () => {
    expect(serve(["--maxclients", "5", "--maxclients", "6"]).settings).toEqual({ maxClients: 6 });
  });

  it("has a flag and a variable for every setting that names one", () => {
    for (const name of settingNames) {
      const setting: Setting = SETTINGS[name];
      if (setting.flag === undefined) continue;
      const text = { bytes: "2mb", integer: "100", boolean: "no", text: "x", choice: "" }[
        setting.type
      ];
      const value = setting.type === "choice" ? setting.choices.at(-1)! : text;
      const byFlag = serve([
        `--${setting.flag}`,
        setting.flag === "memory-ceiling" ? "16mb" : value,
      ]);
      const byVariable = serve([], {
        [variableOf(setting.flag)]: setting.flag === "memory-ceiling" ? "16mb" : value,
      });
      expect(Object.keys(byFlag.settings)).toEqual([name]);
      expect(byVariable).toEqual(byFlag);
    }
  });
});

describe("a command line that is not understood gets one line that says what to do:", () => {
  it.each<[string[], string]>([
    [
      [],
      "say what to do: `ringlet serve` runs a node, `ringlet dev` three of them, `ringlet --help` tells more",
    ],
    [
      ["start"],
      "there is no command start; there are serve, dev, ring, status (see ringlet --help)",
    ],
    [["serve", "now"], "now is one word too many; values follow flags"],
    [["serve", "--port", "1"], "there is no flag --port; ringlet serve --help lists them all"],
    [["serve", "-p"], "there is no flag -p; ringlet serve --help lists them all"],
    [["serve", "--help=1"], "--help takes no value"],
    [["serve", "--listen"], "--listen needs a value: --listen <host:port>"],
    [["serve", "--listen", "--maxclients", "1"], "--listen needs a value: --listen <host:port>"],
    [
      ["serve", "--listen", "8102"],
      '--listen cannot be "8102": give host:port, as in 127.0.0.1:8102',
    ],
    [
      ["serve", "--listen", "a:65536"],
      '--listen cannot be "a:65536": give host:port, as in 127.0.0.1:8102',
    ],
    [
      ["serve", "--listen", "::1:80"],
      '--listen cannot be "::1:80": give host:port, as in 127.0.0.1:8102',
    ],
    [
      ["serve", "--listen", "two\nlines"],
      '--listen cannot be "two\\nlines": give host:port, as in 127.0.0.1:8102',
    ],
    [
      ["serve", "--log-level", "loud"],
      '--log-level cannot be "loud": give one of debug, info, warn, error, silent',
    ],
    [
      ["serve", "--maxmemory", "lots"],
      '--maxmemory cannot be "lots": give a number of bytes from 0 to 9007199254740991, with a unit if you like, as in 100mb',
    ],
    [
      ["serve", "--maxclients", "-1"],
      '--maxclients cannot be "-1": give a whole number from 1 to 1000000',
    ],
    [
      ["serve", "--maxclients", ""],
      '--maxclients cannot be "": give a whole number from 1 to 1000000',
    ],
    [["serve", "--protected-mode", "maybe"], '--protected-mode cannot be "maybe": give yes or no'],
    [
      ["serve", "--maxmemory-policy", "fifo"],
      '--maxmemory-policy cannot be "fifo": give one of noeviction, allkeys-lru, volatile-lru, allkeys-random, volatile-random, volatile-ttl',
    ],
  ])("%j", (args, message) => {
    expect(() => readInvocation(args, {})).toThrow(message);
    expect(message).not.toContain("\n");
  });

  it("and names the variable where that is what is wrong", () => {
    expect(() => readInvocation(["serve"], { RINGLET_TIMEOUT: "soon" })).toThrow(
      'RINGLET_TIMEOUT cannot be "soon": give a whole number from 0 to 2147483647',
    );
  });
});

describe("the help text", () => {
  it.each([[["--help"]], [["-h"]], [["help"]], [["serve", "--help"]]])(
    "is what %j asks for",
    (args) => {
      expect(readInvocation(args, {})).toEqual({ command: "help" });
    },
  );

  it("names every flag, its variable and its default", () => {
    const words = helpText().replace(/\s+/g, " ");
    for (const flag of FLAGS) {
      expect(words).toContain(`${usageOf(flag)} ${flag.description} Default: ${flag.default}.`);
      if (flag.flagOnly === true) continue;
      expect(words).toContain(`Default: ${flag.default}. Variable: ${variableOf(flag.name)}.`);
    }
  });

  it("fits 100 columns", () => {
    expect(
      helpText()
        .split("\n")
        .filter((line) => line.length > 100),
    ).toEqual([]);
  });
});

it.each([[["--version"]], [["-v"]], [["serve", "--version"]]])(
  "%j asks for the version",
  (args) => {
    expect(readInvocation(args, {})).toEqual({ command: "version" });
  },
);
