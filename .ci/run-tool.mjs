// Runs one outside program at a time and keeps its output to itself unless it fails.
import { spawn } from "node:child_process";

/** A program failed; the message is what it printed. */
export class ToolError extends Error {}

let running;

export async function runTool(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  running = child;
  const output = [];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (...outcome) => resolve(outcome));
    });
    if (code === 0) return;
    const said = Buffer.concat(output).toString().trimEnd();
    throw new ToolError(
      `${said}\n${command} ${args.join(" ")} ended with ${signal ?? code}`.trimStart(),
    );
  } catch (error) {
    if (error.code === "ENOENT")
      throw new ToolError(`${command} is not installed or not on the PATH`);
    throw error;
  } finally {
    running = undefined;
  }
}

/** Ends the program that is running now, if there is one. */
export function killTool(signal) {
  running?.kill(signal);
}
