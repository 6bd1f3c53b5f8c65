// The help text, made from the table of flags.

import { RINGLET_VERSION } from "../base/version.ts";
import { FLAGS, type Flag, variableOf } from "./options.ts";

const WIDTH = 80;
const INDENT = "      ";

export function helpText(): string {
  return `ringlet ${RINGLET_VERSION}

Usage:
  ringlet serve [flags]   Run a node until SIGINT or SIGTERM, which let it finish.
  ringlet --help          Print this text.
  ringlet --version       Print the version.

Flags of serve. Each can be given as an environment variable too; the flag wins.

${FLAGS.map(flagText).join("\n")}
Bytes may have a unit: kb, mb, gb (powers of 1024), k, m, g (powers of 1000).

Example:
  ringlet serve --listen 127.0.0.1:7000 --maxmemory 1gb --maxmemory-policy allkeys-lru
`;
}

function flagText(flag: Flag): string {
  const facts = `Default: ${flag.default}. Variable: ${variableOf(flag.name)}.`;
  return `  --${flag.name} <${flag.value}>\n${wrap(`${flag.description} ${facts}`)}\n`;
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
