/** Waits until a condition holds; else fails with what `complaint` says. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  complaint: () => string = () => "it did not come to that",
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(complaint());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How long a test waits for what must come. */
const PATIENCE_MS = 30_000;
