// A node of `ringlet dev`: the command itself, which ends gently when the process that has started it is gone.

process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));

await import("../main.ts");
