/** A benchmark's result as a table, and the table as markdown. */

export interface BenchTable {
  title: string;
  columns: string[];
  rows: string[][];
}

/** The table as GitHub markdown, columns padded to one width, all but the first aligned to the right. */
export function toMarkdown({ title, columns, rows }: BenchTable): string {
  const widths = columns.map((column, i) =>
    Math.max(3, column.length, ...rows.map((row) => (row[i] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, i) => (i === 0 ? (cells[i] ?? "").padEnd(width) : (cells[i] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [`### ${title}`, "", line(columns), rule, ...rows.map(line), ""].join("\n");
}
