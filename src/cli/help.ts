// The help text, made from the table of flags.

import { RINGLET_VERSION } from "../base/version.ts";
import { ASK_FLAGS, DEV_FLAGS, FLAGS, type Flag, usageOf, variableOf } from "./flags.ts";

const WIDTH = 80;
const INDENT = "      ";

export function helpText(): string {
  return `ringlet ${RINGLET_VERSION}

Usage:
  ringlet serve [flags]   Run a node until SIGINT or SIGTERM, which let it finish.
  ringlet dev [flags]     Run three nodes of one ring on this machine, for trying out.
  ringlet ring [flags]    Print who owns what of the ring.
  ringlet status [flags]  Print how each member of the ring is.
  ringlet --help          Print this text.
  ringlet --version       Print the version.

Flags of serve. Each can be given as an environment variable too; the flag wins.

${FLAGS.map(flagText).join("\n")}
Bytes may have a unit: kb, mb, gb (powers of 1024), k, m, g (powers of 1000).

Flags of dev:

${DEV_FLAGS.map(flagText).join("\n")}
Flags of ring and status:

${ASK_FLAGS.map(flagText).join("\n")}
Examples:
  ringlet serve --listen 127.0.0.1:7000 --maxmemory 1gb --maxmemory-policy allkeys-lru
  ringlet serve --tokens 0 --rack rack1 --dyn-listen 10.0.0.1:8101 \\
    --dyn-seeds 10.0.0.2:8101:rack2:localdc:0 --dyn-seeds 10.0.0.3:8101:rack3:localdc:0
  ringlet serve --conf-file ringlet.yml
`;
}

function flagText(flag: Flag): string {
  const variable = flag.flagOnly === true ? "" : ` Variable: ${variableOf(flag.name)}.`;
  const facts = `Default: ${flag.default}.${variable}`;
  return `  ${usageOf(flag)}\n${wrap(`${flag.description} ${facts}`)}\n`;
}

/** Breaks a text into indented lines of at most WIDTH columns. */
function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && INDENT.length + line.length + 1 + word.length > WIDTH) {
      lines.push(INDENT + line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, INDENT + line].join("\n");
}
