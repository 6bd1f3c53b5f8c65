// Lines of a node's log (JSON, see log.ts) as a person reads them.

/** `{"level":"warn","msg":"It is so.","node":"a"}` → `warn: It is so. (node a)`; any other line as it is. */
export function readableLog(line: string): string {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof fields !== "object" || fields === null || !("msg" in fields)) return line;
  const { level, time: _, msg, ...rest } = fields as Record<string, unknown>;
  const facts = Object.entries(rest).map(([name, value]) => `${name} ${plain(value)}`);
  return `${level}: ${msg}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
